"""Measures what applications keep and change of pictures, by the known attributes of `petals`.

A network learns to read attributes from real pictures. It then tells what is left of a picture's
attributes when it is shown as another class (Bao et al. 2017, Section S8.1), and whether they
change in order from one picture to another (Section 5.3). Pictures with near codes (Section S8.2)
are compared by their true attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainers.attributes.reader import open_reader
from trainers.attributes.tables import claims, in_deviations, notes, table
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import print_written

if TYPE_CHECKING:
    import keras
    from absl.flags import FlagValues

    from keras_cvaegan.metrics.attribute_reader import AttributeReader
    from keras_cvaegan.models import GenerativeModel
    from trainers.attributes.measures import KnownPictures

COMMAND = Command("trainers.attribute_study", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.integer("count", 500, "held-out pictures to transfer and to search by", lower_bound=2)
    COMMAND.integer(
        "searched", 10_000, "most training pictures to search, drawn by lot", lower_bound=1
    )
    COMMAND.integer("k", 5, "of them to find for each", lower_bound=1)
    COMMAND.integer("pairs", 500, "held-out pictures of a class to morph, in pairs", lower_bound=1)
    COMMAND.integer("steps", 9, "pictures from end to end", lower_bound=3, upper_bound=100)
    COMMAND.integer(
        "seed", 0, "of which are drawn, and as which class", lower_bound=0, upper_bound=2**32 - 1
    )
with COMMAND.section("Reader of attributes"):
    COMMAND.integer(
        "reader_epochs",
        30,
        "passes over the training pictures; it is trained once and stays in the run",
        lower_bound=1,
    )


def measure(
    model: GenerativeModel,
    reader: AttributeReader,
    judge: keras.Model | None,
    training: KnownPictures,
    test: KnownPictures,
    values: FlagValues,
) -> dict[str, Any]:
    """Returns what applications keep and change.

    Args:
        model: with an encoder.
        reader: of the attributes.
        judge: of images in [−1, 1] to logits of the classes; None for a model without classes,
            which shows no picture as another class.
        training: pictures to search.
        test: held-out ones.
        values: the flags.

    Returns:
        `attributes`, by name: `deviation`; `errors` of `random` pairs, of the `reader`, of pictures
        that were `transferred` and `retrieved`; the order of `morphed` ones; of each the `mean` and
        over how many `pairs`. `in_deviations`: the errors in the mean over attributes.
        `recognised`: the share that the judge takes for the class that they are shown as, or None.
    """
    import numpy as np

    from keras_cvaegan.metrics.attribute_distances import deviation
    from trainers.attributes import measures
    from trainers.evaluation.real_side import some_rows

    lot = np.random.default_rng(values.seed).permutation(len(test))
    drawn = test.take(np.sort(lot[: values.count]))
    own = reader.errors(drawn.images, drawn.values)
    errors = {
        "random": measures.random_pairs(test, values.seed),
        "reader": {name: {"mean": each, "pairs": len(drawn)} for name, each in own.items()},
    }
    recognised = None
    if judge is not None:
        print(f"Showing {len(drawn):,} pictures as other classes …", flush=True)
        errors["transferred"], recognised = measures.transferred(
            model, judge, reader, drawn, values.seed
        )
    rows = some_rows(len(training), values.searched)
    print(f"Searching {len(rows):,} pictures …", flush=True)
    errors["retrieved"] = measures.retrieved(model, drawn, training, rows, values.k)
    pairs = measures.pairs_within_classes(test.labels, values.pairs, values.seed)
    print(f"Morphing {len(pairs):,} pairs …", flush=True)
    orders = measures.morphed(model, reader, test, pairs, values.steps)
    by_name = {
        name: {
            "deviation": deviation(each),
            "errors": {of: figures[name] for of, figures in errors.items()},
            "morphed": orders[name],
        }
        for name, each in test.values.items()
    }
    return {
        "pictures": len(drawn),
        "attributes": by_name,
        "in_deviations": in_deviations(by_name),
        "recognised": recognised,
    }


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)

    import keras_cvaegan
    from keras_cvaegan.applications import inputs
    from keras_cvaegan.applications.inputs import need_network
    from keras_cvaegan.metrics.attribute_distances import is_angle
    from keras_cvaegan.training.run_directory import RunDirectory, read_json, write_json
    from trainers.attributes.measures import KnownPictures
    from trainers.evaluation.judge import open_judge
    from trainers.runs.data import open_data, read_config

    run = RunDirectory(run_dir)
    data = open_data(read_config(run))
    model = keras_cvaegan.load(run.finished_model())
    need_network(model, "encoder")
    prepared = {split: data.prepare(split) for split in ("train", "test")}
    description = prepared["test"].description
    inputs.check_data(model, description.class_names, description.image_shape)
    training, test = (KnownPictures.of(each) for each in prepared.values())
    reader = open_reader(run, data, training, values.reader_epochs)
    judge, about = None, None
    if model.conditional:
        judge, about = open_judge(run.evaluation_classifier, data)
    results = measure(model, reader, judge, training, test, values)
    verdicts = claims(results)
    path = run.path / "attribute_study.json"
    write_json(
        path,
        {
            "flags": COMMAND.settings(values),
            "model": type(model).__name__,
            "reader": read_json(run.path / "attribute_reader.json"),
            "judge": about,
            **results,
            "claims": verdicts,
        },
    )
    print(f"\n{table(results)}\n")
    angles = [name for name, each in test.values.items() if is_angle(each)]
    for line in [*notes(results, angles, test.kinds), *(claim["text"] for claim in verdicts)]:
        print(line)
    print_written(run.path, [path.name])


if __name__ == "__main__":
    COMMAND.run(main)
