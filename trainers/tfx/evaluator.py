"""The components `JudgeTrainer` and `Evaluator`: what decides whether a generator is served.

TFX's own Evaluator measures a model's predictions example by example. A generator has none: what
is measured is the set of its samples, against the set of real pictures. `Evaluator` measures them
by `trainers.tfx.judging` and writes the `ModelBlessing` that TFX's Pusher heeds.

This file imports TFX: import it where TFX is known to be there.
"""

import json
import tempfile

import keras
import tensorflow as tf
from tfx import v1 as tfx
from tfx.types import artifact_utils
from tfx.utils import path_utils

from trainers.tfx import judging, module

Examples = tfx.types.standard_artifacts.Examples
Model = tfx.types.standard_artifacts.Model
ModelBlessing = tfx.types.standard_artifacts.ModelBlessing
ModelEvaluation = tfx.types.standard_artifacts.ModelEvaluation

_JUDGE_FILE = "judge.keras"


@tfx.dsl.components.component
def JudgeTrainer(
    examples: tfx.dsl.components.InputArtifact[Examples],
    judge: tfx.dsl.components.OutputArtifact[Model],
    config: tfx.dsl.components.Parameter[str],
    augment: tfx.dsl.components.Parameter[int],
    max_examples: tfx.dsl.components.Parameter[int],
):
    """Trains the judge on the split "train".

    Its figures are comparable as long as the judge is the same one, which TFX's cache keeps as long
    as the Examples are.

    Args:
        examples: Examples with a split "train".
        judge: artifact that gets `judge.keras`.
        config: JSON for `module.parse`, of the data's features, size and classes.
        augment: number 1 to shift and mirror pictures, else 0.
        max_examples: largest number of Examples to learn from.
    """
    classifier = judging.train_judge(
        _patterns(examples, "train"),
        module.parse(json.loads(config))[1],
        augment=bool(augment),
        max_examples=max_examples,
    )
    tf.io.gfile.makedirs(judge.uri)
    # Keras writes a local file, which is then copied to wherever TFX keeps artifacts.
    with tempfile.TemporaryDirectory() as folder:
        classifier.save(f"{folder}/{_JUDGE_FILE}")
        tf.io.gfile.copy(f"{folder}/{_JUDGE_FILE}", f"{judge.uri}/{_JUDGE_FILE}", overwrite=True)


@tfx.dsl.components.component
def Evaluator(
    examples: tfx.dsl.components.InputArtifact[Examples],
    model: tfx.dsl.components.InputArtifact[Model],
    judge: tfx.dsl.components.InputArtifact[Model],
    blessing: tfx.dsl.components.OutputArtifact[ModelBlessing],
    evaluation: tfx.dsl.components.OutputArtifact[ModelEvaluation],
    config: tfx.dsl.components.Parameter[str],
    thresholds: tfx.dsl.components.Parameter[str],
    conditional: tfx.dsl.components.Parameter[int],
    samples: tfx.dsl.components.Parameter[int],
    seed: tfx.dsl.components.Parameter[int],
    max_examples: tfx.dsl.components.Parameter[int],
):
    """Measures a SavedModel against the split "eval", and blesses or refuses it.

    Args:
        examples: Examples with a split "eval".
        model: model whose SavedModel is measured by its signature `generate`.
        judge: judge of `JudgeTrainer`.
        blessing: artifact that gets a file BLESSED or NOT_BLESSED and the custom property
            `blessed`, 1 or 0.
        evaluation: artifact that gets `evaluation.json`: figures, thresholds and verdict.
        config: JSON for `module.parse`, as for the judge.
        thresholds: JSON of numbers by the names of `judging.THRESHOLDS`.
        conditional: number 0 for a model without classes, else 1.
        samples: number of pictures to generate.
        seed: seed of the samples.
        max_examples: largest number of eval Examples to use.
    """
    limits = json.loads(thresholds)
    judging.check_thresholds(limits)
    results = judging.evaluate(
        path_utils.serving_model_path(model.uri),
        _load_judge(judge.uri),
        _patterns(examples, "eval"),
        module.parse(json.loads(config))[1],
        conditional=bool(conditional),
        samples=samples,
        seed=seed,
        max_examples=max_examples,
    )
    refused = judging.write_verdict(results, limits, evaluation.uri)
    blessing.set_int_custom_property("blessed", int(not refused))
    blessing.set_string_custom_property("current_model", model.uri)
    blessing.set_int_custom_property("current_model_id", model.id)
    tf.io.gfile.makedirs(blessing.uri)
    name = "NOT_BLESSED" if refused else "BLESSED"
    with tf.io.gfile.GFile(f"{blessing.uri}/{name}", "w") as file:
        file.write("\n".join(refused))
    print(f"{name}: {'; '.join(refused) or 'all thresholds are met'}", flush=True)


def _patterns(examples: Examples, split: str) -> list[str]:
    return [f"{artifact_utils.get_split_uri([examples], split)}/*"]


def _load_judge(uri: str) -> keras.Model:
    with tempfile.TemporaryDirectory() as folder:
        tf.io.gfile.copy(f"{uri}/{_JUDGE_FILE}", f"{folder}/{_JUDGE_FILE}")
        return keras.saving.load_model(f"{folder}/{_JUDGE_FILE}", compile=False)
