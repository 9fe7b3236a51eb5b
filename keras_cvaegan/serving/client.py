"""A served model, with the methods of a model in memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from keras_cvaegan import pictures
from keras_cvaegan.serving import arrays, errors, options
from keras_cvaegan.serving.descriptions import Description, Signature, VersionStatus
from keras_cvaegan.serving.rest import RestTransport
from keras_cvaegan.serving.retrying import with_retries

Answer = TypeVar("Answer")

_POLL_SECONDS = 0.25


class GenerateClient:
    """Asks a server for what a model does: TensorFlow Serving, over REST or gRPC.

    Threads may share a client. Requests that fail because the server is not there or too busy are
    tried again; nothing that the server has refused is.

    Args:
        url: `http://host:8501` or `https://…` for REST; `grpc://host:8500` or `grpcs://…` for
            gRPC.
        model: the model's name on the server.
        version: a version's number or label; by default the latest.
        timeout: seconds for a request to the server, all its tries included. A call with more than
            `batch_size` rows makes several requests.
        retries: number of times a request is tried again.
        batch_size: rows of the largest request; what is longer is asked for in parts. Each part is
            answered by the version that is the latest then, unless `version` says which.

    Raises:
        ValueError: for a URL, version or number that cannot be.
        ImportError: when a package of the extra `[serving]` is missing.

    Example:

    >>> with GenerateClient("http://localhost:8501") as client:  # doctest: +SKIP
    ...     client.generate(["rose", "lily"], seed=7).shape
    (2, 64, 64, 3)
    """

    def __init__(
        self,
        url: str,
        model: str = "keras_cvaegan",
        version: int | str | None = None,
        timeout: float = 10.0,
        retries: int = 3,
        batch_size: int = 64,
    ) -> None:
        self.model, self.version = options.check_model(model), options.check_version(version)
        self.timeout = options.check_seconds("timeout", timeout)
        self.retries = options.check_count("retries", retries, 0)
        self.batch_size = options.check_count("batch_size", batch_size, 1)
        self.url, self._transport = options.connect(url, self.model, self.version)
        self._closed = False

    def __enter__(self) -> GenerateClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; the client cannot be used any more."""
        self._closed = True
        self._transport.close()

    def generate(
        self, labels: Sequence[int] | Sequence[str] | np.ndarray, seed: int | Sequence[int] = 0
    ) -> np.ndarray:
        """Draws images of the given classes.

        Args:
            labels: n integers in [0, num_classes), or n class names.
            seed: n integers, or one: `seed=s` stands for s, s + 1, …, s + n − 1. The images are
                those of `model.generate(labels, seed=[s, s + 1, …])`: an image depends on its own
                seed and label alone, however requests are split.

        Returns:
            uint8 array (n, height, width, channels); points, (n, d), are floats.

        Raises:
            ServingError: BadRequest for labels that the model does not have, and so on.
            ValueError: for labels or seeds that are no such lists.
        """
        inputs = arrays.labels_and_seeds(labels, seed)
        if "labels" in inputs and self._draws_files():
            files = self.predict("generate_png", inputs)["image_bytes"]
            return np.stack([self._pixels(file) for file in files])
        return self.predict(_generator(inputs), inputs)["images"]

    def generate_png(
        self, labels: Sequence[int] | Sequence[str] | np.ndarray, seed: int | Sequence[int] = 0
    ) -> list[bytes]:
        """Draws images of the given classes, as PNG files.

        Args:
            labels: labels, as `generate` takes them.
            seed: seed or seeds, as `generate` takes them.

        Returns:
            n files.

        Raises:
            ServingError: as of `generate`.
            ValueError: as of `generate`.
        """
        inputs = arrays.labels_and_seeds(labels, seed)
        if "labels" in inputs:
            return self.predict("generate_png", inputs)["image_bytes"].tolist()
        return [
            arrays.to_png(image) for image in self.predict(_generator(inputs), inputs)["images"]
        ]

    def decode(self, z: np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Images of latents under labels.

        Args:
            z: (n, latent_dim).
            labels: n integers.

        Returns:
            float32 array (n, height, width, channels) in [−1, 1]; of points (n, d).

        Raises:
            ServingError: when the server refuses them, or does not answer.
            ValueError: for inputs that are no such arrays.
        """
        inputs = {"z": arrays.latents(z), "labels": arrays.labels(labels)}
        return self.predict("decode", inputs)["images"]

    def encode(
        self, images: np.ndarray | Sequence[bytes], labels: Sequence[int] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The encoder's distribution of z for images under labels.

        Args:
            images: uint8 (n, height, width, channels), or n PNG or JPEG files of any size as
                bytes; of points floats (n, d).
            labels: n integers.

        Returns:
            z_mean and z_log_var, float32 arrays (n, latent_dim).

        Raises:
            ServingError: BadRequest for a model without an encoder, and so on.
            ValueError: for inputs that are no such arrays.
        """
        suffix, inputs = arrays.images(images)
        outputs = self.predict(f"encode{suffix}", {**inputs, "labels": arrays.labels(labels)})
        return outputs["z_mean"], outputs["z_log_var"]

    def reconstruct(
        self, images: np.ndarray | Sequence[bytes], labels: Sequence[int] | np.ndarray
    ) -> np.ndarray:
        """Images decoded from the mean of their encoding: float32 in [−1, 1].

        Args:
            images: images, as `encode` takes them.
            labels: labels, as `encode` takes them.

        Raises:
            ServingError: as of `encode`.
            ValueError: as of `encode`.
        """
        suffix, inputs = arrays.images(images)
        if suffix:
            return self.decode(self.encode(images, labels)[0], labels)
        return self.predict("reconstruct", {**inputs, "labels": arrays.labels(labels)})["images"]

    def classify(self, images: np.ndarray | Sequence[bytes]) -> np.ndarray:
        """The classifier's probabilities.

        Args:
            images: images, as `encode` takes them.

        Returns:
            float32 array (n, num_classes); rows sum to 1.

        Raises:
            ServingError: BadRequest for a model without a classifier, and so on.
            ValueError: for images that are no such arrays.
        """
        suffix, inputs = arrays.images(images)
        return self.predict(f"classify{suffix}", inputs)["probabilities"]

    def describe(self) -> Description:
        """Returns class names, sizes and training step of the model, and the versions at hand.

        Raises:
            ServingError: when the server does not answer.
        """
        first = self.predict("describe", {"labels": np.zeros(1, np.int64)})
        labels = np.arange(first["num_classes"][0], dtype=np.int64)
        names = self.predict("describe", {"labels": labels})["class_name"]
        ready = (status.version for status in self._statuses() if status.state == "AVAILABLE")
        return Description(
            class_names=tuple(names),
            latent_dim=int(first["latent_dim"][0]),
            image_shape=tuple(first["image_shape"][0].tolist()),
            step=int(first["step"][0]),
            versions=tuple(sorted(ready)),
        )

    def signatures(self) -> dict[str, Signature]:
        """Returns what the model can be asked for, by name: inputs and outputs.

        Raises:
            ServingError: when the server does not answer.
        """
        return self._ask("the signatures", self._transport.signatures)

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Waits until the server has the model, and the version, ready.

        Args:
            timeout: seconds to wait.

        Raises:
            DeadlineExceeded: when it is not ready by then, with what it was doing.
        """
        end = time.monotonic() + options.check_seconds("timeout", timeout)
        while True:
            state = self._state(end - time.monotonic())
            if state is None:
                return
            if time.monotonic() + _POLL_SECONDS >= end:
                raise errors.DeadlineExceeded(
                    f"Not ready within {timeout:g} s. The last that was heard: {state}"
                    f"{self._asked('whether it is ready')}"
                )
            time.sleep(_POLL_SECONDS)

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray | Sequence[bytes]]
    ) -> dict[str, np.ndarray]:
        """Asks for the outputs of a signature.

        Args:
            signature: name of the signature.
            inputs: inputs by name, all with as many rows; bytes and texts in lists or object
                arrays.

        Returns:
            The outputs by name; bytes (names in `_bytes`) and texts in object arrays.

        Raises:
            ServingError: when the server refuses them, or does not answer.
            ValueError: for an input without rows.
        """
        values = {name: arrays.to_rows(name, each) for name, each in inputs.items()}
        rows = max((len(each) for each in values.values()), default=0)
        parts = []
        for start in range(0, max(rows, 1), self.batch_size):
            part = {name: each[start : start + self.batch_size] for name, each in values.items()}
            parts.append(self._predict(signature, part))
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _predict(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        rows = max(map(len, inputs.values()), default=0)
        what = f"{signature} of {rows} row{'' if rows == 1 else 's'}"
        try:
            return self._ask(what, lambda s: self._transport.predict(signature, inputs, s))
        except errors.BadRequest as error:
            if re.search("signature .*not found", str(error), re.IGNORECASE):
                raise self._no_signature(signature) from error
            raise

    def _no_signature(self, signature: str) -> errors.BadRequest:
        names = ", ".join(self.signatures())
        return errors.BadRequest(
            f"The model has no {signature!r}: it has {names}. What encodes needs a model with an "
            f"encoder, what classifies one with a classifier.{self._asked(signature)}"
        )

    def _statuses(self) -> list[VersionStatus]:
        return self._ask("the versions", self._transport.statuses)

    def _state(self, seconds: float) -> str | None:
        """What stands in the way of requests, or None."""
        seconds = min(self.timeout, max(seconds, _POLL_SECONDS))
        try:
            if isinstance(self.version, str):
                # The status says nothing of labels.
                self._transport.signatures(seconds)
                return None
            statuses = self._transport.statuses(seconds)
        except errors.ServingError as error:
            return str(error) or "no answer."
        wanted = {status.version for status in statuses} if self.version is None else {self.version}
        if any(s.state == "AVAILABLE" and s.version in wanted for s in statuses):
            return None
        said = (f"version {s.version} {s.state} {s.message}".strip() for s in statuses)
        return f"{', '.join(said) or 'no version'}."

    def _draws_files(self) -> bool:
        """Whether images should come as PNG files, a tenth of the size of JSON's numbers."""
        if not isinstance(self._transport, RestTransport):
            return False
        signatures = self._ask("the signatures", self._transport.known_signatures)
        return "generate_png" in signatures

    def _pixels(self, file: bytes) -> np.ndarray:
        try:
            return arrays.from_png(file)
        except pictures.PictureError as error:
            message = f"The server's PNG cannot be read: {error.reason}."
            raise errors.ServingError(f"{message}{self._asked('generate_png')}") from error

    def _ask(self, what: str, ask: Callable[[float], Answer]) -> Answer:
        """Asks with retries; every error says who was asked for what."""
        if self._closed:
            raise ValueError("This client is closed. Make another one.")
        try:
            return with_retries(ask, self.timeout, self.retries)
        except errors.ServingError as error:
            raise type(error)(f"{error}{self._asked(what)}") from error.__cause__

    def _asked(self, what: str) -> str:
        version = "" if self.version is None else f", version {self.version}"
        return f" (Asked {self.url} for {what}, model {self.model!r}{version}.)"


def _generator(inputs: Mapping[str, Any]) -> str:
    return "generate" if "labels" in inputs else "generate_by_name"
