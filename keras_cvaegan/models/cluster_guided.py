"""ClusterGuidedGenerator: an unconditional generator that samples one cluster of its features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_cvaegan import pictures
from keras_cvaegan.layers import ClassMoments
from keras_cvaegan.models.arguments import check_choice
from keras_cvaegan.models.code_mappings import HIDDEN_UNITS, MAPPINGS
from keras_cvaegan.models.generative_model import GenerativeModel
from keras_cvaegan.models.inference import Inference
from keras_cvaegan.networks.common import check_positive_integer
from keras_cvaegan.networks.generator_features import feature_network, unconditional_network
from keras_cvaegan.ops import random
from keras_cvaegan.training.code_batches import CodeBatches
from keras_cvaegan.training.step import Step

if TYPE_CHECKING:
    from keras_cvaegan.metrics.clusters import Clusters

CODES_STREAM = 1600
CALIBRATION_CODES, CALIBRATION_SEED = 10_000, 5 * 10**6
PART = 1024


@keras.saving.register_keras_serializable(package="keras_cvaegan")
class ClusterGuidedGenerator(Step, Inference, keras.Model):
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
        hidden_units: of the networks of a mapping by name; 256, 256 and 256 by default.
        average_decay: of the moving average of T's weights, which sampling uses; None for none. Of
            a mapping by name.
        mapping_arguments: of the mapping's constructor, such as {"candidates": 32}. Of a mapping by
            name.
        class_names: one name a cluster; "0", "1", … by default, or the given mapping's.
        seed: of codes, clusters, weights and noise; making the weights seeds the global generators
            too (`keras.utils.set_random_seed`).

    Attributes:
        mapping: the `GenerativeModel` of codes.
        centers: of the clusters, (k, features).
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
        if isinstance(mapping, GenerativeModel):
            _refuse_unused(mapping, hidden_units, mapping_arguments, class_names)
        else:
            check_choice("mapping", mapping, MAPPINGS)
            if class_names is None:
                class_names = [str(cluster) for cluster in range(n_clusters)]
            sizes = {
                "image_shape": (code_dim,),
                "num_classes": n_clusters,
                "latent_dim": code_dim,
                "hidden_units": tuple(hidden_units or HIDDEN_UNITS),
            }
            given = {"class_names": class_names, "seed": seed, "average_decay": average_decay}
            keras.utils.set_random_seed(seed)
            try:
                mapping = MAPPINGS[mapping](sizes, **{**given, **(mapping_arguments or {})})
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"mapping_arguments are of the constructor of {mapping!r}. Received: "
                    f"{dict(mapping_arguments or {})}. ({error})"
                ) from error
        wanted, has = (n_clusters, (code_dim,)), (mapping.num_classes, mapping.image_shape)
        if wanted != has:
            raise ValueError(
                f"The mapping must give points {wanted[1]} of {n_clusters} classes. Received: a "
                f"{type(mapping).__name__} of {has[1]} of {has[0]} classes."
            )
        self.mapping = mapping
        self.class_names, self.latent_dim = mapping.class_names, mapping.latent_dim
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
        self._found: tuple[np.ndarray, np.ndarray] | None = None
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

    def codes(self, count: int, seed: int = 0) -> np.ndarray:
        """Draws codes z ~ N(0, I) of the generator.

        Args:
            count: how many.
            seed: others with each; the first are the same whatever the count.

        Returns:
            float32 (count, d).
        """
        dimensions = self.generator.input.shape[-1]
        return ops.convert_to_numpy(
            random.normal(ops.arange(count), dimensions, seed=seed, stream=CODES_STREAM)
        )

    def paint(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the pictures of codes and the features that are clustered, from one pass.

        Args:
            z: (n, d).

        Returns:
            uint8 (n, height, width, channels); of points float. float32 (n, features).
        """
        found = self._in_batches(self.features, np.asarray(z, np.float32))
        images = found["images"]
        return images if self._are_points else pictures.to_uint8(images), found["features"]

    def find_clusters(self, count: int = 10_000) -> Clusters:
        """Finds the clusters, by k-means of the features of random codes.

        The codes are those that `fit` learns by default.

        Args:
            count: of the codes, at least k.

        Returns:
            Labels, sizes, silhouettes, and which clusters are made of outliers.

        Raises:
            ValueError: for too few codes, or features that are all the same.
        """
        from keras_cvaegan.metrics.clusters import find_clusters

        z = self.codes(count, self.seed)
        clusters = find_clusters(self._features_of(z), self.num_classes, seed=self.seed)
        self.centers.assign(clusters.centers)
        self._found = z, clusters.labels.astype(np.int32)
        return clusters

    def clusters_of(self, z: np.ndarray) -> np.ndarray:
        """Returns the cluster to whose center the features of each code are nearest.

        Args:
            z: (n, d).

        Returns:
            int32 (n,).

        Raises:
            ValueError: where clusters are not yet found.
        """
        return self.nearest_centers(self._features_of(z))

    def _features_of(self, z: np.ndarray) -> np.ndarray:
        """The features of codes; their pictures are never all in memory."""
        parts = range(0, max(len(z), 1), PART)
        return np.concatenate([self.paint(z[start : start + PART])[1] for start in parts])

    def nearest_centers(self, features: np.ndarray) -> np.ndarray:
        """Returns the cluster of each row of features (n, features), int32 (n,).

        Raises:
            ValueError: where clusters are not yet found, or for features of another number.
        """
        from keras_cvaegan.metrics.clusters import nearest_centers

        if not self._has_clusters:
            raise ValueError("The clusters are not found yet: call find_clusters first.")
        return nearest_centers(features, ops.convert_to_numpy(self.centers)).astype(np.int32)

    @property
    def _has_clusters(self) -> bool:
        return bool(np.isfinite(ops.convert_to_numpy(self.centers)).all())

    def map_codes(
        self, clusters: Sequence[int] | np.ndarray, seed: int | Sequence[int] = 0
    ) -> np.ndarray:
        """Draws codes of clusters, z = T(ε, c): float32 (n, d).

        Args:
            clusters: n integers.
            seed: as `generate` has it; its pictures are those of these codes.
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
            clusters: of the codes, (n,); by default the ones that their pictures fall into.

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
            **kwargs: as of `keras.Model.fit`.

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


def _refuse_unused(
    mapping: GenerativeModel,
    hidden_units: Sequence[int] | None,
    mapping_arguments: Mapping[str, Any] | None,
    class_names: Sequence[str] | None,
) -> None:
    """Checks that nothing is said of networks that are there already."""
    if hidden_units is not None or mapping_arguments:
        raise ValueError(
            "hidden_units and mapping_arguments are of a mapping that is built. Received: both a "
            f"{type(mapping).__name__} and one of them."
        )
    if class_names is not None and tuple(class_names) != mapping.class_names:
        raise ValueError(
            f"The mapping has its own class_names, {list(mapping.class_names)}. Received: "
            f"{list(class_names)}."
        )


def _is_array(x: Any) -> bool:
    """Whether data are codes, or none, and no data set."""
    return x is None or isinstance(x, list | tuple) or hasattr(x, "shape")
