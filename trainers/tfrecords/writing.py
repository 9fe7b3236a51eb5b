"""Writes the data set that flags describe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datasets import tfrecords
from keras_cvaegan.names import PRESET_NAMES
from keras_cvaegan.networks import preset
from trainers.command_line import flags, record_flags

if TYPE_CHECKING:
    from absl.flags import FlagValues


def records_of(
    values: FlagValues, image_size: int | None = None, splits: Sequence[str] = ()
) -> tfrecords.Records:
    """Returns what is to be written.

    Args:
        values: flags of the data and of the records.
        image_size: height and width of the pictures, in pixels; by default that of the flag, or of
            the first preset.
        splits: splits to write; by default all that the data set has.

    Raises:
        ValueError: for flags that the data set does not have.
    """
    return tfrecords.Records(
        values.dataset,
        image_size or values.image_size or preset(PRESET_NAMES[0]).image_size,
        splits=splits,
        shards=values.shards,
        compress=values.compress,
        data_dir=values.data_dir and str(Path(values.data_dir).expanduser().resolve()),
        options=flags.dataset_options(values),
    )


def write(folder: str, records: tfrecords.Records, values: FlagValues) -> dict[str, Any]:
    """Writes the files and returns the contents of their description.json.

    Args:
        folder: path or URL; it must not exist yet.
        records: data to write, and in how many files.
        values: flags of the records.

    Raises:
        ValueError: for a folder that is there already, data that cannot be used, or Beam where it
            is not installed.
        OSError: when the folder cannot be written.
    """
    beam = record_flags.beam_options(values)
    try:
        return tfrecords.write(folder, records, beam=beam, verbose=True)
    except ImportError as error:
        raise ValueError(str(error)) from error
