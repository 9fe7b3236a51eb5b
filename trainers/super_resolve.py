"""Enlarges small pictures by trained models, and measures how near they come to the large ones.

Held-out pictures are reduced by taking means over squares of pixels, and enlarged again: by bicubic
interpolation, alone and made to agree with the small picture, and by the models, whose results
agree with it, too. PSNR and SSIM are means over pictures. Bao et al. 2017 name the use in their
abstract and give no figures.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trainers import inpaint
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures import restoring
from trainers.pictures.given import picture_paths, picture_side
from trainers.pictures.named import Pictures
from trainers.reports import tables
from trainers.reports.tables import markdown

if TYPE_CHECKING:
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel

BATCH_SIZE = 128
FACTORS = "2,4"
SMALL, BICUBIC, AGREEING = "small", "bicubic", "bicubic, made to agree"

Enlarger = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""Takes small pictures, uint8, and labels; returns large ones, float in [−1, 1]."""


@dataclasses.dataclass(frozen=True)
class Group:
    """Small pictures of one size.

    Args:
        factor: by which they are to be enlarged.
        small: the pictures.
        originals: the large ones, uint8 (n, side, side, 3); None where they are not known.
    """

    factor: int
    small: Pictures
    originals: np.ndarray | None = None


COMMAND = Command("trainers.super_resolve", __doc__)
with COMMAND.section("Runs"):
    COMMAND.adopt(inpaint.COMMAND, "run_dir", "against", "find_codes")
with COMMAND.section("Pictures"):
    COMMAND.repeated(
        "pictures",
        "small ones: files or folders, with commas between; may be given again. Height and width "
        "are those of the model's divided by a whole number (default: held-out pictures of the "
        "run's data, reduced)",
    )
    COMMAND.adopt(inpaint.COMMAND, "labels")
    COMMAND.string(
        "factors", None, f"by which held-out pictures are reduced, as in 2,4 (default: {FACTORS})"
    )
    COMMAND.adopt(inpaint.COMMAND, "count", "shown")
    COMMAND.integer("seed", 0, "of which pictures are drawn", lower_bound=0, upper_bound=2**32 - 1)
with COMMAND.section("Enlarging"):
    COMMAND.string("rounds", "1,10", "after which the results are measured")
    COMMAND.adopt(inpaint.COMMAND, "labels_given")
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder of super_resolve.json and a PNG file a factor (default: RUN_DIR/super_resolve)",
    )


def check(values: "FlagValues") -> None:
    """Checks that flags go together.

    Raises:
        ValueError: otherwise.
    """
    if values.pictures and values.factors is not None:
        raise ValueError(
            "--factors are of held-out pictures; those of --pictures follow from their size."
        )
    restoring.check_labels(values)


def parse_factors(text: str, side: int) -> list[int]:
    """Returns the factors that `--factors` lists, each once, in ascending order.

    Args:
        text: of the flag.
        side: of the large pictures.

    Raises:
        ValueError: for what does not divide the side, or is below 2.

    Example:

    >>> parse_factors("4,2", side=32)
    [2, 4]
    """
    factors = {flags.to_integer(part, "--factors") for part in text.split(",")}
    for factor in factors:
        if factor not in _divisors(side):
            allowed = ", ".join(map(str, _divisors(side)))
            raise ValueError(
                f"--factors takes whole numbers that divide the pictures' side, {side}: {allowed}. "
                f"Received: {factor}."
            )
    return sorted(factors)


def _divisors(side: int) -> list[int]:
    return [factor for factor in range(2, side + 1) if side % factor == 0]


