"""The TFX pipeline: its components, run here or compiled, and what its latest run put out.

TFX is an extra that few environments can have: it is imported where it is needed, by `import_tfx`.
"""

from __future__ import annotations

import json
import logging
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import absl.logging
import tensorflow as tf

from datasets import tfrecords
from keras_cvaegan.models import MODELS
from keras_cvaegan.training import TrainingConfig
from trainers.command_line import record_flags
from trainers.command_line.training_config import training_config
from trainers.tfrecords import writing
from trainers.tfx import judging, module
from trainers.tfx.places import root, serving, thresholds

if TYPE_CHECKING:
    from absl.flags import FlagValues

# What the judge and the Evaluator need to know of the Examples.
_DATA_KEYS = ("class_names", "image_size", "seed")


def import_tfx() -> ModuleType:
    """Returns `tfx.v1`.

    Raises:
        ValueError: saying what to install, and where it can be.
    """
    try:
        from tfx import v1
    except ImportError as error:
        libc = " ".join(platform.libc_ver()) or "no glibc"
        raise ValueError(
            f"TFX cannot be imported ({error}). It needs an environment of its own, on Linux with "
            "glibc 2.39 or newer (Debian 13, Ubuntu 24.04) on x86-64 and Python 3.11 to 3.13: "
            "pip install -e '.[tfx]'; see docs/tfx.md. This is Python "
            f"{platform.python_version()} on {platform.machine()} with {libc}."
        ) from error
    return v1


def write_examples(values: FlagValues, image_size: int) -> tuple[str, list[str]]:
    """Returns the folder of the data's records and the class names; written where missing."""
    asked = writing.records_of(values, image_size, ("train", "test"))
    folder = f"{root(values)}/records/{values.dataset}-{image_size}px-{asked.digest()}"
    if not tf.io.gfile.exists(folder):
        print(f"Writing {values.dataset} as TFRecord files: {folder}", flush=True)
        writing.write(folder, asked, values)
    with tf.io.gfile.GFile(f"{folder}/{tfrecords.DESCRIPTION}") as file:
        return folder, json.loads(file.read())["class_names"]


def build(values: FlagValues) -> Any:
    """Returns the `tfx.dsl.Pipeline`, of which the records are there.

    Raises:
        ValueError: for flags that cannot be.
    """
    tfx = import_tfx()
    config, limits = training_config(values), thresholds(values)
    judging.check_thresholds(limits)
    conditional = MODELS[config.model].conditional
    if not conditional and "min_top1_accuracy" in limits:
        raise ValueError(
            f"--min_top1_accuracy is for models with classes. Received: --model={config.model}. "
            "Use --max_frechet_distance."
        )
    if not limits:
        print("Neither --min_top1_accuracy nor --max_frechet_distance: every model is blessed.")
    folder, class_names = write_examples(values, config.image_size)
    name = values.name or f"{values.dataset}-{config.model.replace('_', '-')}"
    base = root(values)
    metadata = None
    if values.compile == "none":
        database = f"{base}/metadata/{name}.db"
        metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(database)
    return tfx.dsl.Pipeline(
        pipeline_name=name,
        pipeline_root=f"{base}/artifacts/{name}",
        components=components(values, config, class_names, folder),
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=record_flags.beam_options(values) or ["--direct_num_workers=1"],
    )


