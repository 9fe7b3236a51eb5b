"""What the page draws with: a model in memory, or one on a server, behind one interface."""

from __future__ import annotations

import abc
import functools
import os
import threading
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

import keras_cvaegan
from keras_cvaegan import pictures
from keras_cvaegan.models.inference import GENERATE_STREAM
from keras_cvaegan.ops import random
from keras_cvaegan.serving import GenerateClient, ServingError
from keras_cvaegan.training.run_directory import RunDirectory

if TYPE_CHECKING:
    from keras_cvaegan.models import GenerativeModel

Answer = TypeVar("Answer")

# A model in memory remembers what it drew in so many recent calls, of so many pictures at most.
_CALLS, _PICTURES = 128, 32


class Source(abc.ABC):
    """A trained model as the page sees it. Threads may share it.

    Args:
        name: name of the model, for the reader.
        origin: place that it is from, for the reader.
        class_names: names of the classes by label.
        latent_dim: dimensions of z.
        image_shape: shape of its pictures.
        step: training steps that it has seen.

    Raises:
        ValueError: for a model whose pictures cannot be shown.
    """

    mixes_classes = False
    """Whether `decode` takes class weights that lie between classes."""
    can_encode = False
    can_classify = False
    direction_pairs = 512
    """How many pairs of latents an estimate of directions may take."""

    def __init__(
        self,
        name: str,
        origin: str,
        class_names: Sequence[str],
        latent_dim: int,
        image_shape: Sequence[int],
        step: int,
    ) -> None:
        self.name, self.origin, self.step = name, origin, step
        self.class_names, self.latent_dim = tuple(class_names), latent_dim
        self.image_shape = tuple(image_shape)
        if len(self.image_shape) != 3 or self.image_shape[-1] not in (1, 3):
            raise ValueError(
                "The page shows pictures of 1 or 3 channels, (height, width, channels). Received: "
                f"a model of data of the shape {self.image_shape}."
            )

    @property
    def has_classes(self) -> bool:
        """Whether there is a class to choose."""
        return len(self.class_names) > 1

    def sample_latents(self, seeds: Sequence[int]) -> np.ndarray:
        """Returns the latent of each seed: those that the model's `generate` draws with."""
        rows = np.zeros(len(seeds), np.uint32)
        z = random.normal(
            rows, self.latent_dim, seed=np.asarray(seeds, np.uint32), stream=GENERATE_STREAM
        )
        return np.asarray(z, np.float32)

    @abc.abstractmethod
    def decode(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Draws pictures of latents.

        Args:
            z: latents, (n, latent_dim).
            weights: class weights (n, num_classes); where classes cannot be mixed, the heaviest
                class counts.

        Returns:
            uint8 (n, height, width, channels).
        """

    @abc.abstractmethod
    def encode(self, images: np.ndarray, labels: Sequence[int]) -> np.ndarray:
        """Returns the mean latents (n, latent_dim) of uint8 pictures under labels."""

    @abc.abstractmethod
    def classify(self, images: np.ndarray) -> np.ndarray:
        """Returns probabilities (n, num_classes) of the classes of uint8 pictures."""

    @abc.abstractmethod
    def why_not(self, task: str) -> str:
        """Says why the model cannot do one of "encode" and "classify", and what could."""


class LocalSource(Source):
    """A model in memory, which answers one request at a time and remembers recent ones.

    Args:
        model: trained model.
        origin: place that it is from, for the reader.
    """

    mixes_classes = True

    def __init__(self, model: GenerativeModel, origin: str) -> None:
        super().__init__(
            type(model).__name__,
            origin,
            model.class_names,
            model.latent_dim,
            model.image_shape,
            int(model.step),
        )
        self._model, self._lock = model, threading.Lock()
        found = model.inference_names()
        self.can_encode = "encoder" in found
        self.can_classify = self.has_classes and "classifier" in found
        self._remember = functools.lru_cache(_CALLS)(self._decode)

    @classmethod
    def from_run(cls, run_dir: str | os.PathLike) -> LocalSource:
        """Loads the model of a finished run of trainers.fit.

        Raises:
            ValueError: when there is none.
        """
        model = keras_cvaegan.load(RunDirectory(run_dir).finished_model())
        return cls(model, str(run_dir))

    def decode(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        decode = self._remember if len(z) <= _PICTURES else self._decode
        latents, classes = (np.asarray(x, np.float32).tobytes() for x in (z, weights))
        return decode(latents, classes, len(z))

    def _decode(self, z: bytes, weights: bytes, count: int) -> np.ndarray:
        latents, classes = (np.frombuffer(x, np.float32).reshape(count, -1) for x in (z, weights))
        with self._lock:
            images = pictures.to_uint8(self._model.decode(latents, classes))
        images.setflags(write=False)  # Others are given the same.
        return images

    def encode(self, images: np.ndarray, labels: Sequence[int]) -> np.ndarray:
        with self._lock:
            return self._model.encode(images, labels)[0]

    def classify(self, images: np.ndarray) -> np.ndarray:
        with self._lock:
            return self._model.classify(images)

    def why_not(self, task: str) -> str:
        network = {"encode": "encoder", "classify": "classifier"}[task]
        having = [
            name
            for name, model in keras_cvaegan.models.MODELS.items()
            if network in model.inference_names()
        ]
        return f"{self.name} has no {network}. Models with one: {', '.join(having)}."


class ServedSource(Source):
    """A model on a server. Classes cannot be mixed: the server takes labels.

    Args:
        client: client of the server.

    Raises:
        ValueError: when the server does not answer, or its model does not make pictures.
    """

    direction_pairs = 128

    def __init__(self, client: GenerateClient) -> None:
        self._client = client
        about, signatures = _asked(lambda: (client.describe(), client.signatures()))
        super().__init__(
            client.model,
            client.url,
            about.class_names,
            about.latent_dim,
            about.image_shape,
            about.step,
        )
        self._signatures: Collection[str] = signatures
        self.can_encode = "encode" in signatures
        self.can_classify = self.has_classes and "classify" in signatures

    @classmethod
    def from_url(cls, url: str, model: str, timeout: float) -> ServedSource:
        """Asks a server what it has.

        Raises:
            ValueError: when it does not answer, has no such model, or the extra is missing.
        """
        try:
            client = GenerateClient(url, model=model, timeout=timeout)
        except ImportError as error:
            raise ValueError(str(error)) from error
        return cls(client)

    def decode(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        labels = np.argmax(weights, axis=1)
        return pictures.to_uint8(_asked(lambda: self._client.decode(z, labels)))

    def encode(self, images: np.ndarray, labels: Sequence[int]) -> np.ndarray:
        return _asked(lambda: self._client.encode(images, labels))[0]

    def classify(self, images: np.ndarray) -> np.ndarray:
        return _asked(lambda: self._client.classify(images))

    def why_not(self, task: str) -> str:
        what = {"encode": "an encoder", "classify": "a classifier"}[task]
        return f"The served model has no signature {task!r}: serve a model with {what}."


def open_source(run_dir: str | None, url: str | None, model: str, timeout: float) -> Source:
    """Returns the model of a run, or else that of a server.

    Args:
        run_dir: folder of a run of trainers.fit; None for a server.
        url: address of the server.
        model: name of the model on the server.
        timeout: seconds for an answer of the server.

    Raises:
        ValueError: when there is no such model.
    """
    if run_dir:
        return LocalSource.from_run(run_dir)
    return ServedSource.from_url(url, model, timeout)


def _asked(ask: Callable[[], Answer]) -> Answer:
    """What a server answers; what it refuses is a ValueError, as of a model in memory."""
    try:
        return ask()
    except ServingError as error:
        raise ValueError(str(error)) from error
