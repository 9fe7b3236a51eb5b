"""Writes a data set as TFRecord files of tf.train.Example, for TFX and other pipelines.

Beside them, description.json holds class names and counts.
"""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
from keras_cvaegan.names import PRESET_NAMES
from trainers.command_line import flags
from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from datasets.tfrecords import Records

COMMAND = Command("trainers.write_records", __doc__)
flags.data_flags(COMMAND)


def record_flags(command: Command) -> None:
    """Defines how the files are written."""
    with command.section("Records"):
        command.integer("shards", 4, "files a split", lower_bound=1)
        command.boolean("compress", True, "gzip the files")
        command.boolean(
            "beam",
            False,
            "write by Apache Beam, one worker a file, where the data are large (pip install "
            "apache-beam)",
        )
        command.repeated("beam_option", "for Beam, as in --beam_option=--runner=DataflowRunner")


record_flags(COMMAND)
with COMMAND.section("Output"):
    COMMAND.string("splits", None, "which, of train,validation,test (default: all there are)")
    COMMAND.string("output", None, "folder to make (default: records/DATASET)")


def records(values: "FlagValues", image_size: int, splits: tuple[str, ...] = ()) -> "Records":
    """Returns what the flags of the data and of the records ask for, at an image size."""
    from datasets.tfrecords import Records

    return Records(
        values.dataset,
        image_size,
        splits=splits,
        shards=values.shards,
        compress=values.compress,
        data_dir=values.data_dir and str(Path(values.data_dir).expanduser().resolve()),
        options=flags.dataset_options(values),
    )


def beam_options(values: "FlagValues") -> list[str] | None:
    """Returns the options of Beam, or None where it is not to be used.

    Raises:
        ValueError: for options without `--beam`.
    """
    if values.beam_option and not values.beam:
        raise ValueError("--beam_option is for --beam: add it, or leave the option out.")
    return list(values.beam_option) if values.beam else None


def main(values: "FlagValues") -> None:
    splits = ()
    if values.splits is not None:
        allowed = datasets.get(values.dataset).splits
        splits = tuple(flags.choices(values.splits, "splits", allowed))
    options = beam_options(values)

    from datasets import tfrecords
    from keras_cvaegan.networks import preset

    # As a string, since it may be a URL.
    output = os.path.expanduser(values.output or f"records/{values.dataset}")  # noqa: PTH111
    asked = records(values, values.image_size or preset(PRESET_NAMES[0]).image_size, splits)
    try:
        about = tfrecords.write(output, asked, beam=options, verbose=True)
    except ImportError as error:
        raise ValueError(str(error)) from error
    for split, found in about["splits"].items():
        print(f"{split}: {found['num_images']:,} pictures in {found['files']} files")
    size, classes = about["image_size"], len(about["class_names"])
    print(f"{classes} classes, {size} px: {shlex.quote(output)}")


if __name__ == "__main__":
    COMMAND.run(main)
