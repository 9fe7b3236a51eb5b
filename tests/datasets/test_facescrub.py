import hashlib
import io
import logging

import numpy as np
import pytest
from PIL import Image

import datasets
from datasets import facescrub
from datasets.reading.boxes import crop_square
from keras_cvaegan import pictures

SIZE = 8
PEOPLE = ("Ann Example", "Bob Example")
COUNT = 10


@pytest.fixture(autouse=True)
def warnings_again():
    facescrub._warn.cache_clear()


def prepare(data_dir, split="train", **options):
    options = {"min_images": 3} | options
    return datasets.prepare("facescrub", split, SIZE, data_dir=data_dir, **options)


def picture_of(label, number):
    random = np.random.default_rng([label, number])
    return random.integers(0, 256, (40, 60, 3), np.uint8)


def box_of(number):
    return 10 + number, 5, 26 + number, 21


def encoded(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def url_of(label, number):
    return f"http://example.com/{label}/{number}.jpg"


def write_list(path, label, **changes):
    lines = ["\t".join(("name", "image_id", "face_id", "url", "bbox", "sha256"))]
    for number in range(COUNT):
        row = {
            "name": PEOPLE[label],
            "image_id": str(number),
            "face_id": str(number + 100),
            "url": url_of(label, number),
            "bbox": ",".join(map(str, box_of(number))),
            "sha256": hashlib.sha256(encoded(picture_of(label, number))).hexdigest(),
        } | changes
        lines.append("\t".join(row.values()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]))


def write_lists(root, **changes):
    for label, name in enumerate(facescrub.LISTS):
        write_list(root / name, label, **changes)


def write_all(root, path_of, picture_of=picture_of):
    for label, person in enumerate(PEOPLE):
        for number in range(COUNT):
            path = root / path_of(label, person.replace(" ", "_"), number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(picture_of(label, number)))


def named(label, person, number):
    group = ("actors", "actresses")[label]
    return f"{group}/images/{person}/{person}_{number}.jpeg"


def hashed(label, person, number):
    return f"download/{person}/{hashlib.sha1(url_of(label, number).encode()).hexdigest()}.jpg"


def named_face(label, person, number):
    return named(label, person, f"{number}_{number + 100}").replace("/images/", "/faces/")


def hashed_face(label, person, number):
    return hashed(label, f"{person}/face", number)


def cut_out(label, number):
    left, top, right, bottom = box_of(number)
    return picture_of(label, number)[top:bottom, left:right]


def rows_of(images):
    return sorted(image.tobytes() for image in images)


def all_images(root, **options):
    return [image for split in datasets.SPLITS for image in prepare(root, split, **options).images]


@pytest.mark.parametrize("path_of", [named, hashed])
def test_whole_pictures_are_cropped_to_their_boxes(tmp_path, path_of):
    write_lists(tmp_path)
    write_all(tmp_path, path_of)
    prepared = prepare(tmp_path, margin=0.25)
    assert prepared.description.class_names == PEOPLE
    assert prepared.description.class_counts == (8, 8)
    # Boxes of 16×16 with 4 more on each side, but for the upper edge: there are 5 above.
    expected = [
        pictures.resize_picture(picture_of(label, n)[1:25, 6 + n : 30 + n], SIZE)
        for label in range(2)
        for n in range(COUNT)
    ]
    assert rows_of(all_images(tmp_path, margin=0.25)) == rows_of(expected)


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("path_of", [named_face, hashed_face])
def test_faces_cut_out(tmp_path, path_of, lists):
    if lists:
        write_lists(tmp_path)
    write_all(tmp_path, path_of, cut_out)
    assert prepare(tmp_path).description.class_names == PEOPLE
    expected = [
        pictures.resize_picture(cut_out(label, number), SIZE)
        for label in range(2)
        for number in range(COUNT)
    ]
    assert rows_of(all_images(tmp_path)) == rows_of(expected)


def test_the_folder_of_the_faces_itself(tmp_path):
    write_all(tmp_path, lambda label, person, number: f"faces/{person}/{number}.jpg", cut_out)
    assert prepare(tmp_path / "faces").description.class_counts == (8, 8)


def test_whole_pictures_are_preferred(tmp_path):
    write_lists(tmp_path / "actors")
    write_all(tmp_path, named)
    expected = np.array(prepare(tmp_path).images)
    write_all(tmp_path, named_face, cut_out)
    np.testing.assert_array_equal(prepare(tmp_path).images, expected)


def test_splits_do_not_depend_on_the_layout(tmp_path):
    def white(label, number):
        return np.full((20, 20, 3), 20 * number, np.uint8)

    for layout, path_of in (("a", named), ("b", hashed), ("c", named_face), ("d", hashed_face)):
        write_lists(tmp_path / layout, sha256="")
        write_all(tmp_path / layout, path_of, white)
    write_all(tmp_path / "e", named_face, white)
    for split in datasets.SPLITS:
        first, *others = (prepare(tmp_path / layout, split, margin=0).images for layout in "abcde")
        for other in others:
            np.testing.assert_array_equal(other, first)


