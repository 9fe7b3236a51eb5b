"""Measures whether generated pictures help a recognition network: Table 2 of Bao et al. 2017.

One network is trained on a few real pictures of each class, on them and generated ones of the same
classes, and on them and generated ones of new classes, mixes of three; standard augmentation and as
many updates for each. Where little is said of the generator, each is trained on the same few
pictures. Started again, it goes on where it stopped.
"""

import dataclasses
import functools
import hashlib
import itertools
import json
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
from keras_cvaegan.progress import duration, time_left
from trainers import fit
from trainers.command_line import flags as command_line
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command
from trainers.reports.tables import markdown
from trainers.runs import configuration
from trainers.sweeps.over_seeds import cell, over_seeds

if TYPE_CHECKING:
    import keras
    from absl.flags import FlagValues

    from datasets.reading.lfw_pairs import Pairs
    from keras_cvaegan.models import GenerativeModel
    from keras_cvaegan.training.run_directory import RunDirectory

ARMS = {
    "none": "real pictures alone",
    "existing": "and generated ones of their classes",
    "new": "and generated ones of new classes",
    "both": "and generated ones of both",
}
"""What the network is trained on."""
MEASURES = {"accuracy": "Accuracy on held-out pictures", "verification": "Verification accuracy"}
LEVEL = 0.95
ALL = "all"
# Flags that may change when a study goes on: which trainings, not how.
FREE_FLAGS = frozenset(
    {"seeds", "images_per_class", "arms", "output", "log_every", "checkpoint_every", "data_dir"}
    | {"verification"}
)

COMMAND = Command("trainers.augmentation_study", __doc__, TRAINING_ENVIRONMENT)
command_line.data_flags(COMMAND)
with COMMAND.section("Trainings"):
    COMMAND.string(
        "images_per_class",
        f"5,10,20,{ALL}",
        "real training pictures a class, drawn by lot; all: as many as there are",
    )
    COMMAND.integer("seeds", 3, "trainings of each kind", lower_bound=1)
    COMMAND.string(
        "arms",
        "none,existing,new",
        "\n".join(["which, of", *(f"{name}: {doc}" for name, doc in ARMS.items())]),
    )
    COMMAND.integer("updates", 2_000, "of the recognition network, in every arm", lower_bound=1)
    COMMAND.integer("recognition_batch_size", 64, "pictures an update of it", lower_bound=1)
with COMMAND.section("Generated pictures"):
    COMMAND.integer("per_class", 200, "of each existing class", lower_bound=1)
    COMMAND.integer("new_classes", 100, "new classes, each a mix of three", lower_bound=1)
    COMMAND.integer("new_per_class", 100, "pictures of each", lower_bound=1)
    COMMAND.enum("mix_weights", "equal", ("equal", "random"), "as in trainers.augment")
    COMMAND.number(
        "min_confidence",
        None,
        "reject pictures that the model's own classifier doubts, as in trainers.augment",
        lower_bound=1e-6,
        upper_bound=1.0,
    )
with COMMAND.section("Generator"):
    COMMAND.repeated(
        "run_dir",
        "a run of trainers.fit on the same data to take, for all numbers of pictures, or for one, "
        "as in --run_dir=5=runs/five; a generator that saw more pictures than the recognition "
        "network is a favour to augmentation, and the results say so (default: for each number "
        "and seed, one is trained on the same pictures as the recognition network and no others)",
    )
    COMMAND.boolean(
        "one_generator",
        False,
        "one lot of pictures and one generator for all seeds, which takes a share of the time; "
        "what differs from seed to seed is then the recognition network's chance alone",
    )
    COMMAND.adopt(fit.COMMAND, *("model", "preset", "latent_dim", "set", "steps", "batch_size"))
    COMMAND.adopt(fit.COMMAND, *("learning_rate", "dtype_policy", "jit_compile"))
    COMMAND.adopt(fit.COMMAND, *("horizontal_flip", "log_every", "checkpoint_every"))
with COMMAND.section("Measures"):
    COMMAND.string(
        "verification",
        None,
        "folder of Labeled Faces in the Wild with its pairs.txt: tell pairs of pictures of one "
        "person from others by the cosine similarity of features, the threshold chosen on nine "
        "folds for the tenth; pairs of people who are classes of the training are left out",
    )
with COMMAND.section("Results"):
    COMMAND.string(
        "output", "runs/augmentation", "folder of study.json, table.md and the generators' runs"
    )


