"""The tabs of the page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from trainers.demo import controls, figures
from trainers.demo.controls import DRAWS, MOVES, helpful
from trainers.demo.studio import MAX_CLASSES_IN_A_ROW, MAX_COUNT, PLACES, REACH, Endpoint, Studio

FIRST_CLASSES = 4
A_SAMPLE, A_PICTURE = "A sample", "A picture"
NO_CLASSES = "It was trained without classes, so there is no other class to see a latent under."
NO_PICTURE = (
    "Upload a picture of one of the classes, with the object in the middle. It is kept only as "
    "long as it is used."
)
SOON = "Drawing…"
REST = "Comes with the picture."
NO_END = "Both ends are needed: upload a picture, or choose a sample."


def sample(page: gr.Blocks, studio: Studio) -> None:
    """Random pictures of chosen classes."""
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            classes = controls.class_choice(
                studio,
                "Classes",
                multiselect=True,
                value=list(range(min(FIRST_CLASSES, len(studio.class_names)))),
                info="One row a class.",
            )
            count = gr.Slider(
                1, MAX_COUNT, 6, step=1, precision=0, label="Pictures a class", buttons=[]
            )
            seed, another = controls.seed_controls()
            draw = gr.Button("Draw samples", variant="primary")
            download = gr.DownloadButton("Download as PNG", interactive=False)
        with gr.Column(scale=3):
            shown = controls.view("Samples", "Choose classes and draw samples.")

    @helpful
    def drawn(labels: list[int], count: int, seed: int) -> tuple[Any, Any]:
        rows = studio.samples(labels, count, seed)
        file = controls.file_to_download(figures.grid(rows), f"samples_seed_{int(seed)}.png")
        return figures.table(rows), gr.DownloadButton(value=file, interactive=True)

    inputs, outputs = [classes, count, seed], [shown, download]
    draws = {**DRAWS, "show_progress_on": shown}
    gr.on([page.load, draw.click, seed.submit], drawn, inputs, outputs, **draws)
    another.click(controls.new_seed, None, seed, **MOVES).then(drawn, inputs, outputs, **draws)


def same_latent(tab: gr.Tab, studio: Studio) -> None:
    """One latent under one class and under all."""
    if not studio.source.has_classes:
        controls.apology(NO_CLASSES)
        return
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            label = controls.class_choice(studio)
            locked = gr.Checkbox(
                True, label="Lock z", info="Unlocked, another class draws another z, too."
            )
            seed, another = controls.seed_controls(" of z")
        with gr.Column(scale=2):
            shown = controls.view("z under the chosen class", SOON)
    every = controls.view(_all_classes(len(studio.class_names)), SOON)

    @helpful
    def drawn(seed: int | None, label: int | None) -> Any:
        if seed is None:
            return gr.skip()
        z = studio.latent(seed)
        image = studio.picture(z, label)
        name = studio.class_names[label]
        return figures.single(image, name), figures.row(studio.under_all_classes(z), chosen=name)

    inputs, outputs = [seed, label], [shown, every]
    label.input(
        lambda seed, locked: seed if locked else controls.new_seed(), [seed, locked], seed, **MOVES
    )
    # One listener for all: it answers them one after the other.
    events = [tab.select, seed.change, label.input]
    gr.on(events, drawn, inputs, outputs, **DRAWS, show_progress_on=shown)
    another.click(controls.new_seed, None, seed, **MOVES)


def _all_classes(count: int) -> str:
    most = MAX_CLASSES_IN_A_ROW
    return f"The same z under {f'the first {most} of {count}' if count > most else 'all'} classes"


def directions(tab: gr.Tab, studio: Studio) -> None:
    """A slider for each principal direction of the latent."""
    reach = REACH
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            label = controls.class_choice(studio)
            seed, another = controls.seed_controls()
            reset = gr.Button("Reset the sliders")
        with gr.Column(scale=1, min_width=280):
            sliders = [
                gr.Slider(
                    -reach, reach, 0, step=0.1, label=f"Direction {number}", info=" ", buttons=[]
                )
                for number in range(1, studio.directions_count + 1)
            ]
        with gr.Column(scale=1, min_width=280):
            shown = controls.view("The sample, moved", "Looking for the directions…")
    overview = controls.view("The sample along each direction, in standard deviations", SOON)

    @helpful
    def start(seed: int | None, label: int | None) -> Any:
        if seed is None:
            return gr.skip()
        moved = [
            gr.Slider(value=place, info=f"{share:.0%} of the change that z makes")
            for place, share in zip(studio.coordinates(seed), studio.directions.shares, strict=True)
        ]
        image = studio.picture(studio.latent(seed), label)
        return *moved, figures.single(image, "The sample"), walks(seed, label)

    @helpful
    def move(seed: int, label: int | None, *places: float) -> str:
        image = studio.picture(studio.moved(seed, places), label)
        return figures.single(image, "The sample, moved")

    @helpful
    def of_class(seed: int, label: int | None, *places: float) -> tuple[str, str]:
        return move(seed, label, *places), walks(seed, label)

    def walks(seed: int, label: int | None) -> str:
        return figures.table(studio.walks(seed, label), [_signed(p) for p in PLACES])

    inputs, outputs = [seed, label], [*sliders, shown, overview]
    events = [tab.select, seed.change, reset.click]
    gr.on(events, start, inputs, outputs, **DRAWS, show_progress_on=shown)
    another.click(controls.new_seed, None, seed, **MOVES)
    label.input(of_class, [*inputs, *sliders], [shown, overview], **MOVES)
    gr.on([each.input for each in sliders], move, [*inputs, *sliders], shown, **MOVES)


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"


class _End:
    """The controls of one end of a morph, and what they stand for.

    Args:
        studio: studio that draws it.
        which: name of the end, "first" or "second".
        alpha: value of α at which the morph is this end.
    """

    def __init__(self, studio: Studio, which: str, alpha: int) -> None:
        self._studio, self._which = studio, which
        can_encode = studio.source.can_encode
        self.shown = controls.view(f"The {which} (α = {alpha})", SOON)
        self.kind = gr.Radio(
            [A_SAMPLE, A_PICTURE] if can_encode else [A_SAMPLE],
            value=A_SAMPLE,
            label=f"The {which} is",
            info=None if can_encode else studio.source.why_not("encode"),
        )
        last = len(studio.class_names) - 1
        with gr.Column() as self.sample:
            self.label = controls.class_choice(
                studio, f"Class of the {which}", value=0 if alpha else last
            )
            self.seed, self.another = controls.seed_controls(f" of the {which}")
        with gr.Column(visible=False) as self.upload:
            self.file = controls.upload(f"Picture of the {which}")
            self.file_label = controls.picture_class_choice(studio, f"Class of the {which} picture")
        self.state = gr.State()
        self.inputs = [self.kind, self.label, self.seed, self.file, self.file_label]
        self.outputs = [self.state, self.shown]

    @property
    def events(self) -> list[Any]:
        """What happens when a control is used."""
        return [
            self.kind.input,
            self.label.input,
            self.seed.change,
            self.file.change,
            self.file_label.input,
        ]

    def found(
        self,
        kind: str,
        label: int | None,
        seed: int | None,
        path: str | None,
        file_label: int | None,
    ) -> tuple[Endpoint | None, str]:
        """What `outputs` are of the values of `inputs`."""
        if kind == A_SAMPLE and seed is None:
            return None, figures.nothing("Give a seed.")
        if kind == A_SAMPLE:
            end = self._studio.sample_endpoint(seed, label)
        elif path is None:
            return None, figures.nothing(NO_PICTURE)
        else:
            end = self._studio.picture_endpoint(path, controls.picture_class(file_label))
        return end, figures.single(end.image, f"The {self._which}", end.origin, small=True)

    def connect(self) -> None:
        """Makes the controls that change others do so."""
        self.another.click(controls.new_seed, None, self.seed, **MOVES)
        self.kind.input(
            lambda kind: (gr.Column(visible=kind == A_SAMPLE), gr.Column(visible=kind != A_SAMPLE)),
            self.kind,
            [self.sample, self.upload],
            **MOVES,
        )


def morph(tab: gr.Tab, studio: Studio) -> None:
    """What lies between two samples or pictures."""
    with gr.Row():
        with gr.Column(scale=1, min_width=240):
            first = _End(studio, "first", 1)
        with gr.Column(scale=1, min_width=280):
            shown = controls.view("Between them", SOON)
            alpha = gr.Slider(0, 1, 0.5, step=0.01, label="α, the share of the first", buttons=[])
            note = gr.Markdown()
        with gr.Column(scale=1, min_width=240):
            second = _End(studio, "second", 0)
    strip = controls.view("From the first to the second", SOON)

    count = len(first.inputs)

    @helpful
    def drawn(alpha: float, *values: Any) -> Any:
        start, end = first.found(*values[:count]), second.found(*values[count:])
        return *start, *end, *_blend(studio, start[0], end[0], alpha)

    @helpful
    def between(start: Endpoint | None, end: Endpoint | None, alpha: float) -> str:
        if start is None or end is None:
            return figures.nothing(NO_END)
        return _at(studio, start, end, alpha)

    first.connect()
    second.connect()
    # One listener for all: it answers them one after the other.
    gr.on(
        [tab.select, *first.events, *second.events],
        drawn,
        [alpha, *first.inputs, *second.inputs],
        [*first.outputs, *second.outputs, shown, strip, note],
        **DRAWS,
        show_progress_on=shown,
    )
    alpha.input(between, [first.state, second.state, alpha], shown, **MOVES)


def _blend(
    studio: Studio, start: Endpoint | None, end: Endpoint | None, alpha: float
) -> tuple[str, str, str]:
    """The picture at α, the strip and what is said of them."""
    if start is None or end is None:
        return figures.nothing(NO_END), "", ""
    strip = figures.row(studio.morph_strip(start, end))
    return _at(studio, start, end, alpha), strip, studio.morph_note(start, end)


def _at(studio: Studio, start: Endpoint, end: Endpoint, alpha: float) -> str:
    return figures.single(studio.morph(start, end, [alpha])[0], f"α = {alpha:g}")


def your_picture(studio: Studio) -> None:
    """An uploaded picture, reconstructed and under other classes."""
    if not studio.source.can_encode:
        controls.apology(studio.source.why_not("encode"))
        return
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            file = controls.upload("Your picture")
            label = controls.picture_class_choice(studio, "Its class")
        with gr.Column(scale=1, min_width=240):
            taken = controls.view("As the model takes it", NO_PICTURE)
        with gr.Column(scale=1, min_width=240):
            again = controls.view("Encoded and decoded", REST)
    with gr.Column(visible=studio.source.has_classes):
        others = controls.view("The same z under other classes", REST)

    @helpful
    def drawn(path: str | None, choice: int | None) -> tuple[Any, ...]:
        if path is None:
            return tuple(map(figures.nothing, (NO_PICTURE, REST, REST)))
        found = studio.encode_picture(path, controls.picture_class(choice))
        return (
            figures.single(found.image, "Your picture", found.origin),
            figures.single(found.reconstruction, "Its reconstruction"),
            figures.row(found.others) if found.others else "",
        )

    outputs = [taken, again, others]
    gr.on(
        [file.change, label.input], drawn, [file, label], outputs, **DRAWS, show_progress_on=taken
    )
