"""What the page's tabs do, without the page: arrays and texts from seeds, labels and files."""

from __future__ import annotations

import dataclasses
import numbers
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from keras_cvaegan import pictures
from keras_cvaegan.applications.latent_directions import PrincipalDirections, principal_directions
from trainers.demo.sources import Source
from trainers.pictures.generated import draw_rows, picture_seeds

MAX_PICTURES = 120
MAX_COUNT = 16
MAX_CLASSES_IN_A_ROW = 60
MAX_SEED = 2**32 - 1
REACH = 3.0
"""How far sliders reach along a direction, in standard deviations of N(0, I)."""
PLACES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
STRIP = (1.0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0)

ByName = dict[str, np.ndarray]
"""Pictures, uint8 (height, width, channels), by the name of their class or the like."""


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """What a morph starts or ends with.

    Args:
        z: latent, (latent_dim,).
        label: label of its class.
        image: picture that is drawn of z.
        origin: words on its class and how it is known.
    """

    z: np.ndarray
    label: int
    image: np.ndarray
    origin: str


@dataclasses.dataclass(frozen=True)
class EncodedPicture:
    """A picture, and what the model makes of its encoding.

    Args:
        image: picture at the model's size.
        reconstruction: picture that is decoded from its encoding.
        others: pictures of the same latent under each other class.
        origin: words on its class and how it is known.
    """

    image: np.ndarray
    reconstruction: np.ndarray
    others: ByName
    origin: str


def check_seed(seed: float | None) -> int:
    """Returns a seed as an int.

    Raises:
        ValueError: unless it is a whole number of 32 bits.
    """
    if not isinstance(seed, numbers.Real) or seed != seed or not 0 <= seed <= MAX_SEED:
        raise ValueError(f"The seed must be a whole number from 0 to {MAX_SEED}. Received: {seed}.")
    return int(seed)