def parse_sizes(text: str) -> list[str]:
    """Returns the numbers of pictures a class that `--images_per_class` lists.

    Raises:
        ValueError: for what is none.

    Example:

    >>> parse_sizes("5, 10,all,5")
    ['5', '10', 'all']
    """
    sizes = []
    for part in (part.strip() for part in text.split(",")):
        if part != ALL and not (part.isdecimal() and int(part) > 0):
            raise ValueError(
                f"--images_per_class takes numbers of 1 or more, or {ALL}. Received: {part!r}."
            )
        sizes.append(part if part == ALL else str(int(part)))
    return list(dict.fromkeys(sizes))


def parse_runs(texts: Sequence[str], sizes: Sequence[str]) -> dict[str, str]:
    """Returns the run of each number of pictures that has one.

    Raises:
        ValueError: for two of one number, or a number that is not asked for.

    Example:

    >>> parse_runs(["runs/a", "5=runs/b"], ["5", "10"])
    {'10': 'runs/a', '5': 'runs/b'}
    """
    runs: dict[str, str] = {}
    own: dict[str, str] = {}
    for text in texts:
        size, separator, path = text.partition("=")
        known = separator and (size == ALL or size.isdecimal())
        if known and (size not in sizes or size in own):
            raise ValueError(
                f"--run_dir takes one run for each of --images_per_class={','.join(sizes)}. "
                f"Received: --run_dir={text}."
            )
        if known:
            own[size] = path
        elif runs:
            raise ValueError("--run_dir takes one run for all numbers: give others a number each.")
        else:
            runs = dict.fromkeys(sizes, text)
    return {size: run for size, run in runs.items() if size not in own} | own


@dataclasses.dataclass(frozen=True)
class Training:
    """One training of the recognition network.

    Args:
        size: real pictures a class, as `parse_sizes` has it.
        seed: from 0 on.
        arm: one of `ARMS`.
    """

    size: str
    seed: int
    arm: str

    @property
    def key(self) -> str:
        """Its name in study.json."""
        return f"{self.size} seed_{self.seed} {self.arm}"


