"""Trains, judges and pushes a generator by a TFX pipeline, run here or compiled for Kubeflow.

ImportExampleGen → StatisticsGen → SchemaGen → ExampleValidator → Trainer → Evaluator → Pusher, on
the data as TFRecord files. A model that misses a threshold is refused and not pushed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.command_line import flags, record_flags
from trainers.command_line.command import TRAINING_ENVIRONMENT, Command
from trainers.command_line.training_flags import TRAINING
from trainers.tfx import places

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.tfx.pipeline", __doc__, TRAINING_ENVIRONMENT)
flags.data_flags(COMMAND)
record_flags.record_flags(COMMAND)
with COMMAND.section("Model"):
    COMMAND.adopt(TRAINING, *("model", "preset", "latent_dim", "set"))
with COMMAND.section("Training"):
    COMMAND.adopt(TRAINING, *("steps", "batch_size", "learning_rate", "beta_1", "seed"))
    COMMAND.adopt(TRAINING, *("dtype_policy", "horizontal_flip", "log_every"))
with COMMAND.section("Evaluation"):
    COMMAND.number(
        "min_top1_accuracy",
        None,
        "refuse a model of whose samples the judge recognises a smaller share (default: no limit)",
        lower_bound=0,
        upper_bound=1,
    )
    COMMAND.number(
        "max_frechet_distance",
        None,
        "refuse a model whose samples are further from the eval Examples (default: no limit)",
        lower_bound=0,
    )
    COMMAND.integer("samples", 2_000, "pictures to generate and judge", lower_bound=2)
    COMMAND.integer(
        "max_judged",
        50_000,
        "most Examples of a split that the judge learns from, or samples are compared with; they "
        "are held in memory",
        lower_bound=20,
    )
with COMMAND.section("Pipeline"):
    COMMAND.string("root", None, "folder of records, artifacts, metadata and serving (required)")
    COMMAND.string("name", None, "name of the pipeline (default: DATASET-MODEL)")
    COMMAND.string(
        "serving_dir", None, "folder that the Pusher puts versions into (default: ROOT/serving)"
    )
    COMMAND.enum(
        "compile",
        "none",
        ("none", "kubeflow"),
        "none: run the pipeline here\n"
        "kubeflow: write its definition for Kubeflow Pipelines and Vertex AI, and run nothing",
    )
    COMMAND.string("output", "pipeline.json", "kubeflow only: file to write, .json or .yaml")
    COMMAND.string("image", None, "kubeflow only: container with TFX and this checkout (required)")


def main(values: FlagValues) -> None:
    places.check_places(values)

    from trainers.tfx import building

    building.import_tfx()
    # The components' modules are found by name from processes that start elsewhere.
    sys.path.insert(0, str(Path(__file__).parents[2]))
    pipeline = building.build(values)
    if values.compile == "kubeflow":
        building.compile_for_kubeflow(pipeline, values)
    else:
        building.run_here(pipeline, values)


if __name__ == "__main__":
    COMMAND.run(main)
