import io
import os
import re

import numpy as np
import pytest
import tqdm

from keras_cvaegan.progress import Progress, counted


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test sets its `now`."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(tqdm.std, "time", lambda: Clock.now)
    return Clock


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        return 1


def test_off_a_terminal_a_line_comes_every_few_seconds_and_at_the_end(clock):
    stream = io.StringIO()
    with Progress("Samples:", 10, stream=stream) as progress:
        for clock.now in range(1, 11):
            progress.update()
    assert stream.getvalue() == (
        "Samples: 5/10  1 images/s  0:05 left\nSamples: 10/10  1 images/s  0:10 in all\n"
    )


def test_the_first_update_does_not_tell_the_speed(clock):
    stream = io.StringIO()
    with Progress("step", 4, per_step=64, stream=stream, seconds_between=0) as progress:
        for clock.now in (100, 101, 102, 103):
            progress.update()
    assert stream.getvalue().splitlines() == [
        "step 1/4",
        "step 2/4  64 images/s  0:02 left",
        "step 3/4  64 images/s  0:01 left",
        "step 4/4  64 images/s  1:43 in all",
    ]


def test_what_follows_counts_as_time_left(clock):
    stream = io.StringIO()
    with Progress("step", 4, stream=stream, seconds_between=0) as progress:
        progress.later = 3_600
        for clock.now in (1, 2):
            progress.update()
    assert "step 2/4  1 images/s  1:00:02 left\n" in stream.getvalue()


def test_on_a_terminal_one_line_is_written_over_and_over_and_fits(clock, monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((9, 24)))
    stream = Terminal()
    with Progress("step", 8, stream=stream) as progress:
        for clock.now in (1, 2, 3, 4):
            progress.set_postfix_str("loss 0.5", refresh=False)
            progress.update(2)
    lines = [f"step {done}/8" for done in (0, 2, 4, 6, 8, 8)]
    assert stream.getvalue() == "".join(f"\r{line}" for line in lines) + "\n"


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_work_that_breaks_off_ends_its_line_once(kind):
    stream = kind()
    with pytest.raises(KeyError), Progress("step", 8, stream=stream) as progress:
        progress.update()
        raise KeyError
    progress.close()
    last = re.split("[\r\n]", stream.getvalue())[-2]
    assert last.startswith("step 1/8  ")
    assert stream.getvalue().endswith("\n")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_short_work_shows_nothing_where_that_is_asked(kind, clock):
    for seconds, shown in ((1, False), (3, True)):
        stream = kind()
        with Progress("toy:", 2, stream=stream, delay=2) as progress:
            clock.now += seconds
            progress.update()
        assert bool(stream.getvalue()) == shown
    with Progress("toy:", 2, stream=stream, disable=True) as progress:
        progress.update(2)
    assert "2/2" not in stream.getvalue()


def test_images_of_batches_are_counted(capsys):
    batches = [(np.zeros(10), np.zeros(10))] * 3
    assert len(list(counted("Samples", batches, 30))) == 3
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("Samples: 30/30  ")
    assert line.endswith(" images/s  0:00 in all")