def components(
    values: FlagValues, config: TrainingConfig, class_names: Sequence[str], records: str
) -> list[Any]:
    """Returns the components of the pipeline, in order.

    Args:
        values: flags of the program.
        config: configuration of the training.
        class_names: names of the classes of the data.
        records: folder of the TFRecord files.
    """
    tfx = import_tfx()
    from tfx.proto import example_gen_pb2

    from trainers.tfx import evaluator

    split = example_gen_pb2.Input.Split
    examples = tfx.components.ImportExampleGen(
        input_base=records,
        input_config=example_gen_pb2.Input(
            splits=[
                split(name="train", pattern="train-*"),
                split(name="eval", pattern="test-*"),
            ]
        ),
    )
    statistics = tfx.components.StatisticsGen(examples=examples.outputs["examples"])
    schema = tfx.components.SchemaGen(statistics=statistics.outputs["statistics"])
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    settings = {**config.to_json(), "class_names": list(class_names)}
    trainer = tfx.components.Trainer(
        run_fn="trainers.tfx.module.run_fn",
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        train_args=tfx.proto.TrainArgs(num_steps=config.steps),
        eval_args=tfx.proto.EvalArgs(),
        custom_config={name: settings[name] for name in (*module.TRAINING_KEYS, "class_names")},
    )
    data_config = json.dumps({name: settings[name] for name in _DATA_KEYS})
    judge = evaluator.JudgeTrainer(
        examples=examples.outputs["examples"],
        config=data_config,
        # Drawn flowers are many; of photographs there are few, so they are shifted and mirrored.
        augment=int(values.dataset != "petals"),
        max_examples=values.max_judged,
    )
    judged = evaluator.Evaluator(
        examples=examples.outputs["examples"],
        model=trainer.outputs["model"],
        judge=judge.outputs["judge"],
        config=data_config,
        thresholds=json.dumps(thresholds(values)),
        conditional=int(MODELS[config.model].conditional),
        samples=values.samples,
        seed=config.seed,
        max_examples=values.max_judged,
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=judged.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=serving(values))
        ),
    )
    return [examples, statistics, schema, validator, trainer, judge, judged, pusher]


def compile_for_kubeflow(pipeline: Any, values: FlagValues) -> None:
    """Writes the pipeline's definition.

    Raises:
        ValueError: for a file that is neither JSON nor YAML, or where kfp is missing.
    """
    tfx = import_tfx()
    output = Path(values.output).expanduser().resolve()
    if output.suffix not in (".json", ".yaml", ".yml"):
        raise ValueError(f"--output is a .json or .yaml file. Received: {values.output!r}.")
    try:
        runner = tfx.orchestration.experimental.KubeflowV2DagRunner
    except AttributeError as error:
        raise ValueError(
            "The Kubeflow compiler needs kfp: pip install 'kfp>=2.6,<2.17' into the environment of "
            "TFX; see docs/tfx.md."
        ) from error
    config = tfx.orchestration.experimental.KubeflowV2DagRunnerConfig(default_image=values.image)
    output.parent.mkdir(parents=True, exist_ok=True)
    runner(config=config, output_dir=str(output.parent), output_filename=output.name).run(pipeline)
    print(f"Pipeline: {shlex.quote(str(output))}")


def show_components() -> None:
    """Lets through, of all that TFX logs, which component runs, and errors."""

    def passes(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or str(record.msg).startswith("Component ")

    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(passes)
    logger = logging.getLogger("absl")
    logger.handlers, logger.propagate = [handler], False
    # By absl, since libraries that silence it for a while restore the level that it knows.
    absl.logging.set_verbosity(absl.logging.INFO)


def outputs(pipeline: Any) -> dict[str, Any]:
    """Returns what the latest run of a pipeline put out, its cached artifacts too, by type."""
    from ml_metadata.metadata_store import MetadataStore

    store = MetadataStore(pipeline.metadata_connection_config)
    latest = max(store.get_contexts_by_type("pipeline_run"), key=lambda run: run.id)
    return {artifact.type: artifact for artifact in store.get_artifacts_by_context(latest.id)}


def report(pipeline: Any) -> None:
    """Says what the Evaluator found of this run's model, and where that was pushed."""
    found = outputs(pipeline)
    evaluation = Path(found["ModelEvaluation"].uri) / "evaluation.json"
    results = json.loads(evaluation.read_text("utf-8"))
    for name in ("top1_accuracy", "frechet_distance"):
        if name in results["generated"]:
            sides = (f"{side} {results[side][name]:.4g}" for side in ("generated", "real"))
            print(f"{name:<18} {', '.join(sides)}")
    print(f"Evaluation: {shlex.quote(str(evaluation))}")
    if not results["blessed"]:
        print(f"NOT BLESSED, not pushed: {'; '.join(results['failures'])}")
        return
    pushed = found["PushedModel"].custom_properties["pushed_destination"].string_value
    print(f"BLESSED. SavedModel: {shlex.quote(pushed)}")


def run_here(pipeline: Any, values: FlagValues) -> None:
    """Runs the pipeline on this machine, and says what the Evaluator found.

    Args:
        pipeline: pipeline that `build` returns.
        values: flags of the program.
    """
    Path(root(values), "metadata").mkdir(parents=True, exist_ok=True)
    show_components()
    import_tfx().orchestration.LocalDagRunner().run(pipeline)
    report(pipeline)
