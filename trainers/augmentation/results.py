"""What the trainings of a complete study come to: figures over seeds, comparisons, notes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from trainers.augmentation.settings import MEASURES, StudySettings, Training
from trainers.augmentation.verdicts import comparisons, verdict
from trainers.sweeps.over_seeds import over_seeds

Trainings = Mapping[str, Mapping[str, Any]]
"""Figures of each training, by its key."""


def results_of(
    settings: StudySettings, trainings: Trainings, remarks: Iterable[str]
) -> dict[str, Any]:
    """Returns what study.json has of the trainings together.

    Args:
        settings: settings of the study.
        trainings: figures of all trainings of the settings.
        remarks: notes on runs and data.
    """
    summary = summarize(settings, trainings)
    found = comparisons(summary)
    return {
        "arms": settings.arms,
        "summary": summary,
        "comparisons": found,
        "verdict": verdict(found),
        "notes": notes(settings, trainings, remarks),
    }


def summarize(
    settings: StudySettings, trainings: Trainings
) -> dict[str, dict[str, dict[str, Any]]]:
    """Returns each measure by number of pictures and arm: see `over_seeds`.

    Args:
        settings: settings of the study.
        trainings: figures of all trainings of the settings.

    Example:

    >>> settings = StudySettings(sizes=["5"], arms=["new"], seeds=1)
    >>> summarize(settings, {"5 seed_0 new": {"accuracy": 0.5}})
    {'accuracy': {'5': {'new': {'mean': 0.5, 'std': 0.0, 'by_seed': [0.5]}}}}
    """
    result: dict[str, dict[str, dict[str, Any]]] = {}
    figures = {each: trainings[each.key] for each in settings.trainings()}
    names = [name for name in MEASURES if all(name in of for of in figures.values())]
    for name, size, arm in itertools.product(names, settings.sizes, settings.arms):
        runs = [figures[Training(size, seed, arm)] for seed in range(settings.seeds)]
        found = over_seeds([{name: run[name]} for run in runs])[name]
        result.setdefault(name, {}).setdefault(size, {})[arm] = found
    return result


def notes(settings: StudySettings, trainings: Trainings, remarks: Iterable[str]) -> list[str]:
    """Returns what has to be said beside the figures.

    Args:
        settings: settings of the study.
        trainings: figures of all trainings of the settings.
        remarks: notes on runs and data.
    """
    found = list(dict.fromkeys(remarks))
    alone = [size for size in settings.sizes if size not in settings.runs]
    if alone and set(settings.arms) != {"none"}:
        found.insert(
            0,
            f"the generators of {', '.join(alone)} real pictures a class were trained on the same "
            "pictures as the recognition network, and no others",
        )
    if settings.one_generator:
        found.append(
            "one lot of pictures and one generator serve all seeds: the intervals leave out their "
            "chance"
        )
    found.append(
        f"{settings.updates:,} updates of {settings.recognition_batch_size} pictures, shifted and "
        "mirrored, in every arm"
    )
    figures = [trainings[each.key] for each in settings.trainings()]
    few = dict.fromkeys(note for of_training in figures for note in of_training["few"])
    return [*found, *(note.rstrip(".") for note in few)]
