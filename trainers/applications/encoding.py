"""Models that are to encode pictures: by their encoder, or by optimisation where they have none."""

import keras_cvaegan
from keras_cvaegan.applications import encode_by_optimisation
from keras_cvaegan.applications.inputs import check_guessable, need_network, takes_labels
from keras_cvaegan.models import GenerativeModel


def load_encoding_model(run_dir: str, find_codes: int | None = None) -> GenerativeModel:
    """Returns a run's model, which has an `encode`.

    Args:
        run_dir: folder of the run.
        find_codes: steps of optimisation by which codes are found; None for the encoder.

    Raises:
        ValueError: for a run without a model, or a model without an encoder where no steps are
            given.
    """
    model = keras_cvaegan.load(run_dir)
    if find_codes is not None:
        return encode_by_optimisation(model, steps=find_codes)
    try:
        need_network(model, "encoder")
    except ValueError as error:
        raise ValueError(f"{error} Or have codes searched for, as by --find_codes=200.") from None
    return model


def source_of_labels(model: GenerativeModel, known: bool) -> str:
    """Returns where a model has the labels from that it reconstructs pictures under.

    Args:
        model: model with an encoder.
        known: whether the labels of the pictures are known.

    Returns:
        "given", "guessed by its classifier" or "not needed".

    Raises:
        ValueError: for a model that needs labels where they are not known, and cannot guess them.
    """
    if not takes_labels(model):
        return "not needed"
    if known:
        return "given"
    check_guessable(model)
    return "guessed by its classifier"
