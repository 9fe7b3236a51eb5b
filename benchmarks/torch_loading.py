"""A worker that reads a folder of pictures with PyTorch's `DataLoader`, an epoch at a time."""

import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.workers import Channel


class Pictures(Dataset):
    """The pictures of `folder/class/`, cropped to a square and resized, as floats in [−1, 1].

    Args:
        folder: path of a folder with a folder for each class.
        image_size: height and width of the pictures, in pixels.
    """

    def __init__(self, folder: str, image_size: int) -> None:
        classes = sorted(path for path in Path(folder).iterdir() if path.is_dir())
        self._examples = [
            (path, label) for label, name in enumerate(classes) for path in sorted(name.iterdir())
        ]
        self._image_size = image_size

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        path, label = self._examples[index]
        with Image.open(path) as image:
            picture = image.convert("RGB")
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
        picture = picture.resize((self._image_size, self._image_size), Image.Resampling.LANCZOS)
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
        return pixels.float() / 127.5 - 1.0, label


def serve(channel: Channel, folder: str, image_size: int, batch_size: int, workers: int) -> None:
    """Answers "first_epoch" (with a new loader) and "epoch" with images a second.

    Args:
        channel: connection to the program.
        folder: path of a folder with a folder for each class.
        image_size: height and width of the pictures, in pixels.
        batch_size: number of images in a batch.
        workers: number of processes that read, beside this one; 0 to read in it.
    """
    loader: DataLoader | None = None

    def epoch() -> float:
        began = time.perf_counter()
        images = sum(len(labels) for _, labels in loader)
        return images / (time.perf_counter() - began)

    def first_epoch() -> float:
        nonlocal loader
        loader = DataLoader(
            Pictures(folder, image_size),
            batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
        )
        return epoch()

    channel.answer({})
    channel.serve({"first_epoch": first_epoch, "epoch": epoch})
