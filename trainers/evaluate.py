"""Measures a trained model: recognition of its samples, and reconstruction of held-out pictures.

A classifier of the real training pictures, trained once and kept, is the judge.
"""

import json
import shlex
import time
from typing import TYPE_CHECKING, Any

import numpy as np

import datasets
from keras_cvaegan import pictures
from trainers import command_line, configuration

if TYPE_CHECKING:
    import keras
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel
    from keras_cvaegan.training.run_directory import RunDirectory

COMMAND = command_line.Command("trainers.evaluate", __doc__)
command_line.run_dir_flag(COMMAND)
with COMMAND.section("Samples"):
    COMMAND.integer("samples_per_class", 100, "generated pictures a class", lower_bound=1)
    COMMAND.integer("seed", 0, "of the generated pictures", lower_bound=0, upper_bound=2**32 - 1)
    COMMAND.integer("max_test_images", 10_000, "most held-out pictures to use", lower_bound=1)


def judge(
    run: "RunDirectory", config: dict[str, Any], num_classes: int
) -> tuple["keras.Model", dict[str, Any]]:
    """Returns the classifier of the real data and what it is, trained where it is not kept yet."""
    import keras

    from keras_cvaegan.metrics import recognition
    from keras_cvaegan.training.run_directory import write_json

    source = configuration.data_source(config)
    # Drawn flowers are many; of photographs there are few, so they are shifted and mirrored.
    augment = config["dataset"] != "petals"
    about = {
        "name": "residual network on the real training pictures",
        "version": recognition.VERSION,
        "data": {**configuration.data_arguments(config), "key": source.key},
        "augmentation": augment,
    }
    about = json.loads(json.dumps(about))
    kept, description = run.evaluation_classifier, run.evaluation_classifier.with_suffix(".json")
    if kept.is_file() and description.is_file():
        if json.loads(description.read_text("utf-8")) == about:
            return keras.saving.load_model(kept, compile=False), about
        print("The kept classifier is of other data: training another.")
    print(
        f"Training a classifier on {source.count:,} real pictures, until it no longer improves …",
        flush=True,
    )
    began = time.monotonic()
    real = {
        split: datasets.prepare(split=split, **configuration.data_arguments(config))
        for split in ("train", "validation")
    }
    keras.config.set_dtype_policy("float32")
    classifier = recognition.train_classifier(
        (real["train"].images, real["train"].labels),
        (real["validation"].images, real["validation"].labels),
        num_classes,
        augment=augment,
        verbose=2,
    )
    print(f"… done in {time.monotonic() - began:.0f} s: {kept}")
    description.unlink(missing_ok=True)
    partial = run.path / ".partial_classifier.keras"
    classifier.save(partial)
    partial.replace(kept)
    write_json(description, about)
    return classifier, about


def reconstruction(
    model: "GenerativeModel", images: np.ndarray, labels: np.ndarray
) -> tuple[float, float]:
    """Returns mean squared error (in units of [−1, 1]) and mean PSNR (in dB) of reconstructions."""
    errors = []
    for start in range(0, len(images), 256):
        rows = slice(start, start + 256)
        difference = model.reconstruct(images[rows], labels[rows]) - pictures.from_uint8(
            images[rows]
        )
        errors.append(np.mean(np.square(difference, dtype=np.float64), axis=(1, 2, 3)))
    errors = np.concatenate(errors)
    return float(errors.mean()), float(np.mean(10 * np.log10(4 / np.maximum(errors, 1e-12))))


def main(values: "FlagValues") -> None:
    run_dir = command_line.required_run_dir(values)

    import keras_cvaegan
    from keras_cvaegan.metrics import recognition
    from keras_cvaegan.training.checkpoints import steps_taken
    from keras_cvaegan.training.run_directory import RunDirectory, write_json

    run = RunDirectory(run_dir)
    config = run.read_config()["config"]
    model = keras_cvaegan.load(run.finished_model())
    test = datasets.prepare(split="test", **configuration.data_arguments(config))
    names = test.description.class_names
    if names != model.class_names:
        raise ValueError(
            f"The data have {len(names)} classes, {', '.join(names[:10])} …, the model "
            f"{model.num_classes}: {', '.join(model.class_names[:10])} …. They must be the same: "
            "have the data changed since the training?"
        )
    classifier, about = judge(run, config, model.num_classes)

    # Evenly over the split, which may be in the order of the classes.
    count = min(len(test.labels), values.max_test_images)
    chosen = np.linspace(0, len(test.labels) - 1, count).astype(int)
    images, labels = test.images[chosen], test.labels[chosen]
    real = recognition.recognise(classifier, images)
    wanted = np.repeat(np.arange(model.num_classes), values.samples_per_class)
    generated = recognition.recognise(classifier, model.generate(wanted, seed=values.seed))
    error, psnr = reconstruction(model, images, labels)

    by_class = {
        "real": recognition.top1_by_class(real, labels, len(names)),
        "generated": recognition.top1_by_class(generated, wanted, len(names)),
    }
    results = {
        "generated": {
            "top1_accuracy": float(np.mean(generated == wanted)),
            "top1_accuracy_by_class": dict(zip(names, by_class["generated"], strict=True)),
            "reconstruction_mse": error,
            "reconstruction_psnr": psnr,
        },
        "real": {
            "top1_accuracy": float(np.mean(real == labels)),
            "top1_accuracy_by_class": dict(zip(names, by_class["real"], strict=True)),
        },
        "extractor": about,
        "samples": {
            "generated_per_class": values.samples_per_class,
            "generated": len(wanted),
            "seed": values.seed,
            "real": count,
            "real_split": "test",
            "step": steps_taken(model),
        },
    }
    write_json(run.evaluation, results)

    print(f"\n{'Top-1 accuracy':<30}{'real':>10}{'generated':>12}")
    for name, *shares in zip(names, by_class["real"], by_class["generated"], strict=True):
        print(
            f"  {name:<28}"
            + "".join(f"{_share(x):>{w}}" for x, w in zip(shares, (10, 12), strict=True))
        )
    overall = results["real"]["top1_accuracy"], results["generated"]["top1_accuracy"]
    print(f"{'all':<30}{overall[0]:>10.3f}{overall[1]:>12.3f}")
    print(f"Reconstruction of {count} test pictures: MSE {error:.4f}, PSNR {psnr:.1f} dB")
    print(f"Written to {shlex.quote(str(run.evaluation))}")


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    COMMAND.run(main)
