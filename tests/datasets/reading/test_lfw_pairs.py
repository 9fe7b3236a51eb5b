"""Lists of pairs, and their pictures, of a small folder as Labeled Faces in the Wild has it."""

import numpy as np
import pytest

from datasets.reading.lfw_pairs import parse_pairs, read_pairs
from keras_cvaegan import pictures

PEOPLE = {"Ann_Example": 10, "Bob_Example": 100, "Cy_Example": 200}
PAIRS = """2\t1
Ann_Example\t1\t2
Ann_Example\t1\tBob_Example\t2
Cy_Example\t2\t1
Cy_Example\t1\tBob_Example\t1
"""


@pytest.fixture
def folder(tmp_path):
    for name, value in PEOPLE.items():
        (tmp_path / name).mkdir()
        for number in (1, 2):
            picture = np.full((9, 9, 3), value + number, np.uint8)
            pictures.write_png(tmp_path / name / f"{name}_{number:04d}.png", picture)
    (tmp_path / "pairs.txt").write_text(PAIRS)
    return tmp_path


def test_pictures_are_those_of_the_list(folder, capsys):
    pairs = read_pairs(folder, 8)
    assert pairs.images.shape == (6, 8, 8, 3)
    values = pairs.images[:, 0, 0, 0]
    assert values[pairs.first].tolist() == [11, 11, 202, 201]
    assert values[pairs.second].tolist() == [12, 102, 201, 101]
    assert pairs.same.tolist() == [True, False, True, False]
    assert pairs.folds.tolist() == [0, 0, 1, 1]
    assert pairs.left_out == 0
    assert "Reading 6 pictures" in capsys.readouterr().out

    def features_of(images):
        """A direction for each person."""
        angles = images[:, 0, 0, 0].astype(float) // 100
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    assert pairs.verify(features_of).by_fold == (1, 1)


def test_people_of_the_training_are_left_out(folder):
    (folder / "pairs.txt").write_text(
        PAIRS.replace("2\t1\nAnn", "3\t1\nAnn", 1) + "Bob_Example 1 2\nBob_Example 1 Cy_Example 1\n"
    )
    pairs = read_pairs(folder, 8, without=["Ann Example"], show=lambda text: None)
    assert (len(pairs.same), pairs.left_out) == (4, 2)
    assert pairs.folds.tolist() == [1, 1, 2, 2]
    with pytest.raises(ValueError, match="Of 6 pairs 1 are without people that are classes"):
        read_pairs(folder, 8, without=["Ann Example", "Cy Example"])


def test_missing_list_or_pictures_have_a_message(folder, tmp_path):
    (folder / "Bob_Example" / "Bob_Example_0002.png").unlink()
    with pytest.raises(ValueError, match=r"1 of 6 pictures .* such as Bob_Example 2"):
        read_pairs(folder, 8)
    (folder / "pairs.txt").unlink()
    with pytest.raises(ValueError, match=r"There is no .*pairs\.txt"):
        read_pairs(folder, 8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line"),
        ("Ann\t1\t2\n", "first line .* Received: 'Ann 1 2'"),
        (PAIRS.replace("2\t1\n", "10\t300\n", 1), "10 folds of 300 [+] 300 pairs in 4 lines"),
        ("1\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\n", "two folds or more"),
        (PAIRS.replace("Ann_Example\t1\t2", "Ann_Example\t1\tx", 1), "Received: 'Ann_Example 1 x'"),
        (PAIRS.replace("Cy_Example\t2\t1", "Cy_Example\t2\tBob_Example\t1"), "A line of pairs.txt"),
    ],
)
def test_other_lists_have_a_message(text, message):
    with pytest.raises(ValueError, match=message):
        parse_pairs(text)