class Study:
    """Trains what is compared, and keeps the figures.

    Args:
        values: the flags.

    Raises:
        ValueError: for flags or data that cannot be, or an output of a study with other flags.
        OSError: when the output cannot be written.
    """

    def __init__(self, values: "FlagValues") -> None:
        from keras_cvaegan.training.run_directory import RunDirectory

        self.values = values
        self.sizes = parse_sizes(values.images_per_class)
        self.arms = command_line.choices(values.arms, "arms", ARMS)
        self.runs = parse_runs(values.run_dir, self.sizes)
        self._fit_arguments = COMMAND.arguments_for(fit.COMMAND, values, but=["run_dir"])
        self.config = configuration.configure(fit.COMMAND.parse(self._fit_arguments))
        arguments = configuration.data_arguments(self.config)
        self.train = datasets.prepare(split="train", **arguments)
        self.test = datasets.prepare(split="test", **arguments)
        self.class_names = self.train.description.class_names
        self.notes: list[str] = []
        for size, path in self.runs.items():
            self._check_run(size, RunDirectory(path))
        self.pairs = self._read_pairs()
        self.output = RunDirectory(values.output)
        self.path = self.output.path / "study.json"
        self.trainings: dict[str, dict[str, Any]] = {}
        self.asked = self._asked()
        self._take_up()

    def all(self) -> list[Training]:
        """Returns all trainings, in their order: all kinds of the first seed come first."""
        seeds = range(self.values.seeds)
        return [Training(*each) for each in _sizes_first(self.sizes, seeds, self.arms)]

    def _check_run(self, size: str, run: "RunDirectory") -> None:
        """Refuses a run of other data, and notes where it saw more than the recognition network."""
        run.finished_model()
        config = configuration.ADDED_KEYS | run.read_config()["config"]
        ours, theirs = (configuration.data_arguments(each) for each in (self.config, config))
        if ours != theirs:
            raise ValueError(
                f"The run {str(run.path)!r} must be of the study's data, or it may have seen its "
                f"held-out pictures: {theirs} is not {ours}."
            )
        if size != ALL or config["labelled_share"] < 1:
            seen = config["labelled_share"] * len(self.train.labels)
            self.notes.append(
                f"the generator of {size} pictures a class is {run.path!s}, which saw "
                f"{seen:,.0f} training pictures, and others or more than the recognition network: "
                "a favour to augmentation"
            )

    def _read_pairs(self) -> "Pairs | None":
        if not self.values.verification:
            return None
        from datasets.reading.lfw_pairs import read_pairs

        pairs = read_pairs(self.values.verification, self.config["image_size"], self.class_names)
        if pairs.left_out:
            self.notes.append(
                f"verification: {pairs.left_out:,} of {pairs.left_out + len(pairs.same):,} pairs "
                "are left out, since people in them are classes of the training"
            )
        return pairs

    def _asked(self) -> dict[str, Any]:
        """What all figures depend on, as JSON has it."""
        import keras_cvaegan
        from keras_cvaegan.metrics import recognition

        flags = COMMAND.settings(self.values)
        data = [configuration.data_source(self.config, split) for split in ("train", "test")]
        named = json.dumps([[each.class_names, each.key] for each in data])
        asked = {name: value for name, value in flags.items() if name not in FREE_FLAGS}
        pairs = self.pairs and hashlib.sha256(self.pairs.images.tobytes()).hexdigest()[:16]
        return {
            **asked,
            "image_size": self.config["image_size"],
            "steps": self.config["steps"],
            "data": hashlib.sha256(named.encode()).hexdigest()[:16],
            "pairs": pairs,
            "recognition": recognition.VERSION,
            "version": keras_cvaegan.__version__,
        }

    def _take_up(self) -> None:
        """Takes the figures of an earlier call.

        Raises:
            ValueError: where it had other flags.
        """
        from keras_cvaegan.training.run_directory import read_json

        if not self.path.exists():
            return
        earlier = read_json(self.path)
        old, now = earlier.get("asked", {}), self.asked
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
        self.trainings = earlier.get("trainings", {})

    def run(self) -> bool:
        """Trains what is not trained yet; returns False where a signal asked to stop."""
        to_do = [each for each in self.all() if each.key not in self.trainings]
        count, taken = len(self.all()), {arm: [] for arm in ARMS}
        print(f"{count - len(to_do)} of {count} trainings are complete: {self.output.path}")
        if generators := len(self._generators(to_do)):
            plural = "" if generators == 1 else "s"
            print(f"They take {generators} generator{plural} of {self.config['steps']:,} steps.")
        self.output.create()
        with self.output.lock():
            for (seed, size), some in itertools.groupby(to_do, lambda each: (each.seed, each.size)):
                with tempfile.TemporaryDirectory(dir=self.output.path, prefix=".generated") as temp:
                    pictures = Pictures(self, size, seed, Path(temp))
                    for training in some:
                        number = to_do.index(training)
                        left = time_left(taken, [each.arm for each in to_do[number:]])
                        about = "" if left is None else f", about {duration(left)} left"
                        which = f"{size} real pictures a class, seed {seed}, {training.arm}"
                        number += count - len(to_do) + 1
                        print(f"\nTraining {number} of {count}: {which}{about}", flush=True)
                        began = time.monotonic()
                        if not pictures.ready(training.arm):
                            return False
                        self._keep(training, pictures)
                        taken[training.arm].append(time.monotonic() - began)
        return True

    def _generators(self, to_do: Sequence[Training]) -> set[tuple[str, int]]:
        """Numbers of pictures and seeds of the generators to train, or to find trained."""
        return {
            (each.size, 0 if self.values.one_generator else each.seed)
            for each in to_do
            if _kinds(each.arm) and each.size not in self.runs
        }

    def _keep(self, training: Training, pictures: "Pictures") -> None:
        """Trains and measures the recognition network, and writes its figures."""
        from keras_cvaegan.metrics import recognition
        from keras_cvaegan.training.run_directory import write_json
        from trainers.augmentation import generated as trainings

        parts, values = pictures.parts(training.arm), self.values
        num_classes = len(self.class_names)
        has_new = training.arm in ("new", "both")
        model = recognition.train_recognition(
            parts,
            num_classes + (values.new_classes if has_new else 0),
            updates=values.updates,
            batch_size=values.recognition_batch_size,
            seed=training.seed,
            verbose=True,
        )
        held_out = self.test.images, self.test.labels
        found: dict[str, Any] = {
            "accuracy": recognition.accuracy(model, held_out, num_classes),
            "real": trainings.describe_lot(parts[0][1], num_classes),
            "generated": [len(labels) for _, labels in parts[1:]],
            "few": [pictures.few[each] for each in _kinds(training.arm) if pictures.few[each]],
            **self._verify(model),
        }
        self.trainings[training.key] = found
        shown = [f"{MEASURES[name]}: {found[name]:.3f}" for name in MEASURES if name in found]
        print(f"\n{', '.join(shown)}", flush=True)
        write_json(self.path, {"asked": self.asked, "trainings": self.trainings})

    def _verify(self, model: "keras.Model") -> dict[str, float]:
        if self.pairs is None:
            return {}

        from keras_cvaegan.metrics import recognition

        found = self.pairs.verify(recognition.features_of(model))
        return {
            "verification": found.accuracy,
            "verification_standard_error": found.standard_error,
        }

    def train_generator(self, size: str, seed: int, part: Any) -> "GenerativeModel | None":
        """Returns the generator of some of the training pictures, trained where it is not.

        Returns None where a signal asked to stop.

        Raises:
            ValueError: when the training failed.
        """
        import keras

        import keras_cvaegan
        from trainers.augmentation import generated as trainings

        folder = self.output.path / size / f"seed_{seed}"
        held_out = self.output.path / "held_out"
        if not held_out.exists():
            from keras_cvaegan.files import replacing_folder

            with replacing_folder(held_out) as partial:
                real = self.test.images, self.test.labels
                trainings.write_classes(partial, real, self.class_names)
        trainings.write_folder(folder / "pictures", part, held_out, self.class_names)
        own = {"dataset", "data_dir", "num_classes", "crop_to_box", "min_images", "image_size"}
        arguments = [each for each in self._fit_arguments if _flag(each) not in own]
        if "batch_size" not in map(_flag, arguments):
            # Of few pictures none fills the preset's batch; half of some batches are of one kind.
            arguments.append(
                f"--batch_size={min(self.config['batch_size'], len(part[1]) // 2 * 2)}"
            )
        run = folder / "generator"
        arguments += [
            *("--dataset=folder", f"--data_dir={folder / 'pictures'}", f"--run_dir={run}"),
            *(f"--image_size={self.config['image_size']}", f"--seed={seed}", "--noexport"),
        ]
        print(f"Generator of {len(part[1]):,} pictures: {run}", flush=True)
        keras.utils.clear_session()
        code = fit.COMMAND.call(fit.main, arguments)
        if code == INTERRUPTED:
            return None
        if code:
            raise ValueError(f"The generator in {str(run)!r} did not come to its end: see above.")
        return keras_cvaegan.load(run)

    def summary(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Returns each measure by number of pictures and arm: see `over_seeds`."""
        result: dict[str, dict[str, dict[str, Any]]] = {}
        names = [name for name in MEASURES if name == "accuracy" or self.pairs is not None]
        for name, size in itertools.product(names, self.sizes):
            for arm in self.arms:
                runs = [
                    self.trainings[Training(size, seed, arm).key]
                    for seed in range(self.values.seeds)
                ]
                found = over_seeds([{name: run[name]} for run in runs])[name]
                result.setdefault(name, {}).setdefault(size, {})[arm] = found
        return result


class Pictures:
    """The pictures of one number a class and one seed, generated when they are first needed.

    Args:
        study: of which.
        size: real pictures a class.
        seed: of the training.
        folder: where generated ones lie as long as they are needed.
    """

    def __init__(self, study: Study, size: str, seed: int, folder: Path) -> None:
        from datasets.pipeline.semi_supervised import labelled_rows

        self._study, self._size, self._folder = study, size, folder
        self._seed = 0 if study.values.one_generator else seed
        labels, per_class = study.train.labels, None if size == ALL else int(size)
        self._rows = labelled_rows(labels, len(study.class_names), 1.0, self._seed, per_class)
        self._parts: dict[str, Any] = {}
        self.few: dict[str, str] = {}

    def ready(self, arm: str) -> bool:
        """Generates what an arm needs; returns False where a signal asked to stop."""
        for kind in _kinds(arm):
            if kind not in self._parts:
                if self._generator is None:
                    return False
                self._generate(kind)
        return True

    def parts(self, arm: str) -> list[Any]:
        """Returns images and labels: the real ones, and then those of an arm that is ready."""
        return [self._real, *(self._parts[kind] for kind in _kinds(arm))]

    @functools.cached_property
    def _real(self) -> Any:
        train, rows = self._study.train, self._rows
        if self._size == ALL:  # Which may be many: they stay on disk.
            return train.images, train.labels
        return train.images[rows], train.labels[rows]

    @functools.cached_property
    def _generator(self) -> "GenerativeModel | None":
        import keras_cvaegan
        from keras_cvaegan.applications import inputs

        study = self._study
        if self._size not in study.runs:
            # Its classes have other names, of folders, in the same order.
            return study.train_generator(self._size, self._seed, self._real)
        model = keras_cvaegan.load(study.runs[self._size])
        about = study.train.description
        inputs.check_data(model, about.class_names, about.image_shape)
        return model

    def _generate(self, kind: str) -> None:
        from keras_cvaegan.applications import augmentation as augmenting
        from trainers.augmentation import generated as trainings

        values, num_classes = self._study.values, len(self._study.class_names)
        counts, mixes = [values.per_class] * num_classes, []
        if kind == "new":
            mixes = augmenting.new_classes(
                num_classes, values.new_classes, weights=values.mix_weights, seed=self._seed
            )
            counts = [0] * num_classes + [values.new_per_class] * len(mixes)
        self._parts[kind], self.few[kind] = trainings.generate(
            self._generator,
            counts,
            mixes,
            seed=self._seed,
            min_confidence=values.min_confidence,
            folder=self._folder,
            title=kind,
        )


def _kinds(arm: str) -> tuple[str, ...]:
    """The kinds of generated pictures in an arm."""
    return {"none": (), "both": ("existing", "new")}.get(arm, (arm,))


def _flag(argument: str) -> str:
    return argument.removeprefix("--").partition("=")[0]


def _sizes_first(
    sizes: Sequence[str], seeds: Sequence[int], arms: Sequence[str]
) -> list[tuple[str, int, str]]:
    return [(size, seed, arm) for seed, size, arm in itertools.product(seeds, sizes, arms)]


def compare(values: Sequence[float], others: Sequence[float]) -> dict[str, Any]:
    """Returns what figures of the same seeds say of the difference of two arms.

    Args:
        values: of one arm, by seed.
        others: of the other.

    Returns:
        Its mean, the interval in which it lies by Student's t with probability `LEVEL` (None of
        one seed), seeds in which it is above 0, and "gain", "loss" or "undecided".

    Example:

    >>> compare([0.5, 0.75], [0.25, 0.5])
    {'mean': 0.25, 'interval': [0.25, 0.25], 'better': 2, 'seeds': 2, 'says': 'gain'}
    >>> compare([0.5], [0.25])
    {'mean': 0.25, 'interval': None, 'better': 1, 'seeds': 1, 'says': 'undecided'}
    """
    import numpy as np
    from scipy import stats

    differences = np.asarray(values, np.float64) - np.asarray(others, np.float64)
    count, mean = len(differences), float(differences.mean())
    found = {"mean": mean, "interval": None, "better": int(np.sum(differences > 0))}
    says = "undecided"
    if count > 1:
        error = float(differences.std(ddof=1) / np.sqrt(count))
        width = float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * error
        found["interval"] = [mean - width, mean + width]
        says = "gain" if mean > width else "loss" if mean < -width else says
    return {**found, "seeds": count, "says": says}


def comparisons(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns `compare` of each arm with real pictures alone, by measure and number."""
    found = []
    for name, of_measure in summary.items():
        for size, arms in of_measure.items():
            for arm in arms.keys() - {"none"} if "none" in arms else ():
                sides = (arms[arm]["by_seed"], arms["none"]["by_seed"])
                found.append({"measure": name, "size": size, "arm": arm, **compare(*sides)})
    order = list(ARMS)
    return sorted(found, key=lambda each: (list(MEASURES).index(each["measure"]),
                                           order.index(each["arm"])))  # fmt: skip


