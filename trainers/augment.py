"""Generates pictures to train other networks with: of a model's classes, and of new ones.

Section 5.5 of Bao et al. 2017. Each class gets as many, or the rare ones as many as they lack; a
new class is a mix of three.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import keras_cvaegan
from trainers.command_line import flags
from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.augment", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Pictures"):
    COMMAND.integer("per_class", None, "pictures of each class", lower_bound=1)
    COMMAND.boolean(
        "fill",
        False,
        "add as many pictures of each class as it lacks to the one with most training pictures",
    )
    COMMAND.integer("new_classes", 0, "new classes, each a mix of three", lower_bound=0)
    COMMAND.integer("new_per_class", 100, "pictures of each new class", lower_bound=1)
    COMMAND.enum(
        "mix_weights",
        "equal",
        ("equal", "random"),
        "parts of the three classes in a new one, of which the paper says nothing",
    )
    flags.seed_flag(COMMAND, "seed of the pictures; another seed, other pictures")
with COMMAND.section("Judgement"):
    COMMAND.number(
        "min_confidence",
        None,
        "probability that the judge must give the class asked for, as in 0.9, or the picture is "
        "rejected (default: none is rejected); those of new classes are not judged",
        lower_bound=1e-6,
        upper_bound=1.0,
    )
    COMMAND.enum(
        "judge",
        "model",
        ("model", "real"),
        "model: the model's own classifier, which it was trained to please\n"
        "real: a classifier of the real training pictures alone, as trainers.evaluate trains and "
        "keeps it",
    )
    COMMAND.integer(
        "max_tries", 10, "pictures to draw, for each that is asked for, at most", lower_bound=1
    )
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder to make, or of an earlier call to replace, with manifest.json and "
        "train/CLASS/*.png as --dataset=folder reads them (default: RUN_DIR/augmented)",
    )
    COMMAND.boolean("tfrecords", False, "write TFRecord files besides, to OUTPUT/tfrecords")
    COMMAND.integer("shards", 4, "TFRecord files", lower_bound=1)


def check(values: "FlagValues") -> None:
    """Checks flags against each other.

    Raises:
        ValueError: where nothing, or two things for the same classes, are asked for.
    """
    if values.fill and values.per_class is not None:
        raise ValueError("--per_class and --fill both say how many pictures: choose one of them.")
    if not values.fill and values.per_class is None and not values.new_classes:
        raise ValueError(
            "Nothing is asked for: give --per_class=N or --fill, or --new_classes=M, or both kinds."
        )


def main(values: "FlagValues") -> int:
    run_dir = flags.required_run_dir(values)
    check(values)

    from trainers.applications import augmentation, augmented_folder

    output = Path(values.output or Path(run_dir) / "augmented").expanduser()
    augmented_folder.check_output(output)
    model = keras_cvaegan.load(run_dir)
    num_classes = len(model.class_names)
    counts = augmentation.class_counts(
        run_dir,
        num_classes,
        per_class=values.per_class,
        fill=values.fill,
        new_classes=values.new_classes,
    )
    judge = None
    if values.min_confidence is not None and values.judge == "real":
        judge = augmentation.real_judge(run_dir)
    pictures, mixes = augmentation.generate(
        model,
        counts,
        new_classes=values.new_classes,
        new_per_class=values.new_per_class,
        mix_weights=values.mix_weights,
        seed=values.seed,
        min_confidence=values.min_confidence,
        judge=judge,
        max_tries=values.max_tries,
    )
    about = {
        "model": {
            "run_dir": str(Path(run_dir).expanduser().absolute()),
            "name": type(model).__name__,
            "step": int(model.step),
        },
        "flags": COMMAND.settings(values),
        "seed": values.seed,
    }
    manifest = augmented_folder.write(
        pictures,
        mixes,
        model.class_names,
        output,
        about,
        image_size=model.image_shape[0],
        shards=values.shards if values.tfrecords else None,
    )
    print(augmented_folder.summary(manifest["classes"], output))
    if manifest["few"]:
        print(f"Note: {manifest['few']}")
    return 1 if manifest["few"] else 0


if __name__ == "__main__":
    COMMAND.run(main)
