"""Writes a data set as TFRecord files of tf.train.Example, for TFX and other pipelines.

Beside them, description.json holds class names and counts.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
from trainers.command_line import flags, record_flags
from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.write_records", __doc__)
flags.data_flags(COMMAND)
record_flags.record_flags(COMMAND)
with COMMAND.section("Output"):
    COMMAND.string(
        "splits", None, "splits to write, of train,validation,test (default: all there are)"
    )
    COMMAND.string("output", None, "folder to make (default: records/DATASET)")


def main(values: FlagValues) -> None:
    splits: list[str] = []
    if values.splits is not None:
        allowed = datasets.get(values.dataset).splits
        splits = flags.choices(values.splits, "splits", allowed)
    record_flags.beam_options(values)
    output = values.output or f"records/{values.dataset}"
    if "://" not in output:
        output = str(Path(output).expanduser())

    from trainers.tfrecords import writing

    about = writing.write(output, writing.records_of(values, splits=splits), values)
    for split, found in about["splits"].items():
        print(f"{split}: {found['num_images']:,} pictures in {found['files']} files")
    size, classes = about["image_size"], len(about["class_names"])
    print(f"{classes} classes, {size} px: {shlex.quote(output)}")


if __name__ == "__main__":
    COMMAND.run(main)
