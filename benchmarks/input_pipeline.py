"""Measures the input pipeline: against what a training step takes in, `DataLoader` and Grain.

The step trains in another process on batches in memory. PyTorch's `DataLoader` reads the same JPEG
files, which the program draws: the first epoch decodes them all; the following ones of
`datasets.load` do not. Grain reads the decoded pictures of our cache.
"""

import contextlib
import functools
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
from benchmarks import measuring
from benchmarks.workers import Trainer, Worker, WorkerError
from trainers.command_line.command import Command

if TYPE_CHECKING:
    import tensorflow as tf
    from absl.flags import FlagValues

TARGETS = {32: 5.0, 128: 3.0}
WORKERS = (0, 2)
GRAIN = "Grain, decoded pictures"

COMMAND = Command("benchmarks.input_pipeline", __doc__)
with COMMAND.section("Pictures"):
    COMMAND.string("image_sizes", "32,128", "sides in pixels")
    COMMAND.integer("batch_size", 64, "images a batch", lower_bound=1)
    COMMAND.integer("pictures", 1000, "number of pictures in the data", lower_bound=10)
    COMMAND.integer("picture_size", 256, "side of the JPEG files, in pixels", lower_bound=8)
    COMMAND.boolean("torch", True, "measure PyTorch's DataLoader too")
    COMMAND.boolean("grain", True, "measure Grain too")
measuring.measurement_flags(COMMAND, rounds=5, seconds=3)


def batches_a_second(dataset: "tf.data.Dataset", batch_size: int) -> Callable[[float], float]:
    """Returns a function of seconds that takes batches of an endless data set: images a second."""
    batches = iter(dataset)
    next(batches)
    return lambda seconds: batch_size * measuring.rate(lambda: next(batches), seconds)


def against_step(image_size: int, cache_dir: str, values: "FlagValues") -> dict[str, Any]:
    """Returns how many times as many images the pipeline gives as the training step takes."""
    measuring.progress(f"{image_size} px: starting and compiling")
    dataset = datasets.load(
        "petals",
        image_size=image_size,
        batch_size=values.batch_size,
        repeat=True,
        cache_dir=cache_dir,
        count=values.pictures,
    )
    size = {"image_size": image_size, "batch_size": values.batch_size}
    with Trainer(seconds=values.seconds, preset="compact", **size) as trainer:
        pipeline = batches_a_second(dataset, values.batch_size)
        contenders = {
            "pipeline": functools.partial(pipeline, values.seconds),
            "step": functools.partial(trainer.train, values.seconds),
        }
        rates = measuring.alternate(contenders, values.rounds, f"{image_size} px")
    return {
        **size,
        "images_per_second": {name: measuring.Spread.of(rates[name]) for name in rates},
        "ratio": measuring.quotient(rates, "pipeline", "step"),
        "target": TARGETS.get(image_size),
        "rates": rates,
    }


def write_pictures(folder: Path, count: int, size: int, cache_dir: str) -> None:
    """Draws flowers as JPEG files in a folder a class."""
    from PIL import Image

    flowers = datasets.prepare("petals", image_size=size, cache_dir=cache_dir, count=count)
    for index, (image, label) in enumerate(zip(flowers.images, flowers.labels, strict=True)):
        path = folder / f"class_{label}" / f"{index}.jpg"
        path.parent.mkdir(exist_ok=True, parents=True)
        Image.fromarray(image).save(path, quality=90)


def against_loader(folder: Path, image_size: int, values: "FlagValues") -> dict[str, Any]:
    """Returns images a second of first and following epochs over the same files."""
    unavailable: dict[str, str] = {}
    numbers = itertools.count()

    def open_data() -> datasets.OpenDataset:
        cache_dir = folder.parent / f"cache_{image_size}_{next(numbers)}"
        return datasets.open_dataset("folder", image_size, data_dir=folder, cache_dir=cache_dir)

    def first_epoch() -> float:
        began = time.perf_counter()
        images = sum(len(labels) for _, labels in open_data().load(batch_size=values.batch_size))
        return images / (time.perf_counter() - began)

    with contextlib.ExitStack() as stack:
        data = open_data()
        decoded = str(Path(data.prepare().images.filename).parent)
        following = batches_a_second(
            data.load(batch_size=values.batch_size, repeat=True), values.batch_size
        )
        contenders: dict[str, Callable[[], float]] = {
            "datasets.load, first epoch": first_epoch,
            "datasets.load": functools.partial(following, values.seconds),
        }
        for workers in WORKERS if values.torch else ():
            name = f"DataLoader, {workers} workers"
            try:
                loader = stack.enter_context(
                    Worker(
                        "torch_loading",
                        # The same pictures: those that `folder` does not hold out.
                        folder=str(folder / "train"),
                        image_size=image_size,
                        batch_size=values.batch_size,
                        workers=workers,
                    )
                )
            except WorkerError as error:
                unavailable[name] = str(error)
                continue
            contenders[f"{name}, first epoch"] = functools.partial(loader.ask, "first_epoch")
            contenders[name] = functools.partial(loader.ask, "epoch")
        if values.grain:
            try:
                reader = stack.enter_context(
                    Worker("grain_loading", folder=decoded, batch_size=values.batch_size)
                )
                contenders[GRAIN] = functools.partial(reader.ask, "batches", seconds=values.seconds)
            except WorkerError as error:
                unavailable[GRAIN] = str(error)
        for contender in contenders.values():
            contender()
        rates = measuring.alternate(contenders, values.rounds, f"{image_size} px files")
    return {
        "image_size": image_size,
        "images_per_second": {name: measuring.Spread.of(rates[name]) for name in rates},
        "not_available": unavailable,
        "rates": rates,
    }


def main(values: "FlagValues") -> None:
    sizes = measuring.whole_numbers(values.image_sizes, "image_sizes")
    measuring.warn_of_load()
    with tempfile.TemporaryDirectory() as directory:
        steps = [against_step(size, directory, values) for size in sizes]
        measuring.progress("writing pictures")
        folder = Path(directory) / "pictures"
        for split, count in (("train", values.pictures), ("test", 20)):
            write_pictures(folder / split, count, values.picture_size, directory)
        loaders = [against_loader(folder, size, values) for size in sizes]
    measuring.progress("")
    rows = [
        [
            f"{result['image_size']} px",
            str(result["images_per_second"]["pipeline"]),
            str(result["images_per_second"]["step"]),
            str(result["ratio"]),
            f"≥ {result['target']:.0f}" if result["target"] else "",
        ]
        for result in steps
    ]
    print(
        measuring.table(["images/s", "pipeline", "step takes", "pipeline / step", "target"], rows)
    )
    print()
    rows = [
        [
            f"{result['image_size']} px {name}",
            str(speed),
            str(_ours_to_it(result["rates"], name)),
        ]
        for result in loaders
        for name, speed in result["images_per_second"].items()
    ]
    print(
        measuring.table([f"JPEG files of {values.picture_size} px", "images/s", "ours / it"], rows)
    )
    for name, reason in loaders[0]["not_available"].items():
        print(f"{name}: not available: {reason}")
    measuring.record(COMMAND, values, {"against_step": steps, "against_loader": loaders})


def _ours_to_it(rates: measuring.Rates, name: str) -> measuring.Spread:
    """Compares first epochs with first ones, and following epochs with following ones."""
    ours = "datasets.load, first epoch" if name.endswith("first epoch") else "datasets.load"
    return measuring.quotient(rates, ours, name)


if __name__ == "__main__":
    COMMAND.run(main)