def test_splits_are_a_partition(tmp_path):
    write_lists(tmp_path)
    write_all(tmp_path, named)
    counts = [prepare(tmp_path, split).description.class_counts for split in datasets.SPLITS]
    assert counts == [(8, 8), (1, 1), (1, 1)]
    assert len(set(rows_of(all_images(tmp_path)))) == 20


def test_pictures_of_dead_urls_are_left_out_and_counted(tmp_path, caplog):
    write_lists(tmp_path)
    write_all(tmp_path, named)
    folder = tmp_path / "actors" / "images" / "Ann_Example"
    for number in range(4):
        (folder / f"Ann_Example_{number}.jpeg").unlink()
    (folder / "Ann_Example_99.jpeg").write_bytes(encoded(picture_of(0, 99)))
    counts = [prepare(tmp_path, split).description.class_counts for split in datasets.SPLITS]
    assert counts == [(4, 8), (1, 1), (1, 1)]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "facescrub: 4 of 20 listed faces have no picture (URLs die) and are left out; pictures "
        "in no list: 1."
    )
    with pytest.raises(ValueError, match=r"one person only with min_images=7 .* and 6 of 'Ann Exa"):
        prepare(tmp_path, min_images=7)


def test_a_picture_of_something_else_is_unreadable(tmp_path):
    write_lists(tmp_path)
    write_all(tmp_path, named)
    path = tmp_path / "actors" / "images" / "Ann_Example" / "Ann_Example_3.jpeg"
    path.write_bytes(encoded(picture_of(7, 7)))
    (pair,) = (
        pair
        for split in datasets.SPLITS
        for pair in prepare(tmp_path, split).description.unreadable
    )
    expected = "another picture than the listed one, by its SHA-256"
    assert pair == (path.relative_to(tmp_path).as_posix(), expected)


def test_corrupt_pictures(tmp_path):
    write_lists(tmp_path, sha256="")
    write_all(tmp_path, named)
    for path in (tmp_path / "actors" / "images" / "Ann_Example").iterdir():
        path.write_bytes(b"words")
    with pytest.raises(
        ValueError, match=r"None of the 8 pictures of class 'Ann Example' can be re"
    ):
        prepare(tmp_path)


@pytest.mark.parametrize("box", ["60,0,70,10", "5,40,20,60", "20,10,20,30"])
def test_a_box_outside_its_picture(tmp_path, box):
    write_list(tmp_path / facescrub.LISTS[0], 0, bbox=box)
    write_list(tmp_path / facescrub.LISTS[1], 1)
    write_all(tmp_path, named)
    with pytest.raises(ValueError, match=r"its box \(\d.*\) lies outside its 60×40 pixels"):
        prepare(tmp_path)


def test_the_cache_knows_the_margin_and_the_boxes(tmp_path):
    write_lists(tmp_path)
    write_all(tmp_path, named)
    first = np.array(prepare(tmp_path).images)
    assert (prepare(tmp_path, margin=0).images != first).any()
    write_lists(tmp_path, bbox="0,0,40,40")
    assert (prepare(tmp_path).images != first).any()
    with pytest.raises(ValueError, match=r"margin must be 0 or more\. Received: margin=-1"):
        prepare(tmp_path, margin=-1)


def test_crop_square():
    picture = picture_of(0, 0)
    np.testing.assert_array_equal(crop_square(picture, (10, 5, 20, 15)), picture[5:15, 10:20])
    np.testing.assert_array_equal(crop_square(picture, (10, 5, 20, 11)), picture[3:13, 10:20])
    np.testing.assert_array_equal(crop_square(picture, (0, 0, 10, 10), 0.5), picture[:20, :20])
    np.testing.assert_array_equal(crop_square(picture, (50, 30, 60, 40), 0.5), picture[20:, 40:])
    np.testing.assert_array_equal(crop_square(picture, (30, 0, 60, 40), 1), picture[:, 20:])


def test_without_data_dir():
    with pytest.raises(
        ValueError, match=r"'facescrub' needs a data_dir with what a downloader .*ht"
    ):
        prepare(None)


def test_nothing_found(tmp_path):
    with pytest.raises(ValueError, match=r"has no pictures\. It must hold what a downloader"):
        prepare(tmp_path)
    write_lists(tmp_path)
    with pytest.raises(ValueError, match=r"has no pictures\. It must hold what a downloader"):
        prepare(tmp_path)


def test_whole_pictures_without_lists(tmp_path):
    write_all(tmp_path, named)
    with pytest.raises(ValueError, match="has whole pictures but not the lists with their boxes"):
        prepare(tmp_path)


def test_pictures_of_no_list(tmp_path):
    write_lists(tmp_path)
    write_all(tmp_path, lambda label, person, number: f"{person}/picture_{number}.jpg")
    with pytest.raises(
        ValueError, match=r"None of the 20 pictures in .* is in its lists\. It must"
    ):
        prepare(tmp_path)


def test_damaged_lists(tmp_path):
    write_all(tmp_path, named)
    write_lists(tmp_path, bbox="1,2,3")
    with pytest.raises(ValueError, match=r"Line 2 of '.*actors.txt' is damaged: .*bbox four whole"):
        prepare(tmp_path)
    (tmp_path / facescrub.LISTS[0]).write_text("<html>")
    with pytest.raises(ValueError, match=r"is not a list of FaceScrub: .* Received: '<html>'"):
        prepare(tmp_path)
