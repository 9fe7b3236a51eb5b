"""What stands for trainings, models and judges that tests of other things need."""

import contextlib
import io
from types import SimpleNamespace

import numpy as np

from keras_cvaegan import pictures

TINY = (
    *("--dataset=folder", "--preset=compact", "--image_size=16"),
    *("--batch_size=4", "--latent_dim=3", "--steps=2"),
)
# In the order of their labels, with the darkest value of their pictures.
CLASSES = {"dark": 0, "light": 160, "middle": 80}
# Pictures a class: of each split another number.
COUNTS = {"train": 8, "validation": 2, "test": 4}


def paint(labels, seeds):
    """Pictures of the brightness of their class, with noise of their seed."""
    values = np.array(list(CLASSES.values()))
    noise = [np.random.default_rng(int(seed)).integers(0, 60, (16, 16, 3)) for seed in seeds]
    return (values[np.asarray(labels), None, None, None] + np.array(noise)).astype(np.uint8)


def write_pictures(root, counts=COUNTS, wrong=lambda number: False):
    """Writes a folder of each split with one for each of `CLASSES`; returns the flag that names it.

    Args:
        root: where.
        counts: pictures a class, by split.
        wrong: whether a number of a held-out picture is that of one with the next class's looks.
    """
    seed = 0
    for split, count in counts.items():
        for label, name in enumerate(CLASSES):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                seed += 1
                looks = (label + (split == "test" and wrong(number))) % len(CLASSES)
                picture = paint([looks], [seed])[0]
                pictures.write_png(root / split / name / f"{number:03d}.png", picture)
    return f"--data_dir={root}"


class Painter:
    """Stands for a trained model of `paint`.

    Args:
        conditional: whether its samples are of the class asked for; else all of "middle".
        confused: a class whose samples look like those of the next.
        reconstruct: uint8 images and labels to what it makes of them, in [−1, 1].
    """

    image_shape = (16, 16, 3)
    step = np.int32(2)

    def __init__(self, conditional=True, confused=None, reconstruct=None, batches_per_step=1):
        self.conditional, self.confused = conditional, confused
        self.class_names = tuple(CLASSES) if conditional else ("any",)
        self.batches_per_step = batches_per_step
        self.reconstruct = reconstruct

    def inference_names(self):
        return ("generator", "encoder")

    def class_weights(self, labels):
        return np.asarray(labels)  # As they come: it reconstructs by number.

    def generate(self, labels, seed=0):
        labels = np.asarray(labels)
        if not self.conditional:
            assert (labels == 0).all()
            labels = labels + list(CLASSES).index("middle")
        labels = np.where(labels == self.confused, (labels + 1) % len(CLASSES), labels)
        seeds = seed if np.ndim(seed) else seed + np.arange(len(labels))
        # Others than those of `write_pictures`.
        return paint(labels, np.asarray(seeds) + 10_000)


def run_without_training(config, dataset, run_dir, *, command="a command"):
    """Stands for `training.run`: leaves what it does after its last step, with first weights."""
    from keras_cvaegan.training import Trained
    from keras_cvaegan.training.checkpoints import save_checkpoint
    from keras_cvaegan.training.run_directory import RunDirectory

    directory = RunDirectory(run_dir)
    directory.create()
    model = config.build_model(dataset.class_names)
    model.step.assign(config.steps)
    directory.write_config(config.record(dataset.class_names, command))
    save_checkpoint(model, directory.checkpoints)
    model.save(directory.model)
    return Trained(model, directory, complete=True)


def leave_run(arguments, run_dir, model=None):
    """Leaves a finished run of untrained weights, of the flags of `trainers.fit`."""
    from trainers import fit
    from trainers.command_line.training_config import training_config
    from trainers.runs.data import TrainingPictures

    config = training_config(fit.COMMAND.parse(arguments))
    return run_without_training(config, TrainingPictures(config), run_dir)


def judge_without_training(train, validation, num_classes, *, augment, **_):
    """Stands for `recognition.train_classifier`: tells the classes by their mean brightness."""
    import keras
    from keras import layers

    images, labels = train
    inputs = keras.Input(images.shape[1:], name="images")
    logits = layers.Dense(num_classes, name="logits")
    model = keras.Model(inputs, logits(layers.GlobalAveragePooling2D(name="features")(inputs)))
    mean = np.array([np.mean(images[labels == label]) for label in range(num_classes)])
    mean = mean / 127.5 - 1
    # −(x − mean)² · 50, less what all classes have in common.
    logits.set_weights([np.tile(100 * mean / 3, (3, 1)), -50 * mean**2])
    return model


def caller(module, *always):
    """A function that calls a program and returns its exit code, output and errors."""

    def call(output, *arguments):
        printed, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            code = module.COMMAND.call(module.main, [*always, f"--output={output}", *arguments])
        return SimpleNamespace(code=code, output=printed.getvalue(), errors=errors.getvalue())

    return call
