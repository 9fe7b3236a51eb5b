"""Measures what the codes of trained models know: the class, and on `petals` each attribute.

Fresh networks read them from the codes of training pictures, and are judged on held-out ones. Of
LR/LI-VAE, z_s should know the class, and z_u what the label does not decide, but not the class.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainers.command_line.command import Command
from trainers.reports.tables import markdown
from trainers.runs import configuration
from trainers.sweeps.over_seeds import cell, over_seeds

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

    import datasets
    from keras_cvaegan.models import GenerativeModel

CLASS = "class"
OWN_CLASSIFIER = "own classifier"
SHOWN_NAMES = {CLASS: "class, accuracy"}

COMMAND = Command("trainers.codes", __doc__)
with COMMAND.section("Runs"):
    COMMAND.repeated(
        "run_dir",
        "folder of a run of trainers.fit (required); given again, as for other seeds of one model, "
        "the table shows mean and deviation",
    )
with COMMAND.section("Measures"):
    COMMAND.integer(
        "max_images", 10_000, "most pictures to use, of each of training and test", lower_bound=2
    )
    COMMAND.integer(
        "seed",
        0,
        "of the draws and of the networks that read",
        lower_bound=0,
        upper_bound=2**32 - 1,
    )


def read_codes(
    model: "GenerativeModel", images: "np.ndarray", labels: "np.ndarray", seed: int
) -> dict[str, "np.ndarray"]:
    """Returns a model's codes of images, by the codes' names, each `(n, d)`.

    Codes that are drawn are drawn, as the generator gets them: the mean of one that the prior has
    pulled together still tells apart, if by little, what no draw does.

    Raises:
        ValueError: for a model without an encoder.
    """
    import numpy as np

    from keras_cvaegan.models import LRLIVAE

    z_mean, z_log_var = model.encode(images, labels if model.conditional else labels * 0)
    noise = np.random.default_rng(seed).standard_normal(z_mean.shape, np.float32)
    z = z_mean + np.exp(0.5 * z_log_var) * noise
    if isinstance(model, LRLIVAE):
        return {"z_s": model.codes(images).relevant, "z_u": z[:, model.relevant_dim :]}
    return {"z": z}


def measure(
    model: "GenerativeModel",
    training: "datasets.Prepared",
    test: "datasets.Prepared",
    *,
    max_images: int,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Returns for each code the class accuracy and each attribute's R², by name.

    The accuracy of the model's own classifier stands beside them, as that of another code.

    Args:
        model: with an encoder.
        training: what the readers learn from.
        test: what they are judged on.
        max_images: the most of each to use, drawn by lot.
        seed: of the readers.
    """
    import numpy as np

    from keras_cvaegan.metrics import attribute_r2, class_accuracy
    from trainers.evaluation.real_side import some_rows

    codes, labels, values = [], [], []
    for number, prepared in enumerate((training, test)):
        rows = some_rows(prepared.description.num_images, max_images)
        labels.append(np.asarray(prepared.labels[rows]))
        images = np.asarray(prepared.images[rows])
        codes.append(read_codes(model, images, labels[-1], 2 * seed + number))
        values.append({name: np.asarray(each[rows]) for name, each in prepared.attributes.items()})
    if "background_hue" in values[0]:
        from datasets.petals import visible

        values = [visible(each) for each in values]
    results = {}
    for name in codes[0]:
        ours, theirs = codes[0][name], codes[1][name]
        results[name] = {CLASS: class_accuracy(ours, labels[0], theirs, labels[1], seed=seed)}
        results[name] |= attribute_r2(ours, values[0], theirs, values[1], seed=seed)
    if "classifier" in model.inference_names():
        images = np.asarray(test.images[rows])
        right = model.classify(images).argmax(axis=1) == labels[1]
        results[OWN_CLASSIFIER] = {CLASS: float(right.mean())}
    return results


def table(results: Sequence[Mapping[str, Mapping[str, float]]], chance: float) -> str:
    """Returns what `measure` found of one or more runs, as Markdown.

    Args:
        results: of each run.
        chance: accuracy without knowledge: the share of the largest class.

    Example:

    >>> print(table([{"z_s": {"class": 0.5, "size": 0.25}}], chance=0.1))
    |        | class, accuracy | size, R² |
    |:-------|----------------:|---------:|
    | z_s    |           0.500 |    0.250 |
    | chance |           0.100 |    0.000 |
    """
    names = list(next(iter(results[0].values())))
    rows = []
    for code in results[0]:
        figures = over_seeds([of_run[code] for of_run in results])
        rows.append([code, *(cell(figures.get(name)) for name in names)])
    rows.append(["chance", f"{chance:.3f}", *("0.000" for _ in names[1:])])
    return markdown(["", *(SHOWN_NAMES.get(name, f"{name}, R²") for name in names)], rows)


def main(values: "FlagValues") -> int:
    if not values.run_dir:
        raise ValueError("--run_dir is missing: the folder of a run of trainers.fit.")

    import datasets
    import keras_cvaegan
    from keras_cvaegan.applications import inputs
    from keras_cvaegan.training.run_directory import RunDirectory, write_json

    runs = [RunDirectory(path) for path in values.run_dir]
    settings = {"max_images": values.max_images, "seed": values.seed}
    results: list[dict[str, Any]] = []
    shares, first = set(), None
    for run in runs:
        config = run.read_config()["config"]
        arguments = configuration.data_arguments(config)
        shares |= {config.get("labelled_share", 1.0)} - {1.0}
        training, test = (datasets.prepare(split=split, **arguments) for split in ("train", "test"))
        model = keras_cvaegan.load(run.path)
        description = test.description
        first = first or description
        if (description.class_names, description.num_images) != (
            first.class_names,
            first.num_images,
        ):
            raise ValueError(f"The runs must be of the same data: {str(run.path)!r} is of others.")
        inputs.check_data(model, description.class_names, description.image_shape)
        print(f"Reading the codes of {run.path} …", flush=True)
        results.append(measure(model, training, test, **settings))
        if results[-1].keys() != results[0].keys():
            raise ValueError(
                f"The runs must be of one kind of model: {str(run.path)!r} has the codes "
                f"{', '.join(results[-1])}, {str(runs[0].path)!r} {', '.join(results[0])}."
            )
        write_json(run.path / "codes.json", {"settings": settings, "codes": results[-1]})
    chance = max(description.class_counts) / description.num_images
    print(f"\n{table(results, chance)}\n")
    for share in sorted(shares):
        print(f"A run knew {share:.3g} of the labels; the fresh networks learn from all of them.")
    written = ", ".join(shlex.quote(str(run.path / "codes.json")) for run in runs)
    print(f"Written to {written}")
    return 0


if __name__ == "__main__":
    COMMAND.run(main)
