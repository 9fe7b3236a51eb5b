"""Controls that several tabs of the page have, and errors as messages on it."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import numpy as np

from keras_cvaegan import pictures
from trainers.demo import figures
from trainers.demo.studio import MAX_SEED, Studio

Answer = TypeVar("Answer")

RECOGNISE = -1
SEEDS = 10_000
_COPYING_SECONDS = 60
# How events behave: of several in a row the last counts.
DRAWS = {"trigger_mode": "always_last", "show_progress": "minimal", "api_visibility": "private"}
MOVES = {**DRAWS, "show_progress": "hidden"}


def helpful(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """Makes the ValueErrors of a handler messages on the page."""

    @functools.wraps(handler)
    def call(*arguments: Any) -> Answer:
        try:
            return handler(*arguments)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return call


def new_seed() -> int:
    """Returns a random seed that is short enough to write down."""
    return secrets.randbelow(SEEDS)


def file_to_download(picture: np.ndarray, name: str) -> str:
    """Writes a picture for a download button, which makes a copy; removes earlier ones.

    Args:
        picture: picture, uint8 (height, width, 3).
        name: name of the file.

    Returns:
        The path of the file.
    """
    folder = Path(os.environ["GRADIO_TEMP_DIR"]) / "downloads"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        with contextlib.suppress(OSError):  # Another thread may have removed it.
            if time.time() - old.stat().st_mtime > _COPYING_SECONDS:
                shutil.rmtree(old)
    path = Path(tempfile.mkdtemp(dir=folder)) / name
    pictures.write_png(path, picture)
    return str(path)


def seed_controls(of: str = "") -> tuple[gr.Number, gr.Button]:
    """A field for the seed and a button that fills it with another."""
    with gr.Group():
        seed = gr.Number(
            new_seed(),
            label=f"Seed{of}",
            info="The same seed draws the same picture.",
            precision=0,
            minimum=0,
            maximum=MAX_SEED,
        )
        button = gr.Button(f"New seed{of}", size="sm")
    return seed, button


def class_choice(studio: Studio, label: str = "Class", **options: Any) -> gr.Dropdown:
    """A list of the classes by name; hidden where the model has none."""
    names = studio.class_names
    options = {"value": 0, **options}
    return gr.Dropdown(
        [(name, number) for number, name in enumerate(names)],
        label=label,
        visible=studio.source.has_classes,
        **options,
    )


def picture_class_choice(studio: Studio, label: str) -> gr.Dropdown:
    """A list of the classes of an uploaded picture, to be recognised where the model can."""
    choices = [(name, number) for number, name in enumerate(studio.class_names)]
    recognises = studio.source.can_classify
    return gr.Dropdown(
        [("Recognise it", RECOGNISE), *choices] if recognises else choices,
        value=RECOGNISE if recognises else None,
        label=label,
        info=None if recognises or not studio.source.has_classes else studio.why_no_guess(),
        visible=studio.source.has_classes,
    )


def picture_class(choice: int | None) -> int | None:
    """Returns the label that `picture_class_choice` stands for, or None to recognise it."""
    return None if choice == RECOGNISE else choice


def upload(label: str) -> gr.File:
    """A field for a picture file."""
    return gr.File(label=label, file_types=["image"], type="filepath", height=130)


def view(title: str, nothing: str = "") -> gr.HTML:
    """A place for pictures under a title.

    Args:
        title: words on what they are.
        nothing: words to show as long as there are none.
    """
    gr.Markdown(f"#### {title}")
    return gr.HTML(
        figures.nothing(nothing) if nothing else "",
        apply_default_css=False,
        elem_classes="view",
        elem_id=re.sub(r"\W+", "-", title.lower()).strip("-"),
    )


def apology(reason: str) -> None:
    """What a tab shows that the model cannot serve."""
    gr.Markdown(f"### Not with this model\n\n{reason}", elem_classes="apology")