def comparison_line(found: Mapping[str, Any]) -> str:
    """Returns what a comparison says, to be read.

    Example:

    >>> about = {"measure": "accuracy", "size": "5", "arm": "new"}
    >>> print(comparison_line({**about, **compare([0.5, 0.75], [0.25, 0.5])}))
    accuracy, 5 a class, new: +0.250, 95 % interval +0.250 to +0.250, better in 2 of 2 seeds: gain
    """
    interval = ""
    if found["interval"] is not None:
        low, high = found["interval"]
        interval = f", {LEVEL:.0%}".replace("%", " %") + f" interval {low:+.3f} to {high:+.3f}"
    return (
        f"{found['measure']}, {found['size']} a class, {found['arm']}: {found['mean']:+.3f}"
        f"{interval}, better in {found['better']} of {found['seeds']} seeds: {found['says']}"
    )


def verdict(found: Sequence[Mapping[str, Any]]) -> str:
    """Returns in a sentence what the numbers allow to say.

    Example:

    >>> verdict([{"says": "gain", "seeds": 3}, {"says": "undecided", "seeds": 3}])
    'Verdict: of 2 comparisons with real pictures alone, 1 shows a gain, 0 a loss, and 1 cannot be
    told from chance with 3 seeds.'
    """
    if not found:
        return "Verdict: none, since there is nothing to compare: --arms=none,existing,new."
    seeds = found[0]["seeds"]
    if seeds == 1:
        return "Verdict: none, since one seed cannot be told from chance: take --seeds=3 or more."
    count = {says: sum(each["says"] == says for each in found) for says in ("gain", "loss")}
    rest = len(found) - sum(count.values())
    shows = "shows" if count["gain"] == 1 else "show"
    return (
        f"Verdict: of {len(found)} comparisons with real pictures alone, {count['gain']} {shows} "
        f"a gain, {count['loss']} a loss, and {rest} cannot be told from chance with {seeds} seeds."
    )