def read_small(
    texts: Sequence[str], model: "GenerativeModel"
) -> tuple[list[np.ndarray], list[str]]:
    """Reads the small pictures that `--pictures` names, as they are.

    Args:
        texts: see `picture_paths`.
        model: that is to enlarge them.

    Returns:
        The pictures, uint8 (side / factor, side / factor, 3) each, and their names.

    Raises:
        ValueError: for files that are missing, no pictures or of another size; it names the file.
    """
    from keras_cvaegan import pictures

    side = picture_side(model)
    sides = [side // factor for factor in _divisors(side)]
    paths = picture_paths(texts, "pictures")
    found = [pictures.read_picture(path) for path in paths]
    for path, picture in zip(paths, found, strict=True):
        height, width, _ = picture.shape
        if height != width or height not in sides:
            allowed = ", ".join(f"{number}×{number}" for number in sides)
            raise ValueError(
                f"--pictures takes small ones, of {allowed} pixels for a model of {side}×{side}. "
                f"Received: {str(path)!r}, which has {width}×{height}."
            )
    return found, [str(path) for path in paths]


def given_groups(values: "FlagValues", models: "Sequence[GenerativeModel]") -> list[Group]:
    """Returns the pictures of `--pictures` by factor, the lowest first.

    Raises:
        ValueError: for pictures or labels that the models do not take.
    """
    found, names = read_small(values.pictures, models[0])
    labels = restoring.given_labels(values.labels, len(found), models)
    factors = np.array([models[0].image_shape[0] // len(picture) for picture in found])
    groups = []
    for factor in np.unique(factors).tolist():
        rows = np.flatnonzero(factors == factor)
        small = Pictures(
            np.stack([found[row] for row in rows]),
            [names[row] for row in rows],
            None if labels is None else labels[rows],
        )
        groups.append(Group(factor, small))
    return groups


def held_out_groups(values: "FlagValues", models: "Sequence[GenerativeModel]") -> list[Group]:
    """Returns held-out pictures, reduced by each of `--factors`.

    Raises:
        ValueError: for factors that do not divide the pictures' side, or data that are not those
            of the models.
    """
    factors = parse_factors(values.factors or FACTORS, picture_side(models[0]))
    taken = restoring.held_out_pictures(values, models)
    return [
        Group(
            factor,
            Pictures(reduce_pictures(taken.images, factor), taken.names, taken.labels),
            taken.images,
        )
        for factor in factors
    ]


def reduce_pictures(images: np.ndarray, factor: int) -> np.ndarray:
    """Returns the means over squares of pixels, rounded to uint8.

    Example:

    >>> reduce_pictures(np.array([[[[0], [255]], [[254], [255]]]], np.uint8), 2)
    array([[[[191]]]], dtype=uint8)
    """
    from keras_cvaegan.applications import shrink

    return np.rint(shrink(images, factor)).astype(np.uint8)


def enlargers(
    models: "Mapping[str, GenerativeModel]", rounds: Sequence[int], side: int
) -> dict[str, Enlarger]:
    """Returns what enlarges pictures to a side, by what tables call it: first the bicubic ones."""
    from keras_cvaegan import pictures
    from keras_cvaegan.applications import back_project, enlarge, super_resolve

    def bicubic(small: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        return enlarge(pictures.from_uint8(small), side // small.shape[1])

    def agreeing(small: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        return back_project(bicubic(small, labels), pictures.from_uint8(small))

    def of_model(model: "GenerativeModel", number: int) -> Enlarger:
        return lambda small, labels: super_resolve(model, small, labels, rounds=number)

    found = {BICUBIC: bicubic, AGREEING: agreeing}
    for title, model in models.items():
        for number in rounds:
            found[f"{title}, {restoring.rounds_text(number)}"] = of_model(model, number)
    return found


def similarities(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the SSIM of each picture and its counterpart, `(n,)` in [0, 1].

    Of Wang et al. 2004, at the pictures' own size: each channel by itself, and their mean.

    Args:
        images: uint8 (n, height, width, channels).
        others: likewise.
    """
    from keras_cvaegan.metrics.structural_similarity import ms_ssim

    rows = np.arange(len(images))
    pairs = np.stack([rows, rows + len(images)], axis=1)
    return ms_ssim(np.concatenate([images, others]), pairs, weights=[1.0])


def measure(
    title: str, group: Group, labels: np.ndarray | None, enlarger: Enlarger
) -> dict[str, float]:
    """Enlarges pictures, a batch at a time, and compares them with the originals.

    Args:
        title: what enlarges, to show how far it is.
        group: with originals.
        labels: of the pictures; None for labels that are to be guessed.
        enlarger: see `Enlarger`.

    Returns:
        `psnr` in dB and `ssim`, means over pictures.
    """
    from keras_cvaegan import pictures
    from keras_cvaegan.metrics import reconstruction
    from keras_cvaegan.progress import counted

    count = len(group.small)

    def parts() -> Iterator[tuple[np.ndarray, slice]]:
        for start in range(0, count, BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            yield group.originals[rows], rows

    errors, similar = [], []
    for originals, rows in counted(f"×{group.factor}, {title}", parts(), count):
        enlarged = enlarger(group.small.images[rows], None if labels is None else labels[rows])
        errors.append(reconstruction.squared_errors(originals, enlarged))
        similar.append(similarities(originals, pictures.to_uint8(enlarged)))
    _, psnr = reconstruction.error_figures(np.concatenate(errors))
    return {"psnr": psnr, "ssim": float(np.concatenate(similar).mean())}


def table(results: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Returns PSNR and SSIM of each factor, as Markdown.

    Args:
        results: by factor, what enlarged, and figure.

    Example:

    >>> print(table({"x2": {"bicubic": {"psnr": 29.5, "ssim": 0.9}}}))
    |         | x2 psnr | x2 ssim |
    |:--------|--------:|--------:|
    | bicubic |  29.500 |   0.900 |
    """
    first = next(iter(results.values()))
    titles = [f"{name} {figure}" for name in results for figure in next(iter(first.values()))]
    rows = [
        [title, *(tables.number(value) for of in results.values() for value in of[title].values())]
        for title in first
    ]
    return markdown(["", *titles], rows)


def best(results: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Returns what has the highest of each figure in a `table`.

    Example:

    >>> best({"x2": {"bicubic": {"psnr": 30.0, "ssim": 0.8}, "VAE": {"psnr": 29.0, "ssim": 0.9}}})
    ['x2 psnr: bicubic', 'x2 ssim: VAE']
    """
    return [
        f"{name} {figure}: {max(of, key=lambda title: of[title][figure])}"
        for name, of in results.items()
        for figure in next(iter(of.values()))
    ]


def sheet(
    group: Group, labels: np.ndarray | None, by_title: Mapping[str, Enlarger], shown: int
) -> dict[str, np.ndarray]:
    """Returns rows of the first pictures, uint8 (n, side, side, 3), by what they show.

    Args:
        group: whose.
        labels: see `measure`.
        by_title: what enlarges them.
        shown: how many pictures.
    """
    from keras_cvaegan import pictures

    small = group.small.images[:shown]
    of_small = None if labels is None else labels[:shown]
    rows = {SMALL: small.repeat(group.factor, axis=1).repeat(group.factor, axis=2)}
    for title, enlarger in by_title.items():
        rows[title] = pictures.to_uint8(enlarger(small, of_small))
    if group.originals is not None:
        rows["original"] = group.originals[:shown]
    return rows


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    check(values)
    rounds = flags.integers(values.rounds, "rounds")

    from keras_cvaegan import pictures
    from keras_cvaegan.training.run_directory import write_json

    models = restoring.load_models([run_dir, *values.against], values)
    side = picture_side(next(iter(models.values())))
    groups = (given_groups if values.pictures else held_out_groups)(values, list(models.values()))
    labels_known = values.labels_given and groups[0].small.labels is not None
    sources = restoring.label_sources(models, labels_known)
    by_title = enlargers(models, rounds, side)
    names = [f"x{group.factor}.png" for group in groups]
    given = [name for group in groups for name in group.small.names]
    output = output_folder(values, "super_resolve", names, given)
    measured: dict[str, Any] = {}
    rows: dict[str, np.ndarray] = {}
    for group in groups:
        name, labels = f"x{group.factor}", group.small.labels if labels_known else None
        if group.originals is not None:
            measured[name] = {
                title: measure(title, group, labels, enlarger)
                for title, enlarger in by_title.items()
            }
        rows = sheet(group, labels, by_title, values.shown)
        pictures.write_png(output / f"{name}.png", pictures.grid(list(rows.values())))
    results = {
        "flags": COMMAND.settings(values),
        "pictures": {f"x{group.factor}": len(group.small) for group in groups},
        "shown": {f"x{g.factor}": list(g.small.names[: values.shown]) for g in groups},
        "labels": sources,
        "figures": measured,
        "rows": list(rows),
    }
    write_json(output / "super_resolve.json", results)
    if measured:
        print(f"\n{table(measured)}\n")
        print(f"Means over {len(groups[0].small):,} pictures; PSNR in dB.")
        print(f"Highest: {'; '.join(best(measured))}.")
    restoring.print_label_sources(sources)
    print(f"Rows of the PNG files from top to bottom: {'; '.join(rows)}")
    print_written(output, [*names, "super_resolve.json"])


if __name__ == "__main__":
    COMMAND.run(main)
