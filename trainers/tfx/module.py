"""Trains a generator in TFX: the module file of a `Trainer` component.

    Trainer(module_file="module.py", custom_config={"class_names": [...], "image_size": 64}, …)

`custom_config` has the names of `Config`. The file needs nothing but keras_cvaegan, so that a
pipeline elsewhere can take it alone; it imports where TFX is not installed.
"""

import contextlib
import dataclasses
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan.export import write_saved_model
from keras_cvaegan.models import MODELS, GenerativeModel
from keras_cvaegan.networks import Preset
from keras_cvaegan.networks import preset as find_preset
from keras_cvaegan.pictures import graph
from keras_cvaegan.training import progress, records
from keras_cvaegan.training.checkpoints import steps_taken
from keras_cvaegan.training.stopping import StopOnNaN

HEIGHT_KEY, WIDTH_KEY = "image/height", "image/width"
IMAGE_FORMATS = ("encoded", "raw")
DTYPE_POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
# What Google's training services put beside a user's own keys.
_FOREIGN_PREFIX = "ai_platform_"

Batch = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Config:
    """What `custom_config` may say.

    Args:
        class_names: one name a class, in the order of the labels.
        num_classes: number of classes, where they have no names. An unconditional model needs
            neither.
        model: a name of `keras_cvaegan.models.MODELS`.
        preset: a name of `keras_cvaegan.networks.PRESETS`.
        image_size: side in pixels; the preset's by default.
        latent_dim: dimensions of z; the preset's by default.
        batch_size: images an update; the preset's by default.
        learning_rates: one for all networks, or a dictionary by network; by default those of the
            model's paper or the preset.
        beta_1: of Adam; the preset's by default.
        objective: weights of the objective and the like, by name.
        seed: of weights, order of data and noise.
        dtype_policy: precision of the layers.
        horizontal_flip: whether training mirrors each picture with probability ½.
        log_every: steps between lines of the log, of which the steps are a multiple.
        shuffle_buffer: examples among which the next one is drawn.
        image_key: feature of the picture: bytes.
        label_key: feature of the class: one integer.
        image_format: "encoded" for JPEG, PNG, GIF, BMP or WebP files; "raw" for uint8 values,
            height × width × 3 of them, beside the integers `image/height` and `image/width`.

    Raises:
        ValueError: for a value that is not allowed.
    """

    class_names: Sequence[str] | None = None
    num_classes: int | None = None
    model: str = "cvae_gan"
    preset: str = "compact"
    image_size: int | None = None
    latent_dim: int | Sequence[int] | None = None
    batch_size: int | None = None
    learning_rates: float | Mapping[str, float] | None = None
    beta_1: float | None = None
    objective: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0
    dtype_policy: str = "float32"
    horizontal_flip: bool = False
    log_every: int | None = None
    shuffle_buffer: int = 10_000
    image_key: str = "image/encoded"
    label_key: str = "image/class/label"
    image_format: str = "encoded"

    @classmethod
    def of(cls, custom_config: Mapping[str, Any] | None) -> "Config":
        """Returns what a `custom_config` says.

        Raises:
            ValueError: for a key that is not known, or a value that is not allowed.

        Example:

        >>> Config.of({"num_classes": 3, "preset": "compact"}).size
        32
        """
        own = {
            key: value
            for key, value in (custom_config or {}).items()
            if not key.startswith(_FOREIGN_PREFIX)
        }
        known = [field.name for field in dataclasses.fields(cls)]
        for key in own:
            if key not in known:
                raise ValueError(
                    f"custom_config does not know {key!r}. Allowed: {', '.join(known)}."
                )
        return cls(**own)

    def __post_init__(self) -> None:
        for name, choices in (
            ("model", tuple(MODELS)),
            ("dtype_policy", DTYPE_POLICIES),
            ("image_format", IMAGE_FORMATS),
        ):
            self._check(name, getattr(self, name) in choices, f"one of {', '.join(choices)}")
        find_preset(self.preset)
        for name in ("num_classes", "image_size", "batch_size", "log_every"):
            value = getattr(self, name)
            self._check(name, value is None or _is_integer(value, 1), "an integer of at least 1")
        dims = self.latent_dim if isinstance(self.latent_dim, list | tuple) else [self.latent_dim]
        self._check(
            "latent_dim",
            self.latent_dim is None or all(_is_integer(value, 1) for value in dims),
            "an integer of at least 1, or, for a model of two codes, a list of two",
        )
        self._check("shuffle_buffer", _is_integer(self.shuffle_buffer, 1), "an integer above 0")
        self._check(
            "seed", _is_integer(self.seed, 0) and self.seed < 2**31, "an integer from 0 to 2³¹ − 1"
        )
        self._check("horizontal_flip", isinstance(self.horizontal_flip, bool), "true or false")
        for name in ("image_key", "label_key"):
            self._check(name, isinstance(getattr(self, name), str), "the name of a feature")
        self._check("label_key", self.label_key != self.image_key, "another than image_key")
        self._check_classes()
        self._check_objective()

    def _check(self, name: str, fine: bool, allowed: str) -> None:
        if not fine:
            raise ValueError(
                f"custom_config[{name!r}] must be {allowed}. Received: {getattr(self, name)!r}."
            )

    def _check_classes(self) -> None:
        if not self.conditional:
            return
        names, count = self.class_names, self.num_classes
        fine = names is None or (
            isinstance(names, Sequence)
            and not isinstance(names, str)
            and len(names) > 0
            and all(isinstance(name, str) for name in names)
        )
        self._check("class_names", fine, "a list of names, one a class")
        if names is None and count is None:
            raise ValueError(
                f"The model {self.model!r} learns classes: custom_config needs class_names, a list "
                "of names in the order of the labels, or num_classes. Received: neither."
            )
        if names is not None and count not in (None, len(names)):
            raise ValueError(
                f"custom_config has {len(names)} class_names and num_classes={count}: leave one of "
                "them out."
            )

    def _check_objective(self) -> None:
        self._check("objective", isinstance(self.objective, Mapping), "a dictionary by name")
        allowed = sorted(MODELS[self.model].hyperparameters(self.preset))
        for name in self.objective:
            if name not in allowed:
                raise ValueError(
                    f"custom_config['objective'] does not know {name!r} for the model "
                    f"{self.model!r}. Allowed: {', '.join(allowed)}."
                )
        networks, rates = MODELS[self.model].optimizer_names(), self.learning_rates
        by_network = isinstance(rates, Mapping) and set(rates) <= set(networks)
        values = list(rates.values()) if by_network else [0 if rates is None else rates]
        self._check(
            "learning_rates",
            all(_is_number(value) and value >= 0 for value in values),
            f"a number of at least 0, or such numbers by network, of {', '.join(networks)}",
        )
        beta_1 = self.beta_1
        self._check(
            "beta_1", beta_1 is None or (_is_number(beta_1) and 0 <= beta_1 < 1), "in [0, 1)"
        )

    @property
    def conditional(self) -> bool:
        """Whether the model has classes."""
        return MODELS[self.model].conditional

    @property
    def classes(self) -> int:
        """Number of classes; 1 for an unconditional model."""
        if not self.conditional:
            return 1
        return self.num_classes if self.class_names is None else len(self.class_names)

    @property
    def found_preset(self) -> Preset:
        """The preset."""
        return find_preset(self.preset)

    @property
    def size(self) -> int:
        """Side of the pictures, in pixels."""
        return self.image_size or MODELS[self.model].default_image_size(self.found_preset)

    def as_json(self) -> dict[str, Any]:
        """Returns the values as JSON can have them."""
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in vars(self).items()
        }

    def make_model(self, steps_per_execution: int) -> GenerativeModel:
        """Returns the compiled model.

        Raises:
            ValueError: for values that the model or the preset's networks cannot take.
        """
        keras.config.set_dtype_policy(self.dtype_policy)
        kind = MODELS[self.model]
        model = kind.from_preset(
            self.preset,
            image_shape=(self.size, self.size, 3),
            num_classes=self.classes,
            class_names=self.class_names,
            latent_dim=self.latent_dim,
            seed=self.seed,
            horizontal_flip=self.horizontal_flip,
            **self.objective,
        )
        rates = kind.default_learning_rates(self.found_preset)
        given = self.learning_rates
        if given is not None:
            rates |= given if isinstance(given, Mapping) else dict.fromkeys(rates, given)
        beta_1 = kind.default_beta_1(self.found_preset) if self.beta_1 is None else self.beta_1
        model.compile(model.make_optimizers(rates, beta_1), steps_per_execution=steps_per_execution)
        return model


