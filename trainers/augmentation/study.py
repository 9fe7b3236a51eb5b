"""Recognition networks trained on real pictures, with and without generated ones, and measured."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

import keras_cvaegan
from datasets.reading.lfw_pairs import Pairs, read_pairs
from keras_cvaegan import files
from keras_cvaegan.metrics import recognition
from keras_cvaegan.progress import duration, time_left
from keras_cvaegan.training.configuration import TrainingConfig
from keras_cvaegan.training.run_directory import RunDirectory, read_json, write_json
from trainers.augmentation.generators import PICTURES_VERSION, Generators
from trainers.augmentation.pictures import ArmPictures, class_sizes
from trainers.augmentation.results import results_of
from trainers.augmentation.settings import (
    ARMS,
    KINDS,
    MEASURES,
    StudySettings,
    Training,
    parse_runs,
    parse_sizes,
)
from trainers.augmentation.verdicts import page
from trainers.command_line import flags
from trainers.command_line.training_config import training_config
from trainers.runs.data import open_data

if TYPE_CHECKING:
    from absl.flags import FlagValues

FREE_FLAGS = frozenset(
    {"seeds", "images_per_class", "arms", "output", "log_every", "checkpoint_every", "data_dir"}
    | {"verification"}
)
"""Flags that may change when a study goes on: which trainings, not how."""


def open_study(values: FlagValues, flags_by_name: Mapping[str, Any], command: str) -> Study:
    """Returns the study that flags describe.

    Args:
        values: flags of `trainers.augmentation_study`.
        flags_by_name: value of each of them, as JSON has it.
        command: command that started the program.

    Raises:
        ValueError: for flags or data that cannot be, or an output of a study with other flags.
    """
    sizes = parse_sizes(values.images_per_class)
    settings = StudySettings(
        sizes=sizes,
        arms=flags.choices(values.arms, "arms", ARMS),
        seeds=values.seeds,
        updates=values.updates,
        recognition_batch_size=values.recognition_batch_size,
        per_class=values.per_class,
        new_classes=values.new_classes,
        new_per_class=values.new_per_class,
        mix_weights=values.mix_weights,
        min_confidence=values.min_confidence,
        runs=parse_runs(values.run_dir, sizes),
        one_generator=values.one_generator,
        smaller_batches=values.batch_size is None,
        verification=values.verification,
    )
    # The flag of this name lists several numbers.
    config = training_config(values, images_per_class=None)
    return Study(settings, config, values.output, flags_by_name, command)


class Study:
    """Trains what is compared, and keeps the figures.

    Args:
        settings: settings of the study.
        config: configuration of the generators; each takes seed and pictures of its own.
        output: folder of study.json, table.md and the generators' runs.
        flags_by_name: flags of the program, for study.json; those that are not among `FREE_FLAGS`
            may not change when the study goes on.
        command: command that started the program.

    Attributes:
        notes: sentences to be said before anything is trained.

    Raises:
        ValueError: for data or given runs that cannot be, or an output of a study with other
            settings.
    """

    def __init__(
        self,
        settings: StudySettings,
        config: TrainingConfig,
        output: str | os.PathLike,
        flags_by_name: Mapping[str, Any],
        command: str = "",
    ) -> None:
        self.settings, self.config = settings, config
        self._flags = flags_by_name
        self.output = RunDirectory(output)
        self.notes: list[str] = []
        self._data = open_data(config)
        self._training, self._test = (self._data.prepare(split) for split in ("train", "test"))
        self._class_names = self._data.class_names
        self._generators = Generators(settings, config, self._data, self.output.path, command)
        self.notes += self._generators.notes
        self._pairs = self._read_pairs()
        self._path = self.output.path / "study.json"
        self._figures: dict[str, dict[str, Any]] = {}
        self._asked = self._what_is_asked()
        self._take_up()

    def _read_pairs(self) -> Pairs | None:
        if not self.settings.verification:
            return None
        side = self.config.image_size
        pairs = read_pairs(self.settings.verification, side, self._class_names)
        if pairs.left_out:
            self.notes.append(
                f"verification: {pairs.left_out:,} of {pairs.left_out + len(pairs.same):,} pairs "
                "are left out, since people in them are classes of the training"
            )
        return pairs

    def _what_is_asked(self) -> dict[str, Any]:
        """What all figures depend on, as JSON has it."""
        sources = [self._data.source(split) for split in ("train", "test")]
        named = json.dumps([[each.class_names, each.key] for each in sources])
        pairs = self._pairs and hashlib.sha256(self._pairs.images.tobytes()).hexdigest()[:16]
        return {
            **{name: value for name, value in self._flags.items() if name not in FREE_FLAGS},
            "image_size": self.config.image_size,
            "steps": self.config.steps,
            "data": hashlib.sha256(named.encode()).hexdigest()[:16],
            "pairs": pairs,
            "pictures": PICTURES_VERSION,
            "recognition": recognition.VERSION,
            "version": keras_cvaegan.__version__,
        }

    def _take_up(self) -> None:
        """Takes the figures of an earlier call.

        Raises:
            ValueError: where it had other settings.
        """
        if not self._path.exists():
            return
        earlier = read_json(self._path)
        old, now = earlier.get("asked", {}), self._asked
        differing = [
            f"{key} was {old.get(key)!r} and is now {now.get(key)!r}"
            for key in sorted({*old, *now})
            if old.get(key) != now.get(key)
        ]
        if differing:
            raise ValueError(
                f"The study in {str(self.output.path)!r} has other settings: "
                f"{'; '.join(differing)}. Choose another --output."
            )
        self._figures = earlier.get("trainings", {})

    def run(self) -> bool:
        """Trains what is not trained yet; returns False where a signal asked to stop.

        Raises:
            ValueError: when a generator's training does not come to its end.
            OSError: when the output cannot be written, or another process trains there.
        """
        trainings, taken = self.settings.trainings(), {arm: [] for arm in ARMS}
        to_do = [each for each in trainings if each.key not in self._figures]
        done = len(trainings) - len(to_do)
        print(f"{done} of {len(trainings)} trainings are complete: {self.output.path}")
        if generators := len(self.settings.generators(to_do)):
            plural = "" if generators == 1 else "s"
            print(f"They take {generators} generator{plural} of {self.config.steps:,} steps.")
        self.output.create()
        with self.output.lock():
            for (seed, size), some in itertools.groupby(to_do, lambda each: (each.seed, each.size)):
                with tempfile.TemporaryDirectory(dir=self.output.path, prefix=".generated") as temp:
                    pictures = self._pictures(size, seed, Path(temp))
                    for training in some:
                        number = to_do.index(training)
                        left = time_left(taken, [each.arm for each in to_do[number:]])
                        about = "" if left is None else f", about {duration(left)} left"
                        which = f"{size} real pictures a class, seed {seed}, {training.arm}"
                        count = f"Training {done + number + 1} of {len(trainings)}"
                        print(f"\n{count}: {which}{about}", flush=True)
                        began = time.monotonic()
                        if not pictures.prepare(training.arm):
                            return False
                        self._train(training, pictures)
                        taken[training.arm].append(time.monotonic() - began)
        return True

    def _pictures(self, size: str, seed: int, folder: Path) -> ArmPictures:
        return ArmPictures(self.settings, self._training, self._generators, size, seed, folder)

    def _train(self, training: Training, pictures: ArmPictures) -> None:
        """Trains and measures the recognition network, and writes its figures."""
        parts, settings = pictures.parts(training.arm), self.settings
        num_classes, kinds = len(self._class_names), KINDS[training.arm]
        model = recognition.train_recognition(
            parts,
            num_classes + (settings.new_classes if "new" in kinds else 0),
            updates=settings.updates,
            batch_size=settings.recognition_batch_size,
            seed=training.seed,
            verbose=True,
        )
        held_out = self._test.images, self._test.labels
        found: dict[str, Any] = {
            "accuracy": recognition.accuracy(model, held_out, num_classes),
            "real": class_sizes(parts[0][1], num_classes),
            "generated": [len(labels) for _, labels in parts[1:]],
            "few": [pictures.few[kind] for kind in kinds if pictures.few[kind]],
            **self._verify(model),
        }
        self._figures[training.key] = found
        shown = [f"{MEASURES[name]}: {found[name]:.3f}" for name in MEASURES if name in found]
        print(f"\n{', '.join(shown)}", flush=True)
        write_json(self._path, {"asked": self._asked, "trainings": self._figures})

    def _verify(self, model: keras.Model) -> dict[str, float]:
        if self._pairs is None:
            return {}
        found = self._pairs.verify(recognition.features_of(model))
        return {
            "verification": found.accuracy,
            "verification_standard_error": found.standard_error,
        }

    def write(self) -> str:
        """Writes study.json and table.md of a study that has run; returns the text of table.md.

        Raises:
            OSError: when they cannot be written.
        """
        found = results_of(self.settings, self._figures, self.notes)
        text, head = page(found), {"flags": dict(self._flags), "asked": self._asked}
        write_json(self._path, {**head, **found, "trainings": self._figures})
        files.write_text(self.output.path / "table.md", f"{text}\n")
        return text