def table(of_measure: Mapping[str, Mapping[str, Any]], title: str) -> str:
    """Returns a measure as Markdown: a row for each number of pictures, a column for each arm."""
    arms = list(next(iter(of_measure.values())))
    rows = [[size, *(cell(of_size[arm]) for arm in arms)] for size, of_size in of_measure.items()]
    return f"{title}, by real pictures a class:\n\n{markdown(['', *arms], rows)}"


def page(results: Mapping[str, Any]) -> str:
    """Returns the contents of table.md."""
    arms = "; ".join(f"{arm}: {ARMS[arm]}" for arm in results["arms"])
    tables = [table(of, MEASURES[name]) for name, of in results["summary"].items()]
    return "\n\n".join(
        [
            *tables,
            "\n".join(f"- {comparison_line(each)}" for each in results["comparisons"]),
            results["verdict"],
            f"{arms}. Mean ± standard deviation over seeds; intervals are of the difference within "
            "a seed, by Student's t, each by itself.",
            *(f"Note: {note}." for note in results["notes"]),
        ]
    )


def _notes(study: Study) -> list[str]:
    """What has to be said beside the figures."""
    notes = list(dict.fromkeys(study.notes))
    alone = [size for size in study.sizes if size not in study.runs]
    if alone and set(study.arms) != {"none"}:
        notes.insert(0, f"the generators of {', '.join(alone)} real pictures a class were trained "
                     "on the same pictures as the recognition network, and no others")  # fmt: skip
    if study.values.one_generator:
        notes.append(
            "one lot of pictures and one generator serve all seeds: the intervals leave out their "
            "chance"
        )
    notes.append(
        f"{study.values.updates:,} updates of {study.values.recognition_batch_size} pictures, "
        "shifted and mirrored, in every arm"
    )
    few = dict.fromkeys(note for each in study.all() for note in study.trainings[each.key]["few"])
    return [*notes, *(note.rstrip(".") for note in few)]


def main(values: "FlagValues") -> int:
    from keras_cvaegan import files
    from keras_cvaegan.training.run_directory import write_json

    study = Study(values)
    for note in study.notes:
        print(f"Note: {note}.")
    if not study.run():
        print(f"To go on with the whole:\n  {COMMAND.command}")
        return INTERRUPTED
    summary = study.summary()
    found = comparisons(summary)
    results = {
        "flags": COMMAND.settings(values),
        "asked": study.asked,
        "arms": study.arms,
        "summary": summary,
        "comparisons": found,
        "verdict": verdict(found),
        "notes": _notes(study),
        "trainings": study.trainings,
    }
    text, output = page(results), study.output.path
    write_json(study.path, results)
    files.write_text(output / "table.md", f"{text}\n")
    print(f"\n{text}\n\nWritten to {shlex.quote(str(output))}: study.json, table.md")
    return 0


if __name__ == "__main__":
    COMMAND.run(main)
