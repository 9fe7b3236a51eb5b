"""Trainings of several contenders for the same minutes, and how their samples are measured."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np

import datasets
from benchmarks.keras_examples.adaptive_augmentation import AdaptiveGAN
from benchmarks.keras_examples.diffusion import Diffusion
from keras_cvaegan import pictures
from keras_cvaegan.files import replacing
from keras_cvaegan.models import CVAEGAN
from keras_cvaegan.training.run_directory import RunDirectory, read_json, write_json
from trainers.command_line.flags import dataset_options
from trainers.evaluation.judge import judged_side
from trainers.evaluation.real_side import BATCH_SIZE
from trainers.reports.tables import markdown, number

if TYPE_CHECKING:
    from absl.flags import FlagValues

TITLES = {
    "photo": "CVAE-GAN, preset photo",
    "compact": "CVAE-GAN, preset compact",
    "diffusion": "Diffusion (keras.io)",
    "adaptive_gan": "GAN with adaptive augmentation (keras.io)",
}
METRICS = {
    "top1_accuracy": "Top-1",
    "frechet_distance": "Fréchet distance",
    "kernel_distance": "Kernel distance",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
}
STEPS_A_CALL = 10
MINUTES_BETWEEN_STATES = 10
SHOWN_CLASSES, SHOWN_EACH = 12, 8


class Contender(Protocol):
    """A Keras model that draws pictures of classes."""

    def generate(self, labels: np.ndarray, seed: Any = 0) -> np.ndarray:
        """Returns uint8 images (n, height, width, 3)."""


def open_data(values: FlagValues, image_size: int) -> datasets.OpenDataset:
    """Returns the data set that the flags name."""
    return datasets.open_dataset(
        values.dataset, image_size, data_dir=values.data_dir, **dataset_options(values)
    )


@dataclasses.dataclass
class Contest:
    """What all contenders share.

    Args:
        output: folder of the results.
        data: data set, opened.
        image_size: side of the pictures in pixels.
        batch_size: pictures an update.
        horizontal_flip: whether training mirrors pictures.
        seed: seed of weights, order and samples.
        samples_per_class: pictures of each class that are drawn at a milestone.
        dtype_policy: what all compute in, "float32" or "mixed_bfloat16".
    """

    output: str | os.PathLike
    data: datasets.OpenDataset
    image_size: int
    batch_size: int
    horizontal_flip: bool
    seed: int
    samples_per_class: int
    dtype_policy: str = "float32"

    def model(self, name: str) -> keras.Model:
        """Returns a contender, compiled, with fresh weights."""
        keras.utils.set_random_seed(self.seed)
        keras.config.set_dtype_policy(self.dtype_policy)
        classes = len(self.data.class_names)
        if name == "diffusion":
            images = self.data.prepare("train").images
            model = Diffusion(images, classes, self.horizontal_flip)
            model.compile()
        elif name == "adaptive_gan":
            model = AdaptiveGAN(self.image_size, classes)
            model.compile()
        else:
            model = CVAEGAN.from_preset(
                name,
                image_shape=(self.image_size, self.image_size, 3),
                num_classes=classes,
                seed=self.seed,
                horizontal_flip=self.horizontal_flip,
            )
            model.compile(steps_per_execution=STEPS_A_CALL)
        return model

    def _settings(self) -> dict[str, Any]:
        return {
            "data": self.data.about("train"),
            "batch_size": self.batch_size,
            "horizontal_flip": self.horizontal_flip,
            "seed": self.seed,
            "samples_per_class": self.samples_per_class,
            "dtype_policy": self.dtype_policy,
        }

    def train(self, name: str, minutes: Sequence[float]) -> None:
        """Trains a contender up to the last milestone, and draws samples at each.

        One whose samples are all there, drawn with the same settings, is done; one that was stopped
        goes on from where it was at most `MINUTES_BETWEEN_STATES` before. (Not bit for bit: noise
        that TensorFlow draws begins anew.)

        Raises:
            ValueError: for a folder with samples of other settings.
        """
        folder = Path(self.output) / name
        folder.mkdir(parents=True, exist_ok=True)
        settings = self._settings()
        files = {each: folder / f"{each}_minutes.npz" for each in minutes}
        kept = folder / "settings.json"
        if not kept.exists():
            write_json(kept, settings)
        elif read_json(kept) != settings:
            raise ValueError(
                f"{str(folder)!r} holds what was trained with other data or settings: "
                f"{read_json(kept)}. Received: {settings}. Choose another --output."
            )
        left = [each for each in minutes if not files[each].exists()]
        if not left:
            print(f"{TITLES[name]}: its samples are there, {folder}")
            return
        model = self.model(name)
        state = State(model, folder / "state.npz")
        steps, trained = state.read()
        if trained >= 60 * min(left):  # Its samples are gone, and so is the model at that time.
            model, steps, trained = self.model(name), 0, 0.0
            state = State(model, folder / "state.npz")
        stream = self.data.load(
            batch_size=self.batch_size, seed=self.seed, repeat=True, dtype="uint8"
        )
        began = f", {trained / 60:.1f} of them done" if steps else ""
        print(f"\n{TITLES[name]}: {max(left)} minutes of training{began}", flush=True)
        model.fit(
            stream.skip(steps).prefetch(4),
            steps_per_epoch=10**9,
            shuffle=False,
            verbose=0,
            callbacks=[
                _Milestones(
                    left,
                    lambda at, step: self._draw(model, folder, at, step),
                    state,
                    (steps, trained),
                )
            ],
        )

    def _draw(self, model: Contender, folder: Path, minutes: float, step: int) -> None:
        classes = len(self.data.class_names)
        labels = np.repeat(np.arange(classes), self.samples_per_class)
        began, parts = time.monotonic(), []
        for start in range(0, len(labels), BATCH_SIZE):
            part = labels[start : start + BATCH_SIZE]
            parts.append(model.generate(part, seed=self.seed + start))
        seconds = time.monotonic() - began
        images = np.concatenate(parts)
        with replacing(folder / f"{minutes}_minutes.npz", ending=".npz") as partial:
            np.savez_compressed(
                partial,
                images=images,
                labels=labels,
                steps=step,
                seconds_of_sampling=seconds,
            )
        chosen = np.linspace(0, classes - 1, min(SHOWN_CLASSES, classes)).astype(int)
        shown = min(SHOWN_EACH, self.samples_per_class)
        rows = np.concatenate([images[labels == label][:shown] for label in chosen])
        pictures.write_png(folder / f"{minutes}_minutes.png", pictures.grid(rows, columns=shown))
        print(f"{minutes} minutes: {step:,} steps, samples drawn in {seconds:.1f} s", flush=True)

    def measure(
        self, names: Sequence[str], minutes: Sequence[float], judge: str, max_test_images: int
    ) -> str:
        """Measures the samples of each contender at each milestone, and returns the table."""
        run = RunDirectory(self.output)
        real_side = judged_side(self.data, run, judge, max_test_images=max_test_images)
        rows = [{"title": "held-out pictures", **real_side.real(METRICS)[0]}]
        for name in names:
            for each in minutes:
                with np.load(run.path / name / f"{each}_minutes.npz") as samples:
                    images, labels = samples["images"], samples["labels"]
                    steps, seconds = int(samples["steps"]), float(samples["seconds_of_sampling"])
                stream = (
                    (images[start : start + BATCH_SIZE], labels[start : start + BATCH_SIZE])
                    for start in range(0, len(labels), BATCH_SIZE)
                )
                figures, _, _ = real_side.measure(stream, real_side.metrics(METRICS))
                rows.append(
                    {
                        "title": TITLES[name],
                        "minutes": each,
                        "pictures_seen": steps * self.batch_size,
                        "samples_a_second": len(labels) / seconds,
                        **figures,
                    }
                )
        write_json(run.path / "results.json", {"settings": self._settings(), "rows": rows})
        text = _table(rows)
        (run.path / "table.md").write_text(text + "\n", encoding="utf-8")
        return text


def _table(rows: Sequence[dict[str, Any]]) -> str:
    return markdown(
        ["", "minutes", "pictures seen", *METRICS.values(), "samples/s"],
        [
            [
                row["title"],
                str(row.get("minutes", "–")),
                f"{row['pictures_seen']:,}" if "pictures_seen" in row else "–",
                *(number(row.get(name)) for name in METRICS),
                number(row.get("samples_a_second")),
            ]
            for row in rows
        ],
    )


class State:
    """A contender in the midst of its training, in a file.

    Args:
        model: the contender, compiled.
        path: path of the .npz file.
    """

    def __init__(self, model: keras.Model, path: Path) -> None:
        self.path = path
        optimizers = model.optimizers if isinstance(model, AdaptiveGAN) else [model.optimizer]
        found = {id(x): x for x in model.variables}
        for optimizer in optimizers:
            if not optimizer.built:
                optimizer.build(model.trainable_variables)
            found |= {id(x): x for x in optimizer.variables}
        self._variables = list(found.values())

    def read(self) -> tuple[int, float]:
        """Sets the variables to what they were; returns steps and seconds of training, or zeros."""
        if not self.path.exists():
            return 0, 0.0
        with np.load(self.path, allow_pickle=False) as kept:
            values = [kept[str(number)] for number in range(len(kept.files) - 2)]
            for variable, value in zip(self._variables, values, strict=True):
                variable.assign(value)
            return int(kept["steps"]), float(kept["seconds"])

    def write(self, steps: int, seconds: float) -> None:
        """Keeps the variables.

        Args:
            steps: steps taken.
            seconds: seconds of training.
        """
        values = {str(number): np.asarray(x) for number, x in enumerate(self._variables)}
        with replacing(self.path, ending=".npz") as partial:
            np.savez(partial, steps=steps, seconds=seconds, **values)


class _Milestones(keras.callbacks.Callback):
    """Calls a function at each of some minutes of training, and keeps the state in between.

    The clock leaves out both.
    """

    def __init__(
        self, minutes: Sequence[float], reached: Any, state: State, begun: tuple[int, float]
    ) -> None:
        super().__init__()
        self._left, self._reached, self._state = sorted(minutes), reached, state
        self._before, self._trained = begun
        self._told = self._kept = self._trained

    def on_train_begin(self, logs: Any = None) -> None:
        self._since = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        steps = self._before + batch + 1
        now = time.monotonic()
        self._trained += now - self._since
        if self._trained - self._told >= 60:
            self._told = self._trained
            losses = "  ".join(f"{name} {value:.3g}" for name, value in (logs or {}).items())
            print(f"{self._trained / 60:.0f} minutes, step {steps:,}  {losses}", flush=True)
        at_milestone = False
        while self._left and self._trained >= 60 * self._left[0]:
            self._reached(self._left.pop(0), steps)
            at_milestone = True
        if at_milestone or self._trained - self._kept >= 60 * MINUTES_BETWEEN_STATES:
            self._kept = self._trained
            self._state.write(steps, self._trained)
        if not self._left:
            self.model.stop_training = True
        self._since = time.monotonic()
