"""What is said of the figures of known attributes."""

from trainers.attributes.tables import claims, notes, table


def results_of(shown, own=0.1, order=1.0):
    errors = {"random": 0.5, "reader": own, "transferred": shown, "retrieved": 0.1}
    of = {
        "deviation": 0.5,
        "errors": {kind: {"mean": mean, "pairs": 7} for kind, mean in errors.items()},
        "morphed": {"mean": order, "pairs": 3},
    }
    return {
        "attributes": {"x": of},
        "in_deviations": {kind: 2 * mean for kind, mean in errors.items() if mean is not None},
        "recognised": 0.9,
    }


def test_the_table_says_what_is_kept():
    lines = table(results_of(0.2)).splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == ["x", "0.500", "0.100", "0.200", "0.100", "0.750", "5.000", "1.000"]
    cells = [cell.strip() for cell in lines[3].strip("|").split("|")]
    assert cells == ["all, in deviations", "1.000", "0.200", "0.400", "0.200", "0.750", "5.000", ""]
    assert "|           – |" in table(results_of(None))


def test_targets_are_reached_or_missed():
    assert [claim["reached"] for claim in claims(results_of(0.2))] == [True, True, True]
    missed = results_of(0.2, order=0.89)
    missed["recognised"], missed["in_deviations"]["retrieved"] = 0.899, 0.34
    assert [claim["reached"] for claim in claims(missed)] == [False, False, False]
    assert "below: x 0.890" in claims(missed)[2]["text"]


def test_what_the_reader_does_not_know_is_said():
    assert notes(results_of(0.2), [], []) == []
    [note] = notes(results_of(0.2, own=0.3), [], [])
    assert note.startswith("x: hardly told by the reader")
    told = [claim["name"] for claim in claims(results_of(0.2, own=0.3, order=0.1))]
    assert told == ["transfer", "retrieval"]
    assert notes(results_of(0.2), ["x"], ["x"]) == [
        "x: in turns of a circle.",
        "x: compared where it means the same in both classes alone, of petals where there are as "
        "many of them: pictures 7 random, 7 reader, 7 transferred, 7 retrieved.",
    ]
