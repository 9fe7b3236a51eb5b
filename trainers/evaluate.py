"""Measures a trained model beside held-out pictures, and writes evaluation.json and report.html.

A classifier of the real training pictures, made once and kept, is the judge.
"""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

METRICS = (
    *("top1_accuracy", "inception_score", "frechet_distance", "kernel_distance"),
    *("precision", "recall", "density", "coverage"),
    *("intra_class_frechet_distance", "intra_class_diversity", "novelty"),
    *("reconstruction", "transfer"),
)
EXTRACTORS = ("classifier", "inception")

COMMAND = Command("trainers.evaluate", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Samples"):
    COMMAND.integer("samples_per_class", 100, "generated pictures a class", lower_bound=1)
    COMMAND.integer(
        "seed", 0, "seed of the generated pictures", lower_bound=0, upper_bound=2**32 - 1
    )
with COMMAND.section("Real pictures"):
    COMMAND.integer(
        "max_test_images",
        10_000,
        "most held-out pictures to use. They and the samples are both compared with all training "
        "pictures: what held-out ones reach is what a perfect model would with as many samples",
        lower_bound=1,
    )
with COMMAND.section("Measures"):
    COMMAND.string(
        "metrics",
        None,
        f"measures to compute, of {', '.join(METRICS)}; the others are left out of the file "
        "(default: all)",
    )
    flags.judge_flag(COMMAND)
    COMMAND.enum(
        "extractor",
        "classifier",
        EXTRACTORS,
        "source of the features that are compared\n"
        "classifier: the judge; downloads nothing\n"
        "inception: Inception-v3 of ImageNet, for figures of the kind that papers report "
        "(downloads 96 MB; slow without a GPU)",
    )
    COMMAND.string("inception_weights", None, "file of Keras with them, where it is there already")
    COMMAND.boolean(
        "cas",
        False,
        "measure the classification accuracy score, too: train a classifier on the samples alone, "
        "which takes minutes or more, and wants samples like the training pictures in number",
    )


def parse_metrics(text: str | None) -> tuple[str, ...] | None:
    """Returns the names in `--metrics`, or None where it was not given.

    Raises:
        ValueError: for a name that is not one of `METRICS`.
    """
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in METRICS:
            raise ValueError(f"--metrics takes names of {', '.join(METRICS)}. Received: {name!r}.")
    return names


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)
    names = parse_metrics(values.metrics)

    from trainers.evaluation import evaluating

    began = time.monotonic()
    evaluated = evaluating.evaluate(
        run_dir,
        names=names,
        judge=values.judge,
        extractor=values.extractor,
        inception_weights=values.inception_weights,
        samples_per_class=values.samples_per_class,
        max_test_images=values.max_test_images,
        seed=values.seed,
        cas=values.cas,
    )
    print(f"\n{evaluated.table}\n\nIn {time.monotonic() - began:.0f} s, compared by:", end=" ")
    print(evaluated.compared_by)
    print(f"Written to {shlex.quote(str(evaluated.path))}")
    print(f"Report: {shlex.quote(str(evaluated.report))}")


if __name__ == "__main__":
    COMMAND.run(main)
