"""The flags of programs that write a data set as TFRecord files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues


def record_flags(command: Command) -> None:
    """Defines how the files are written.

    Args:
        command: program that gets the flags.
    """
    with command.section("Records"):
        command.integer("shards", 4, "files a split", lower_bound=1)
        command.boolean("compress", True, "gzip the files")
        command.boolean(
            "beam",
            False,
            "write by Apache Beam, one worker a file, where the data are large (pip install "
            "apache-beam)",
        )
        command.repeated(
            "beam_option", "option of Beam, as in --beam_option=--runner=DataflowRunner"
        )


def beam_options(values: FlagValues) -> list[str] | None:
    """Returns the options of Beam, or None where it is not to be used.

    Args:
        values: flags that `record_flags` defines.

    Raises:
        ValueError: for options without `--beam`.
    """
    if values.beam_option and not values.beam:
        raise ValueError("--beam_option is for --beam: add it, or leave the option out.")
    return list(values.beam_option) if values.beam else None
