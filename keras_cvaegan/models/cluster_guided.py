"""ClusterGuidedGenerator: an unconditional generator that samples one cluster of its features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_cvaegan.layers import ClassMoments
from keras_cvaegan.models.code_mappings import HIDDEN_UNITS, given_mapping, named_mapping
from keras_cvaegan.models.feature_clusters import FeatureClusters
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.inference import Inference
from keras_cvaegan.networks.common import check_positive_integer
from keras_cvaegan.networks.generator_features import feature_network, unconditional_network
from keras_cvaegan.training.code_batches import CodeBatches
from keras_cvaegan.training.step import Step

CALIBRATION_CODES, CALIBRATION_SEED = 10_000, 5 * 10**6


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class ClusterGuidedGenerator(Step, FeatureClusters, Inference, keras.Model):
    """An unconditional generator, and a mapping that samples clusters of its features.

    (Georgopoulos et al., "Cluster-guided Image Synthesis with Unconditional Models", CVPR 2022.)

    Of z ~ N(0, I), the features of one layer of G, averaged over space, fall into clusters by
    k-means. A mapping T learns the codes z of each cluster c, so that

        x = G(T(ε, c)),  ε ~ N(0, I)

    is a picture of the cluster. T is trained by `IMLE`, which covers all codes of a cluster, or, to
    compare, as the generator of a `CGAN` or `CVAE` of codes. All have the same network, T(ε, c) =
    ε + MLP(ε, c), which starts as the identity. G stays as it is.

    The nearest of few candidates lies nearer to the middle than the code itself, and codes that
    shrink make pictures less diverse. So in the end `calibrate` gives the codes of each cluster the
    mean and deviation that they should have, dimension by dimension. (A random codebook whose
    distortion is D reproduces a variance of 1 − D, by the theory of rate and distortion.)

    Clusters count as classes: `generate`, `decode` and the export for serving are as of any
    conditional model. The training is that of `mapping`, a `GenerativeModel` of codes.

    Args:
        generator: an unconditional `GenerativeModel`, or any functional or Sequential Keras model
            of latents (n, d) ~ N(0, I) to images (n, h, w, c) in [−1, 1].
        layer: name of the layer; `keras_cvaegan.networks.feature_layers` lists them,
            `keras_cvaegan.applications.layer_survey` tells what the clusters of each are.
        n_clusters: k, at least 1. With 1, T learns all codes, which shows what it costs.
        mapping: "imle", "gan", "vae"; or a `GenerativeModel` of points (d,) with k classes.
        grid: cells a side over which spatial features are averaged. 1: of all space, as in the
            paper; more keep where things are.
        hidden_units: units of the networks of a mapping by name; 256, 256 and 256 by default.
        average_decay: decay of the moving average of T's weights, which sampling uses; None for
            none. Of a mapping by name.
        mapping_arguments: arguments of the mapping's constructor, such as {"candidates": 32}. Of a
            mapping by name.
        class_names: one name a cluster; "0", "1", … by default, or the given mapping's.
        seed: seed of codes, clusters, weights and noise; making the weights seeds the global
            generators too (`keras.utils.set_random_seed`).

    Attributes:
        mapping: the `GenerativeModel` of codes.
        centers: centers of the clusters, (k, features).
        latent_dim: dimensions of ε.

    Raises:
        ValueError: for a generator, layer or mapping that cannot be.

    Example:

    >>> z = keras.Input((4,))
    >>> x = keras.layers.Dense(8 * 8 * 3, activation="tanh", name="paint")(z)
    >>> generator = keras.Model(z, keras.layers.Reshape((8, 8, 3))(x))
    >>> model = ClusterGuidedGenerator(generator, layer="paint", n_clusters=2)
    >>> clusters = model.find_clusters(count=200)
    >>> model.compile()
    >>> history = model.fit(batch_size=50, verbose=0)
    >>> model.generate([0, 1, 1], seed=0).shape
    (3, 8, 8, 3)
    """

    conditional = True
    network_names = ("generator",)
    average_generator = None

    def __init__(
        self,
        generator: keras.Model,
        *,
        layer: str,
        n_clusters: int = 2,
        mapping: str | GenerativeModel = "imle",
        grid: int = 1,
        hidden_units: Sequence[int] | None = None,
        average_decay: float | None = 0.99,
        mapping_arguments: Mapping[str, Any] | None = None,
        class_names: Sequence[str] | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = check_positive_integer("n_clusters", n_clusters)
        self.layer, self.grid, self.seed = layer, grid, seed
        self.generator = unconditional_network(generator)
        self.features = feature_network(self.generator, layer, grid)
        self.image_shape = tuple(self.generator.output.shape[1:])
        code_dim = int(self.generator.input.shape[-1])
        default_names = [str(cluster) for cluster in range(n_clusters)]
        self.mapping = (
            given_mapping(mapping, hidden_units, mapping_arguments, class_names)
            if isinstance(mapping, GenerativeModel)
            else named_mapping(
                mapping,
                code_dim,
                n_clusters,
                hidden_units=hidden_units or HIDDEN_UNITS,
                arguments=mapping_arguments or {},
                class_names=default_names if class_names is None else class_names,
                seed=seed,
                average_decay=average_decay,
            )
        )
        _refuse_other_sizes(self.mapping, n_clusters, code_dim)
        self.class_names, self.latent_dim = self.mapping.class_names, self.mapping.latent_dim
        self.moments = ClassMoments(n_clusters, name="moments")
        self.code_sampler = self._code_sampler()
        self.sampler_network = self._composed()
        self.centers = self.add_weight(
            name="centers",
            shape=(n_clusters, self.features.output["features"].shape[-1]),
            # Until they are found.
            initializer=keras.initializers.Constant(float("nan")),
            trainable=False,
        )
        self.built = True

    def _inputs(self) -> dict[str, keras.KerasTensor]:
        noise = keras.Input((self.latent_dim,), name="z")
        return {"z": noise, "labels": keras.Input((self.num_classes,), name="labels")}

    def _code_sampler(self) -> keras.Model:
        """T, calibrated."""
        inputs = self._inputs()
        codes = self.moments(self.mapping.sampler(inputs), inputs["labels"])
        return keras.Model(inputs, codes, name="code_sampler")

    def _composed(self) -> keras.Model:
        inputs, generator = self._inputs(), self.generator
        # Under another name: within a model all names differ, and the user's may be any.
        paint = keras.Model(generator.input, generator.output, name="paint_code")
        return keras.Model(inputs, paint(self.code_sampler(inputs)), name="sampler")

    @property
    def sampler(self) -> keras.Model:
        """G(T(ε, c)): {"z", "labels"} → images."""
        return self.sampler_network

    @property
    def step(self) -> keras.Variable:
        """Training steps that the mapping has taken, an integer variable."""
        return self.mapping.step

    def map_codes(
        self, clusters: Sequence[int] | np.ndarray, seed: int | Sequence[int] = 0
    ) -> np.ndarray:
        """Draws codes of clusters, z = T(ε, c): float32 (n, d).

        Args:
            clusters: n integers.
            seed: seed or seeds, as `generate` takes them; its pictures are those of these codes.
        """
        return self._mapped(self.code_sampler, clusters, seed)

    def _mapped(self, sampler: keras.Model, clusters: Any, seed: int | Sequence[int]) -> np.ndarray:
        weights = self.class_weights(clusters)
        noise = self.sample_latents(len(weights), seed)
        return self._in_batches(sampler, {"z": noise, "labels": weights})

    def calibrate(
        self, codes: np.ndarray | None = None, clusters: np.ndarray | None = None
    ) -> None:
        """Gives mapped codes of each cluster the mean and deviation of codes that are in it.

        `fit` does so in the end.

        Args:
            codes: (n, d); by default those with which `find_clusters` found the clusters, in a
                loaded model others.
            clusters: clusters of the codes, (n,); by default the ones that their pictures fall
                into.

        Raises:
            ValueError: for codes or clusters of another shape or kind, or where clusters are not
                yet found and not given.
        """
        codes, clusters = self._checked(codes, clusters)
        asked = np.arange(CALIBRATION_CODES) % self.num_classes
        mapped = self._mapped(self.mapping.sampler, asked, CALIBRATION_SEED + self.seed)
        self.moments.adapt(mapped, asked, codes, clusters)

    def _checked(self, codes: Any, clusters: Any) -> tuple[np.ndarray, np.ndarray]:
        """Codes and clusters, those that are known where none are given.

        They are checked here since a step that fails on JAX leaves a model without its variables.
        """
        if codes is None and self._found is not None:
            return self._found
        if codes is None and not self._has_clusters:
            raise ValueError(
                "There are no codes to learn: call find_clusters first, or give codes and their "
                "clusters."
            )
        codes = self.codes(CALIBRATION_CODES, self.seed) if codes is None else np.asarray(codes)
        dimensions = self.generator.input.shape[-1]
        if codes.shape[1:] != (dimensions,) or codes.dtype.kind != "f" or not len(codes):
            raise ValueError(
                f"Codes must be floats of shape (n, {dimensions}), at least one. Received: "
                f"{codes.dtype} of shape {codes.shape}."
            )
        clusters = self.clusters_of(codes) if clusters is None else np.asarray(clusters)
        integers = clusters.dtype.kind in "iu" and clusters.shape == codes.shape[:1]
        if not integers or not (0 <= clusters.min() <= clusters.max() < self.num_classes):
            received = f"{clusters.dtype} of shape {clusters.shape}"
            if integers:
                received = f"{clusters.min()} to {clusters.max()}"
            raise ValueError(
                f"Clusters must be integers from 0 to {self.num_classes - 1}, one for each of "
                f"{len(codes)} codes. Received: {received}."
            )
        return codes, clusters.astype(np.int32)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compiles the mapping: see `GenerativeModel.compile`."""
        self.mapping.compile(*args, **kwargs)

    def fit(
        self, x: Any = None, y: Any = None, *, calibrate: bool = True, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains the mapping; its callbacks see `mapping`.

        Args:
            x: codes (n, d), or a data set of (codes, clusters); by default as `calibrate` has it.
            y: clusters (n,) of an array x; by default the ones that their pictures fall into.
            calibrate: whether to call `calibrate` in the end; of a data set x, where the clusters
                are found.
            **kwargs: arguments of `keras.Model.fit`.

        Raises:
            ValueError: see `calibrate`.
        """
        if _is_array(x):
            x, y = self._checked(x, y)
        elif isinstance(x, CodeBatches):
            kwargs.setdefault("shuffle", False)
        history = self.mapping.fit(x, y, **kwargs)
        if calibrate and y is not None:
            self.calibrate(x, y)
        elif calibrate and self._has_clusters:
            self.calibrate()
        return history

    def evaluate(self, x: Any = None, y: Any = None, **kwargs: Any) -> Any:
        """Evaluates the mapping's losses: see `fit` and `keras.Model.evaluate`."""
        if _is_array(x):
            x, y = self._checked(x, y)
        return self.mapping.evaluate(x, y, **kwargs)

    def call(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        """Images of noise and cluster weights: {"z": (n, d), "labels": (n, k)}."""
        return self.sampler(inputs, training=False)

    def get_config(self) -> dict[str, Any]:
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "mapping": keras.saving.serialize_keras_object(self.mapping),
            "layer": self.layer,
            "n_clusters": self.num_classes,
            "grid": self.grid,
            "seed": self.seed,
            "class_names": list(self.class_names),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        config = dict(config)
        for name in ("generator", "mapping"):
            config[name] = keras.saving.deserialize_keras_object(
                config[name], custom_objects=custom_objects
            )
        return cls(**config)


def _refuse_other_sizes(mapping: GenerativeModel, n_clusters: int, code_dim: int) -> None:
    wanted, has = (n_clusters, (code_dim,)), (mapping.num_classes, mapping.image_shape)
    if wanted != has:
        raise ValueError(
            f"The mapping must give points {wanted[1]} of {n_clusters} classes. Received: a "
            f"{type(mapping).__name__} of {has[1]} of {has[0]} classes."
        )


def _is_array(x: Any) -> bool:
    """Whether data are codes, or none, and no data set."""
    return x is None or isinstance(x, list | tuple) or hasattr(x, "shape")
