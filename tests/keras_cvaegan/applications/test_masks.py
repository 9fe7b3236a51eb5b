"""Masks against arrays written by hand."""

import numpy as np
import pytest

from keras_cvaegan.applications import hole_masks, masks, picture_mask, rectangle_mask, region_mask

BY_HAND = {
    "right_half": """
        ....XXXX
        ....XXXX
        ....XXXX
        ....XXXX
        ....XXXX
        ....XXXX
        ....XXXX
        ....XXXX""",
    "eyes": """
        ........
        ........
        .XXXXXX.
        .XXXXXX.
        ........
        ........
        ........
        ........""",
    "nose_and_mouth": """
        ........
        ........
        ........
        ........
        ..XXXX..
        ..XXXX..
        ..XXXX..
        ........""",
    "bottom_half": """
        ........
        ........
        ........
        ........
        XXXXXXXX
        XXXXXXXX
        XXXXXXXX
        XXXXXXXX""",
}


@pytest.mark.parametrize("name", masks.REGIONS)
def test_regions(name):
    expected = [[x == "X" for x in line.strip()] for line in BY_HAND[name].split()]
    mask = region_mask(name, (8, 8, 3))
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(
    ("name", "share"),
    [("right_half", 0.5), ("eyes", 0.14), ("nose_and_mouth", 0.225), ("bottom_half", 0.5)],
)
def test_shares_of_the_picture(name, share):
    assert region_mask(name, (200, 100, 3)).mean() == pytest.approx(share, abs=1e-9)
    assert region_mask(name, (64, 64, 3)).mean() == pytest.approx(share, abs=0.01)


def test_edges_lie_at_the_nearest_pixels():
    mask = rectangle_mask(0.49, 0.0, 1.0, 0.51, (3, 5, 1))
    np.testing.assert_array_equal(mask, [[0] * 5, [1, 1, 1, 0, 0], [1, 1, 1, 0, 0]])


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ((0.5, 0, 0.5, 1), "0 ≤ top < bottom ≤ 1"),
        ((0, 0, 1, 1.1), r"Received: \(0, 0, 1, 1.1\)"),
        ((0, -0.1, 1, 1), "shares of height and width"),
        ((0.0, 0.0, 1.0, float("nan")), "shares of height and width"),
        ((0.0, 0.0, 0.01, 1.0), "has no pixel of a picture of 8×8"),
    ],
)
def test_wrong_rectangles(edges, message):
    with pytest.raises(ValueError, match=message):
        rectangle_mask(*edges, (8, 8, 3))


def test_an_unknown_region():
    with pytest.raises(ValueError, match=r"There is no region 'nose'\. Allowed: right_half, eyes"):
        region_mask("nose", (8, 8, 3))


def test_holes_are_squares_anywhere_in_the_picture():
    found = hole_masks(2000, (8, 10, 3), side=0.5)
    assert found.dtype == bool
    assert found.shape == (2000, 8, 10)
    tops, lefts = (found.any(axis=axis).argmax(axis=1) for axis in (2, 1))
    for mask, top, left in zip(found[:50], tops, lefts, strict=False):
        expected = np.zeros((8, 10), bool)
        expected[top : top + 4, left : left + 5] = True
        np.testing.assert_array_equal(mask, expected)
    # 5 × 6 places, each with about 67 of 2000: four standard deviations are 32.
    counts = np.histogram2d(tops, lefts, (np.arange(6), np.arange(7)))[0]
    assert counts.sum() == 2000
    assert counts.min() > 34
    assert counts.max() < 100


def test_a_hole_depends_on_the_seed_and_its_number_alone():
    found = hole_masks(6, (16, 16, 3), seed=1)
    np.testing.assert_array_equal(hole_masks(2, (16, 16, 3), seed=1), found[:2])
    assert (hole_masks(6, (16, 16, 3), seed=2) != found).any()
    assert hole_masks(0, (16, 16, 3)).shape == (0, 16, 16)


@pytest.mark.parametrize(("side", "pixels"), [(128, 50), (64, 25), (32, 13)])
def test_the_hole_of_the_paper(side, pixels):
    assert (hole_masks(3, (side, side, 3)).sum(axis=(1, 2)) == pixels**2).all()


def test_a_hole_of_all_or_nothing():
    assert hole_masks(1, (4, 4, 3), side=1.0).all()
    for side in (0, 1.5):
        with pytest.raises(ValueError, match="side must be above 0 and at most 1"):
            hole_masks(1, (4, 4, 3), side=side)


def test_white_is_the_hole():
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[0, 1], picture[1, 2], picture[1, 1] = 255, 200, 100
    np.testing.assert_array_equal(picture_mask(picture, (2, 3, 3)), [[0, 1, 0], [0, 0, 1]])
    with pytest.raises(ValueError, match=r"size of the pictures, 3×3 pixels.*Received: .*2, 3, 3"):
        picture_mask(picture, (3, 3, 3))
    with pytest.raises(ValueError, match="Received: one without white"):
        picture_mask(picture // 2, (2, 3, 3))


def test_one_mask_for_all_pictures_or_one_for_each():
    one = region_mask("eyes", (8, 8, 3))
    for given in (one, one.astype(int), one.astype(np.float32), np.stack([one] * 3)):
        checked = masks.check_masks(given, 3, (8, 8, 3))
        assert checked.dtype == bool
        np.testing.assert_array_equal(checked, np.stack([one] * 3))
    assert masks.check_masks(one, 0, (8, 8, 3)).shape == (0, 8, 8)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((8, 9)), r"shape \(8, 8\), or \(3, 8, 8\) for 3 pictures. Received: \(8, 9\)"),
        (np.zeros((2, 8, 8)), r"Received: \(2, 8, 8\)"),
        (np.full((8, 8), 0.5), "1 inside the hole and 0 outside. Received: values from 0.5"),
        (np.ones((8, 8)), "leaves nothing"),
    ],
)
def test_wrong_masks(given, message):
    with pytest.raises(ValueError, match=message):
        masks.check_masks(given, 3, (8, 8, 3))
