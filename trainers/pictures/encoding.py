"""Models that are to encode pictures: by their encoder, or by optimisation where they have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel


def encoding_flag(command: Command) -> None:
    """Defines the flag that `load_encoding` reads."""
    command.integer(
        "find_codes",
        None,
        "of models without an encoder: find the codes of pictures by so many steps of "
        "optimisation, as in --find_codes=200 (default: such models are refused)",
        lower_bound=1,
    )


def load_encoding(run_dir: str, values: FlagValues) -> GenerativeModel:
    """Returns a run's model, which has an `encode`.

    Args:
        run_dir: of the run.
        values: with `find_codes`.

    Raises:
        ValueError: for a run without a model, or a model without an encoder where `--find_codes`
            is not given.
    """
    import keras_cvaegan
    from keras_cvaegan.applications import encode_by_optimisation
    from keras_cvaegan.applications.inputs import need_network

    model = keras_cvaegan.load(run_dir)
    if values.find_codes is not None:
        return encode_by_optimisation(model, steps=values.find_codes)
    try:
        need_network(model, "encoder")
    except ValueError as error:
        raise ValueError(f"{error} Or have codes searched for, as by --find_codes=200.") from None
    return model