class Studio:
    """Draws what the tabs of the page show. Threads may share it.

    Args:
        source: model to draw with.
        directions: number of principal directions of the latent that have a slider.
    """

    def __init__(self, source: Source, directions: int = 6) -> None:
        self.source = source
        self.directions_count = min(directions, source.latent_dim)
        self._directions: PrincipalDirections | None = None
        self._lock = threading.Lock()

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.source.class_names

    def samples(self, labels: Sequence[int], count: int, seed: int) -> dict[str, np.ndarray]:
        """Draws pictures of classes: those of trainers.generate with the same count and seed.

        Args:
            labels: classes to draw; ignored where the model has none.
            count: pictures a class, with the same latents for each class.
            seed: seed of the latents.

        Returns:
            The pictures of each class by its name, uint8 (count, height, width, channels).

        Raises:
            ValueError: for no class, more pictures than a page can hold, or a wrong number.
        """
        labels = labels if self.source.has_classes else [0]
        if not labels:
            raise ValueError("No class is chosen. Choose at least one.")
        count = self._check_count(count, len(labels))
        z = self.source.sample_latents(picture_seeds(check_seed(seed), count))
        names = self.class_names if self.source.has_classes else ["Samples"]
        return draw_rows(self._draw, z, labels, names)

    @staticmethod
    def _check_count(count: float | None, classes: int) -> int:
        if not isinstance(count, numbers.Real) or not 1 <= count <= MAX_COUNT:
            raise ValueError(f"Pictures a class must be from 1 to {MAX_COUNT}. Received: {count}.")
        count = int(count)
        if count * classes > MAX_PICTURES:
            raise ValueError(
                f"{classes} classes with {count} pictures each are {count * classes} pictures: "
                f"more than {MAX_PICTURES}, the most that a page holds. Choose fewer classes, or "
                "fewer pictures a class."
            )
        return count

    def latent(self, seed: int) -> np.ndarray:
        """Returns the latent (latent_dim,) of the first picture that `samples` draws of a seed."""
        return self.source.sample_latents(picture_seeds(check_seed(seed), 1))[0]

    def picture(self, z: np.ndarray, label: int | None) -> np.ndarray:
        """Draws one latent under a class.

        Raises:
            ValueError: when no class is chosen.
        """
        return self._draw(z[np.newaxis], [self._chosen(label)])[0]

    def under_all_classes(self, z: np.ndarray, except_label: int | None = None) -> ByName:
        """Draws one latent under each class, or the first `MAX_CLASSES_IN_A_ROW` of them.

        Args:
            z: latent, (latent_dim,).
            except_label: class to leave out.
        """
        labels = [label for label in range(len(self.class_names)) if label != except_label]
        labels = labels[:MAX_CLASSES_IN_A_ROW]
        images = self._draw(np.tile(z, (len(labels), 1)), labels)
        return dict(zip((self.class_names[label] for label in labels), images, strict=True))

    @property
    def directions(self) -> PrincipalDirections:
        """The principal directions of the latent, over all classes; the first call finds them.

        Raises:
            ValueError: when the model, or its server, does not answer.
        """
        with self._lock:
            if self._directions is None:
                source = self.source
                self._directions = principal_directions(
                    source.decode,
                    source.latent_dim,
                    np.eye(len(source.class_names), dtype=np.float32),
                    count=self.directions_count,
                    pairs=max(source.direction_pairs, 4 * source.latent_dim),
                )
            return self._directions

    def coordinates(self, seed: int) -> list[float]:
        """Returns where the latent of a seed lies on each direction, as sliders show it."""
        return [round(float(place), 1) for place in self._places(self.latent(seed))]

    def moved(self, seed: int, coordinates: Sequence[float]) -> np.ndarray:
        """Returns the latent of a seed with other coordinates on the directions.

        With those of `coordinates` it is the latent itself, to the last bit.
        """
        z = self.latent(seed)
        change = np.asarray(coordinates, np.float32) - self._places(z)
        return z + change @ self.directions.vectors

    def walks(self, seed: int, label: int | None) -> dict[str, np.ndarray]:
        """Draws the latent of a seed moved along each direction, to each of `PLACES`.

        Returns:
            A row of pictures by the name of the direction.
        """
        z, label = self.latent(seed), self._chosen(label)
        change = np.asarray(PLACES, np.float32) - self._places(z)[:, np.newaxis]
        latents = z + change[..., np.newaxis] * self.directions.vectors[:, np.newaxis]
        latents = latents.reshape(-1, len(z))
        images = self._draw(latents, [label] * len(latents))
        rows = images.reshape(self.directions_count, len(PLACES), *images.shape[1:])
        return {f"Direction {number}": row for number, row in enumerate(rows, 1)}

    def _places(self, z: np.ndarray) -> np.ndarray:
        """Where a latent lies on each direction, in the steps and within the reach of sliders."""
        return np.clip(self.directions.vectors @ z, -REACH, REACH).round(1)

    def sample_endpoint(self, seed: int, label: int | None) -> Endpoint:
        """Returns a random picture of a class as an end of a morph."""
        z, label = self.latent(seed), self._chosen(label)
        return Endpoint(z, label, self.picture(z, label), self._class_text(label))

    def picture_endpoint(self, path: str | None, label: int | None) -> Endpoint:
        """Returns an uploaded picture, encoded and reconstructed, as an end of a morph.

        Args:
            path: path of the file.
            label: label of its class; None to have it recognised.

        Raises:
            ValueError: when it cannot be read or encoded, or its class is not known.
        """
        _, label, origin, z = self._encoded(path, label)
        return Endpoint(z, label, self.picture(z, label), origin)

    def morph(self, first: Endpoint, second: Endpoint, alphas: Sequence[float]) -> np.ndarray:
        """Draws what lies between two ends: z = α z₁ + (1 − α) z₂ (Section 5.3).

        Class weights are mixed alike, where the model can; where it takes labels, the class is
        that of the first from α = ½.

        Args:
            first: end at α = 1.
            second: end at α = 0.
            alphas: value of α of each picture.

        Returns:
            uint8 (n, height, width, channels).
        """
        share = np.asarray(alphas, np.float32)[:, np.newaxis]
        z = share * first.z + (1 - share) * second.z
        if not self.source.mixes_classes:
            share = (share >= 0.5).astype(np.float32)
        ends = self._weights([first.label, second.label])
        return self.source.decode(z, share * ends[0] + (1 - share) * ends[1])

    def morph_strip(self, first: Endpoint, second: Endpoint) -> ByName:
        """Returns pictures of `morph` from the first end to the second, by their α."""
        images = self.morph(first, second, STRIP)
        return {f"α = {alpha:g}": image for alpha, image in zip(STRIP, images, strict=True)}

    def morph_note(self, first: Endpoint, second: Endpoint) -> str:
        """Says what is mixed between two ends."""
        if first.label == second.label:
            return "z = α z₁ + (1 − α) z₂, within one class."
        if self.source.mixes_classes:
            return "z = α z₁ + (1 − α) z₂, and the weights of the two classes likewise."
        return (
            "z = α z₁ + (1 − α) z₂. The server takes one class a picture: it switches at α = ½, "
            "where the picture jumps."
        )

    def read(self, path: str | None) -> np.ndarray:
        """Reads a picture file as the model takes it: its largest centred part, resized.

        Returns:
            uint8 (height, width, channels).

        Raises:
            ValueError: when there is no file, or none that can be read.
        """
        if not path:
            raise ValueError("There is no picture yet. Upload one.")
        height, width, channels = self.source.image_shape
        try:
            picture = Image.fromarray(pictures.read_picture(path))
        except pictures.PictureError as error:
            raise ValueError(
                f"Cannot read {Path(path).name!r}: {error.reason}. Upload a PNG, JPEG, WebP, BMP "
                "or GIF file."
            ) from error
        fitted = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
        return np.array(fitted.convert("L" if channels == 1 else "RGB")).reshape(
            height, width, channels
        )

    def encode_picture(self, path: str | None, label: int | None) -> EncodedPicture:
        """Encodes an uploaded picture and decodes it under its class and all others.

        Args:
            path: path of the file.
            label: label of its class; None to have it recognised.

        Raises:
            ValueError: when it cannot be read or encoded, or its class is not known.
        """
        image, label, origin, z = self._encoded(path, label)
        others = self.under_all_classes(z, except_label=label) if self.source.has_classes else {}
        return EncodedPicture(image, self.picture(z, label), others, origin)

    def _encoded(
        self, path: str | None, label: int | None
    ) -> tuple[np.ndarray, int, str, np.ndarray]:
        """An uploaded picture, its class, how that is known, and its latent."""
        image = self.read(path)
        label, origin = self._known(image, label)
        return image, label, origin, self.source.encode(image[np.newaxis], [label])[0]

    def _known(self, image: np.ndarray, label: int | None) -> tuple[int, str]:
        """The class of a picture and how it is known."""
        if not self.source.has_classes:
            return 0, ""
        if label is not None:
            return label, self._class_text(label)
        if not self.source.can_classify:
            raise ValueError("No class is chosen. Choose the picture's: " + self.why_no_guess())
        probabilities = self.source.classify(image[np.newaxis])[0]
        label = int(np.argmax(probabilities))
        return label, self._class_text(label, f" (recognised, {probabilities[label]:.0%} sure)")

    def why_no_guess(self) -> str:
        """Says why classes of pictures are not recognised."""
        return self.source.why_not("classify")

    def _class_text(self, label: int, suffix: str = "") -> str:
        return self.class_names[label] + suffix if self.source.has_classes else ""

    def _chosen(self, label: int | None) -> int:
        if not self.source.has_classes:
            return 0
        if label is None:
            raise ValueError("No class is chosen. Choose one.")
        return label

    def _draw(self, z: np.ndarray, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        return self.source.decode(z, self._weights(labels))

    def _weights(self, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        return np.eye(len(self.class_names), dtype=np.float32)[np.asarray(labels)]
