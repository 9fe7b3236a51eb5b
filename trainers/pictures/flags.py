"""Flags that several programs share: which pictures they take in, restore or generate.

Nothing here imports TensorFlow, so that `--help` answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line.command import Command
from trainers.command_line.flags import seed_flag

if TYPE_CHECKING:
    from absl.flags import FlagValues

FILES_OR_FOLDERS = "files or folders, with commas between; may be given again"
"""Help on the values of a flag that `trainers.pictures.given.picture_paths` takes."""


def generated_picture_flags(command: Command, output: str) -> None:
    """Defines which pictures are generated, and where they go.

    Args:
        command: program that generates them.
        output: text of the help on the folder that is taken by default.
    """
    with command.section("Pictures"):
        command.string("labels", None, "classes, by number or name, as in 0,3 (default: all)")
        command.integer("count", 8, "pictures a class", lower_bound=1)
        seed_flag(command, "seed of the pictures; another seed, other pictures")
        command.string("output", None, f"folder to write (default: {output})")


def find_codes_flag(command: Command) -> None:
    """Defines whether codes are searched for where a model has no encoder.

    `trainers.applications.encoding.load_encoding_model` takes its value.
    """
    command.integer(
        "find_codes",
        None,
        "steps of optimisation by which codes of pictures are found for models without an "
        "encoder, as in --find_codes=200 (default: such models are refused)",
        lower_bound=1,
    )


def restoring_flags(command: Command, pictures: str, seed: str) -> None:
    """Defines which pictures are restored, and by the models of which runs.

    Args:
        command: program that restores them.
        pictures: help of `--pictures`.
        seed: help of `--seed`.
    """
    with command.section("Runs"):
        command.string("run_dir", None, "folder of a run of trainers.fit (required)")
        command.repeated(
            "against",
            "folder of another run on the same data, to compare with; may be given again",
        )
        find_codes_flag(command)
    with command.section("Pictures"):
        command.repeated("pictures", pictures)
        command.string(
            "labels", None, "classes of --pictures, one for all or one for each, by number or name"
        )
        command.integer("count", 200, "held-out pictures to measure, drawn by lot", lower_bound=1)
        command.integer("shown", 8, "pictures of the PNG files", lower_bound=1, upper_bound=100)
        seed_flag(command, seed)


def labels_given_flag(command: Command) -> None:
    """Defines whether models that reconstruct under a label are given that of the picture."""
    command.boolean(
        "labels_given",
        True,
        "give the labels of the pictures to models that reconstruct under a label; if not, or "
        "where they are not known, their own classifier guesses them",
    )


def check_restoring(values: FlagValues) -> None:
    """Checks that `--labels` come with `--pictures`.

    Raises:
        ValueError: where they are given alone.
    """
    if values.labels is not None and not values.pictures:
        raise ValueError("--labels are those of --pictures; held-out pictures have their own.")
