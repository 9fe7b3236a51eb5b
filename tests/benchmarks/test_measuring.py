import json
import time

import pytest

from benchmarks import measuring


def test_spread_is_median_and_quartiles():
    spread = measuring.Spread.of([5.0, 1.0, 2.0, 4.0, 3.0])
    assert spread == measuring.Spread(3.0, 2.0, 4.0)
    assert spread * 10 == measuring.Spread(30.0, 20.0, 40.0)
    assert measuring.Spread.of([7.0]) == measuring.Spread(7.0, 7.0, 7.0)
    assert str(measuring.Spread(1234.5, 1.234, 10.0)) == "1,234 (1.23–10)"


def test_quotients_are_taken_round_by_round():
    """A machine that is half as fast in one round leaves the ratio alone."""
    rates = {"ours": [200.0, 100.0, 200.0], "theirs": [100.0, 50.0, 100.0]}
    assert measuring.quotient(rates, "ours", "theirs") == measuring.Spread(2.0, 2.0, 2.0)


def test_contenders_take_turns_in_alternating_order():
    calls = []
    contenders = {name: lambda name=name: calls.append(name) or 1.0 for name in "abc"}
    rates = measuring.alternate(contenders, 3, "test")
    assert "".join(calls) == "abccbaabc"
    assert rates == {name: [1.0, 1.0, 1.0] for name in "abc"}


def test_rate_counts_calls_a_second():
    assert 50 < measuring.rate(lambda: time.sleep(0.005), 0.05) <= 200
    calls = []
    measuring.rate(lambda: calls.append(1), 0)
    assert len(calls) == 1


def test_table_with_a_remark():
    text = measuring.table(["step", "a", "b"], [["one", 1, 22], ["second", "not available: why"]])
    assert text == "step    a   b\none     1  22\nsecond  not available: why"


def test_lists_on_the_command_line():
    assert measuring.whole_numbers("16, 32", "image_sizes") == [16, 32]
    with pytest.raises(ValueError, match=r"like 16,32\. Received: x"):
        measuring.whole_numbers("16,x", "image_sizes")
    with pytest.raises(ValueError, match=r"tensorflow, jax\. Received: c"):
        measuring.listed("jax,c", "backends", measuring.BACKENDS)
    with pytest.raises(ValueError, match="Received: ''"):
        measuring.listed("", "backends", measuring.BACKENDS)


def test_the_record_says_where_the_figures_come_from(tmp_path, capsys):
    command = measuring.Command("benchmarks.example", "Measures.")
    measuring.measurement_flags(command, rounds=2, seconds=1)
    path = tmp_path / "new" / "example.json"

    def main(values):
        measuring.record(command, values, [{"speed": measuring.Spread(2.0, 1.0, 3.0)}])

    assert command.call(main, [f"--output={path}"]) == 0
    content = json.loads(path.read_text())
    assert content["results"] == [
        {"speed": {"median": 2.0, "lower_quartile": 1.0, "upper_quartile": 3.0}}
    ]
    assert content["flags"] == {"rounds": 2, "seconds": 1.0, "output": str(path)}
    assert content["machine"]["cores"] >= 1
    assert content["machine"]["versions"]["keras"]
    assert str(path) in capsys.readouterr().out


def test_peak_memory_is_in_bytes():
    assert 10e6 < measuring.peak_memory() < 1e12