def _is_integer(value: Any, minimum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def run_fn(fn_args: Any) -> None:
    """Trains a model and writes it for serving: what TFX's `Trainer` calls.

    `serving_model_dir` gets the SavedModel of `keras_cvaegan.export`, `model_run_dir` the event
    files of TensorBoard, `model.keras`, sample pictures, `metrics.jsonl` and, of the eval files,
    `validation.json`.

    Args:
        fn_args: TFX's `FnArgs`. Read are train_files, eval_files, train_steps (by default the
            preset's), eval_steps (by default all), data_accessor, serving_model_dir, model_run_dir
            and custom_config: see `Config`.

    Raises:
        ValueError: for a custom_config that is not allowed, or Examples that cannot be used.
    """
    config = Config.of(fn_args.custom_config)
    steps = fn_args.train_steps or config.found_preset.steps
    log_every = _log_every(config, steps)
    accessor = fn_args.data_accessor
    for patterns in (fn_args.train_files, fn_args.eval_files):
        check_examples(patterns, config, accessor)
    model = config.make_model(steps_per_execution=log_every)
    batch_size = (config.batch_size or config.found_preset.batch_size) * model.batches_per_step
    with tempfile.TemporaryDirectory() as work:
        with unusable_examples_as_value_errors():
            model.fit(
                training_batches(fn_args.train_files, config, batch_size, accessor),
                epochs=steps // log_every,
                steps_per_epoch=log_every,
                shuffle=False,
                verbose=0,
                callbacks=_callbacks(Path(work), fn_args.model_run_dir, steps, batch_size),
            )
            dataset = _eval_batches(fn_args.eval_files, config, fn_args.eval_steps, accessor)
            figures = _validate(model, dataset)
        (Path(work) / "validation.json").write_text(json.dumps(figures, indent=2), "utf-8")
        records.write_samples(model, Path(work) / "samples")
        model.save(Path(work) / "model.keras")
        copy_tree(Path(work), fn_args.model_run_dir)
    with tempfile.TemporaryDirectory() as work:
        extra = {"config": {**config.as_json(), "steps": steps}}
        write_saved_model(model, Path(work) / "model", extra_config=extra)
        copy_whole(Path(work) / "model", fn_args.serving_model_dir)


def _log_every(config: Config, steps: int) -> int:
    """Returns the steps of an epoch: a divisor of all."""
    if config.log_every is None:
        return max(count for count in range(1, min(25, steps) + 1) if steps % count == 0)
    if steps % config.log_every:
        raise ValueError(
            f"train_steps must be a multiple of custom_config['log_every']={config.log_every}. "
            f"Received: {steps}."
        )
    return config.log_every


def _callbacks(
    work: Path, run_dir: str, steps: int, batch_size: int
) -> list[keras.callbacks.Callback]:
    samples = records.SampleGrid(work / "samples", min(500, steps))
    return [
        StopOnNaN(),
        progress.Speed(batch_size),
        progress.LossScale(),
        progress.ProgressLine(steps, batch_size),
        records.MetricsWriter(work / "metrics.jsonl"),
        samples,
        records.TensorBoard(run_dir, samples),
    ]


def _validate(model: GenerativeModel, dataset: tf.data.Dataset) -> dict[str, float]:
    """Returns the means of the model's measures."""
    figures = model.evaluate(dataset, verbose=0, return_dict=True)
    figures = {name: float(value) for name, value in figures.items()}
    line = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
    print(f"eval Examples at step {steps_taken(model)}: {line}", flush=True)
    return figures


def training_batches(
    patterns: Sequence[str], config: Config, batch_size: int, accessor: Any = None
) -> tf.data.Dataset:
    """Returns shuffled batches without end: images, uint8 (b, size, size, 3), and labels (b,)."""
    rows = _rows(patterns, config, accessor, shuffle=True).repeat()
    return _decoded(rows.rebatch(batch_size, drop_remainder=True), config)


def batches(
    patterns: Sequence[str], config: Config, batch_size: int = 256, accessor: Any = None
) -> tf.data.Dataset:
    """Returns all Examples once, in batches: images, uint8 (b, size, size, 3), and labels (b,)."""
    rows = _rows(patterns, config, accessor, shuffle=False)
    return _decoded(rows.rebatch(batch_size, drop_remainder=False), config)


def _eval_batches(
    patterns: Sequence[str], config: Config, steps: int | None, accessor: Any
) -> tf.data.Dataset:
    """Returns batches of a known number, which Keras warns without."""
    found = batches(patterns, config, accessor=accessor)
    if steps is not None:
        return found.repeat().take(steps)
    count = found.reduce(np.int64(0), lambda count, batch: count + 1)
    return found.apply(tf.data.experimental.assert_cardinality(count))


def check_examples(patterns: Sequence[str], config: Config, accessor: Any = None) -> None:
    """Reads the first batch.

    Raises:
        ValueError: when there is none, or it cannot be used.
    """
    with unusable_examples_as_value_errors():
        for _ in batches(patterns, config, accessor=accessor).take(1):
            return
    raise ValueError(
        f"There are no Examples in {', '.join(patterns)}. Give TFRecord files that hold some."
    )


@contextlib.contextmanager
def unusable_examples_as_value_errors() -> Iterator[None]:
    """Around the reading of Examples: what TensorFlow finds wrong becomes one clear error."""
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
        raise ValueError(f"The Examples cannot be used: {_reason(error)}") from error


def _reason(error: tf.errors.OpError) -> str:
    """Returns what TensorFlow found wrong, without where in its graph."""
    said = error.message.replace("assertion failed: ", "").partition("\n")[0]
    said = re.sub(r"Error in user-defined function .*? iterator: \S+: ", "", said)
    said = " ".join(re.sub(r"\{\{.*?\}\}|\[\[.*|\[Op:.*|Name: <unknown>,", "", said).split())
    if "could not be found" in said:
        said += " Name yours with custom_config's image_key and label_key."
    return said


def _rows(patterns: Sequence[str], config: Config, accessor: Any, shuffle: bool) -> tf.data.Dataset:
    """Returns batches of the features that are needed, by name, a value a row."""
    if accessor is not None:
        rows = _rows_of_accessor(patterns, config, accessor, shuffle)
    else:
        rows = _rows_of_files(patterns, config, shuffle)
    needed = _features(config)
    for name in needed:
        if name not in rows.element_spec:
            found = ", ".join(sorted(rows.element_spec))
            raise ValueError(
                f"The Examples have no feature {name!r}, but {found}. Name yours with "
                "custom_config's image_key and label_key."
            )
    return rows.map(lambda row: {name: tf.reshape(row[name], [-1]) for name in needed})


def _features(config: Config) -> dict[str, tf.DType]:
    """Returns the features that are read."""
    features = {config.image_key: tf.string}
    if config.conditional:
        features[config.label_key] = tf.int64
    if config.image_format == "raw":
        features |= {HEIGHT_KEY: tf.int64, WIDTH_KEY: tf.int64}
    return features


def _rows_of_accessor(
    patterns: Sequence[str], config: Config, accessor: Any, shuffle: bool
) -> tf.data.Dataset:
    """Reads as TFX does, whatever the format of the files."""
    from tensorflow_metadata.proto.v0 import schema_pb2
    from tfx_bsl.public.tfxio import TensorFlowDatasetOptions

    schema = schema_pb2.Schema()
    for name, dtype in _features(config).items():
        kind = schema_pb2.BYTES if dtype == tf.string else schema_pb2.INT
        feature = schema.feature.add(name=name, type=kind)
        feature.presence.min_fraction = 1.0
        feature.shape.dim.add(size=1)
    options = TensorFlowDatasetOptions(
        batch_size=256,
        num_epochs=1,
        shuffle=shuffle,
        shuffle_buffer_size=config.shuffle_buffer,
        shuffle_seed=config.seed,
    )
    return accessor.tf_dataset_factory(list(patterns), options, schema)


def _rows_of_files(patterns: Sequence[str], config: Config, shuffle: bool) -> tf.data.Dataset:
    """Reads TFRecord files, gzipped or not, of serialized Examples."""
    files = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    if not files:
        raise ValueError(f"No file matches {', '.join(patterns)}.")

    def of_file(path: tf.Tensor) -> tf.data.Dataset:
        zipped = tf.strings.regex_full_match(path, r".*\.gz")
        return tf.data.TFRecordDataset(path, tf.where(zipped, "GZIP", ""))

    dataset = tf.data.Dataset.from_tensor_slices(files).interleave(
        of_file, cycle_length=8, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    if shuffle:
        dataset = dataset.shuffle(config.shuffle_buffer, config.seed)
    features = {name: tf.io.FixedLenFeature([], dtype) for name, dtype in _features(config).items()}
    return dataset.batch(256).map(
        lambda serialized: tf.io.parse_example(serialized, features),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def _decoded(rows: tf.data.Dataset, config: Config) -> tf.data.Dataset:
    size = (config.size, config.size)

    def decode(picture: Batch) -> tf.Tensor:
        if config.image_format == "raw":
            return graph.resize(_decode_raw(picture, config), size)
        return graph.resize(graph.decode_file(picture[config.image_key]), size)

    def convert(row: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        picture = {name: value for name, value in row.items() if name != config.label_key}
        images = tf.map_fn(decode, picture, fn_output_signature=tf.TensorSpec((*size, 3), tf.uint8))
        if not config.conditional:
            return images, tf.zeros(tf.shape(images)[:1], tf.int32)
        return images, _checked(row[config.label_key], config)

    return rows.map(convert, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _checked(labels: tf.Tensor, config: Config) -> tf.Tensor:
    last = config.classes - 1
    wrong = tf.boolean_mask(labels, (labels < 0) | (labels > last))
    fine = tf.debugging.Assert(
        tf.equal(tf.size(wrong), 0),
        [f"{config.label_key} must be from 0 to {last}. Received:", wrong],
    )
    with tf.control_dependencies([fine]):
        return tf.cast(labels, tf.int32)


def _decode_raw(picture: Batch, config: Config) -> tf.Tensor:
    values = tf.io.decode_raw(picture[config.image_key], tf.uint8)
    height, width = picture[HEIGHT_KEY], picture[WIDTH_KEY]
    fine = tf.debugging.Assert(
        tf.equal(tf.size(values, tf.int64), height * width * 3),
        [
            "A raw picture must have height × width × 3 bytes. Received bytes, height and width:",
            *(tf.size(values), height, width),
        ],
    )
    with tf.control_dependencies([fine]):
        return tf.reshape(values, tf.stack([height, width, 3]))


def copy_tree(source: Path, target: str) -> None:
    """Copies a folder's files into another, which may be there and on any file system of TFX."""
    tf.io.gfile.makedirs(target)
    for path in sorted(source.rglob("*")):
        place = f"{target}/{path.relative_to(source).as_posix()}"
        if path.is_dir():
            tf.io.gfile.makedirs(place)
        else:
            tf.io.gfile.copy(str(path), place, overwrite=True)


def copy_whole(source: Path, target: str) -> None:
    """Copies a folder, beside its place and renamed; what was there stays until all is copied.

    On a file system whoever looks never sees half of it. An object store, such as `gs://`, renames
    a folder by a copy of each file: for that while half of it can be seen.
    """
    parent, _, name = target.rstrip("/").rpartition("/")
    partial = f"{parent}/.{name}.partial"
    if tf.io.gfile.exists(partial):
        tf.io.gfile.rmtree(partial)
    copy_tree(source, partial)
    if tf.io.gfile.exists(target):
        tf.io.gfile.rmtree(target)
    tf.io.gfile.rename(partial, target)
