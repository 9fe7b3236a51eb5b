"""The configuration that every run directory has: checked, kept as JSON, compared with another."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from keras_cvaegan.models.arguments import check_count
from keras_cvaegan.version import __version__

PRESETS_OWN: Any = None
"""A field of this value takes the preset's, or that of the model's paper."""

MAX_SEED = 2**31 - 1
_LOG_EVERY, _SAMPLE_EVERY = 25, 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What the configuration of every run directory has; `training.loop` reads it.

    A subclass adds values of its own, each with a default. It checks them, and fills in defaults
    that depend on others, in `_resolve`. What was given stays known, so that `replace` lets the
    defaults follow.

    Args:
        steps: length of the run.
        batch_size: examples an update.
        seed: seed of all that is random, in [0, 2³¹ − 1].
        log_every: steps a line of the log, of which `steps` is a multiple; by default as many as
            divide it, up to 25.
        sample_every: steps a sample grid; about 500 by default.
        checkpoint_every: steps a checkpoint; about 500 by default.
        export: whether a SavedModel is written at the end.

    Raises:
        ValueError: for a value that is not allowed.
    """

    FREE: ClassVar[frozenset[str]] = frozenset(
        {"steps", "log_every", "sample_every", "checkpoint_every", "export"}
    )
    """Values that may change when a run goes on from a checkpoint."""

    steps: int = PRESETS_OWN
    batch_size: int = PRESETS_OWN
    seed: int = 0
    log_every: int = PRESETS_OWN
    sample_every: int = PRESETS_OWN
    checkpoint_every: int = PRESETS_OWN
    export: bool = True
    _given: Mapping[str, Any] = dataclasses.field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        self._set("_given", {name: getattr(self, name) for name in self.names()})
        self._resolve()

    def _resolve(self) -> None:
        """Checks the values, and fills in those that follow from others."""
        for name in ("steps", "batch_size"):
            self._set(name, check_count(name, getattr(self, name)))
        self._set("seed", check_count("seed", self.seed, 0))
        if self.seed > MAX_SEED:
            raise ValueError(f"seed must be at most {MAX_SEED:,}. Received: {self.seed}.")
        self._check_type("export", bool)
        self._set_intervals()

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_type(self, name: str, kind: type) -> None:
        value, words = getattr(self, name), {bool: "True or False", str: "a text"}
        if not isinstance(value, kind):
            raise ValueError(f"{name} must be {words[kind]}. Received: {value!r}.")

    def _set_intervals(self) -> None:
        """How often to log, to sample and to save; each a multiple of the first."""
        if self.log_every is None:
            divisors = (n for n in range(min(_LOG_EVERY, self.steps), 0, -1) if not self.steps % n)
            self._set("log_every", next(divisors))
        log_every = check_count("log_every", self.log_every)
        if self.steps % log_every:
            above = -(-self.steps // log_every) * log_every
            raise ValueError(
                f"steps must be a multiple of log_every={log_every}. Received: "
                f"steps={self.steps}. Choose steps={above} or another log_every."
            )
        for name in ("sample_every", "checkpoint_every"):
            every = getattr(self, name)
            if every is None:
                every = min(-(-_SAMPLE_EVERY // log_every) * log_every, self.steps)
            if check_count(name, every) % log_every:
                raise ValueError(
                    f"{name} must be a multiple of log_every={log_every}. Received: {name}={every}."
                )
            self._set(name, every)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Returns the names of all values."""
        return tuple(field.name for field in dataclasses.fields(cls) if field.init)

    def replace(self, **changes: Any) -> Self:
        """Returns a configuration with other values; defaults follow from them.

        Example:

        >>> RunConfig(batch_size=8, steps=100).replace(steps=500).checkpoint_every
        500
        """
        return type(self)(**{**self._given, **changes})

    def to_json(self) -> dict[str, Any]:
        """Returns the effective value of everything, as JSON has it."""
        return json.loads(json.dumps({name: getattr(self, name) for name in self.names()}))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns the configuration that `to_json` gave.

        Raises:
            ValueError: for a name that is not known, or a value that is not allowed.

        Example:

        >>> config = RunConfig(batch_size=8, steps=100)
        >>> RunConfig.from_json(config.to_json()) == config
        True
        """
        unknown = sorted(set(values) - set(cls.names()))
        if unknown:
            raise ValueError(
                f"{cls.__name__} does not know {', '.join(unknown)}. "
                f"Allowed: {', '.join(cls.names())}."
            )
        return cls(**values)

    def record(self, class_names: Sequence[str], command: str = "") -> dict[str, Any]:
        """Returns the contents of config.json.

        Args:
            class_names: names of the classes of the data, in the order of their labels.
            command: command that started the run, to be typed again.
        """
        return {
            "config": self.to_json(),
            "class_names": list(class_names),
            "command": command,
            "versions": {
                "keras_cvaegan": __version__,
                "backend": keras.backend.backend(),
                "python": platform.python_version(),
                **{module.__name__: module.__version__ for module in (tf, keras, np)},
            },
        }

    def differences(self, earlier: Mapping[str, Any], class_names: Sequence[str]) -> list[str]:
        """Returns what keeps a run from going on under this configuration, a clause a value.

        Args:
            earlier: contents of its config.json.
            class_names: names of the classes of the data now.
        """
        old = _flat(earlier.get("config", {})) | {"class_names": earlier.get("class_names")}
        now = _flat(self.to_json()) | {"class_names": list(class_names)}
        return [
            f"{key} was {old.get(key)!r} and is now {now.get(key)!r}"
            for key in sorted(old.keys() | now.keys())
            if key not in self.FREE and old.get(key) != now.get(key)
        ]

    def refuse_other(
        self,
        earlier: Mapping[str, Any],
        class_names: Sequence[str],
        run_dir: str | os.PathLike,
        problems: Iterable[str] = (),
    ) -> None:
        """Refuses to go on with a run of another configuration.

        Args:
            earlier: contents of its config.json.
            class_names: names of the classes of the data now.
            run_dir: folder of the run.
            problems: more reasons that keep it from going on, a clause each.

        Raises:
            ValueError: naming what differs.
        """
        differing = [*self.differences(earlier, class_names), *problems]
        if differing:
            raise ValueError(
                f"The run in {os.fspath(run_dir)!r} has another configuration: "
                f"{'; '.join(differing)}. Start it with its own flags "
                f"({earlier.get('command') or 'see its config.json'}), or choose another folder."
            )


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in config.items():
        nested = isinstance(value, Mapping)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat
