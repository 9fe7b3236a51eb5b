"""The real builders of TFDS, on small archives of the official layout."""

import io

import numpy as np
import pytest
import requests

import datasets
from keras_cvaegan import pictures
from tests.helpers.archives import archive, cifar_records, encoded, matlab

tfds = pytest.importorskip("tensorflow_datasets")

SPECIES = ("001.Black_footed_Albatross", "002.Laysan_Albatross", "200.Common_Yellowthroat")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(url, **options):
        raise requests.ConnectionError(request=requests.Request("HEAD", url))

    monkeypatch.setattr(requests, "head", refuse)
    monkeypatch.setattr(requests.Session, "get", refuse)


@pytest.fixture
def put_archive(tmp_path, monkeypatch):
    """Returns a function that puts an archive where a user would, with its own checksum known."""
    manual = tmp_path / "downloads" / "manual"

    def put(builder_name, file_name, data):
        manual.mkdir(parents=True, exist_ok=True)
        (manual / file_name).write_bytes(data)
        infos = tfds.builder_cls(builder_name).url_infos
        computed = tfds.download.checksums.compute_url_info(manual / file_name)
        for url, info in infos.items():
            if info.filename in (file_name, None):
                monkeypatch.setitem(infos, url, computed)

    return put


def bird(number, height=40, width=60):
    """A grey picture with a white box, of (left, top, width, height)."""
    left, top, box_width, box_height = box = (10 + number, 5, 20, 10)
    picture = np.full((height, width, 3), 100, np.uint8)
    picture[top : top + box_height, left : left + box_width] = 255
    return picture, box


@pytest.fixture
def cifar_pictures():
    return np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)


def sorted_rows(images):
    return images.reshape(len(images), -1)[np.lexsort(images.reshape(len(images), -1).T)]


def test_cifar10(tmp_path, put_archive, cifar_pictures):
    records = cifar_records(cifar_pictures, lambda number: [number % 10])
    names = [f"data_batch_{number}.bin" for number in range(1, 6)]
    files = {f"cifar-10-batches-bin/{name}": records[: 3073 * 10] for name in names}
    files["cifar-10-batches-bin/test_batch.bin"] = records
    class_names = [f"thing_{number}" for number in range(10)]
    files["cifar-10-batches-bin/batches.meta.txt"] = "\n".join([*class_names, ""]).encode()
    put_archive("cifar10", "cifar-10-binary.tar.gz", archive(files))

    test = datasets.prepare("cifar10", "test", data_dir=tmp_path)
    np.testing.assert_array_equal(sorted_rows(test.images), sorted_rows(cifar_pictures))
    for image, label in zip(test.images, test.labels, strict=True):
        number = (cifar_pictures == image).all(axis=(1, 2, 3)).argmax()
        assert label == number % 10
    assert test.description.class_names == tuple(class_names)
    assert test.description.class_counts == (2,) * 10
    train = datasets.prepare("cifar10", "train", data_dir=tmp_path)
    assert train.description.num_images == 50
    validation = datasets.prepare("cifar10", "validation", data_dir=tmp_path)
    np.testing.assert_array_equal(validation.images, test.images)
    again = datasets.prepare("cifar10", "test", data_dir=tmp_path, cache_dir=tmp_path / "another")
    np.testing.assert_array_equal(again.images, test.images)
    for index in range(3):
        part = datasets.prepare("cifar10", "test", data_dir=tmp_path, part=(index, 3))
        np.testing.assert_array_equal(part.images, test.images[index::3])
        np.testing.assert_array_equal(part.labels, test.labels[index::3])
    batch = next(iter(datasets.load("cifar10", "test", 16, 20, data_dir=tmp_path)))
    assert batch[0].shape == (20, 16, 16, 3)


def test_cifar100(tmp_path, put_archive, cifar_pictures):
    records = cifar_records(cifar_pictures, lambda number: [number % 20, 99 - number])
    fine, coarse = (
        [f"{kind}_{i}" for i in range(n)] for kind, n in (("fine", 100), ("coarse", 20))
    )
    files = {
        "cifar-100-binary/train.bin": records,
        "cifar-100-binary/test.bin": records[: 3074 * 5],
        "cifar-100-binary/fine_label_names.txt": "\n".join(fine).encode(),
        "cifar-100-binary/coarse_label_names.txt": "\n".join(coarse).encode(),
    }
    put_archive("cifar100", "cifar-100-binary.tar.gz", archive(files))
    prepared = datasets.prepare("cifar100", "test", data_dir=tmp_path)
    assert prepared.description.class_names == tuple(fine)
    assert sorted(prepared.labels) == [95, 96, 97, 98, 99]


@pytest.fixture
def birds2011(put_archive):
    files, masks, lists = {}, {}, {"images": [], "train_test_split": [], "bounding_boxes": []}
    for number in range(9):
        picture, box = bird(number)
        name = f"{SPECIES[number % 3]}/Bird_{number:04d}_{number}"
        files[f"CUB_200_2011/images/{name}.jpg"] = encoded(picture)
        masks[f"segmentations/{name}.png"] = encoded(picture[..., 0], "PNG")
        lists["images"].append(f"{number + 1} {name}.jpg")
        lists["train_test_split"].append(f"{number + 1} {int(number < 6)}")
        lists["bounding_boxes"].append(f"{number + 1} " + " ".join(f"{float(x)}" for x in box))
    for name, lines in lists.items():
        files[f"CUB_200_2011/{name}.txt"] = "\n".join([*lines, ""]).encode()
    put_archive("caltech_birds2011", "CUB_200_2011.tgz", archive(files))
    put_archive("caltech_birds2011", "segmentations.tgz", archive(masks))


@pytest.mark.usefixtures("birds2011")
def test_cub200(tmp_path):
    train = datasets.prepare("cub200", "train", 20, data_dir=tmp_path)
    names = train.description.class_names
    assert len(names) == 200
    assert names[:3] == ("black_footed_albatross", "laysan_albatross", "2")
    assert names[199] == "common_yellowthroat"
    assert "laysan_albatross" in next(tmp_path.rglob("label.labels.txt")).read_text()
    assert train.description.num_images == 6
    assert np.flatnonzero(train.description.class_counts).tolist() == [0, 1, 199]
    assert datasets.prepare("cub200", "test", 20, data_dir=tmp_path).description.num_images == 3

    cropped = datasets.prepare("cub200", "train", 20, data_dir=tmp_path, crop_to_box=True).images
    assert (np.abs(train.images[:, 1, 1].astype(int) - 100) < 20).all()
    # The square is 20 pixels wide and 20 high, the box in it 20 wide and 10 high.
    assert (cropped[:, 6:14, 2:18] > 220).all()
    assert (np.abs(cropped[:, 18:].astype(int) - 100) < 20).all()


@pytest.mark.usefixtures("birds2011")
def test_an_unreadable_record_is_listed(tmp_path, monkeypatch):
    def read_picture(data, image_size):
        raise pictures.PictureError("a picture", "damaged")

    monkeypatch.setattr(pictures, "read_picture", read_picture)
    with pytest.raises(ValueError, match=r"None of .* caltech_birds2011 train, example \d \(damag"):
        datasets.prepare("cub200", "train", 20, data_dir=tmp_path)


def test_cub200_2010(tmp_path, put_archive):
    images, annotations, names = {}, {}, []
    for number in range(6):
        picture, (left, top, width, height) = bird(number)
        name = f"{SPECIES[number % 3]}/Bird_{number:04d}_{number}"
        images[f"images/{name}.jpg"] = encoded(picture)
        box = {"left": left, "top": top, "right": left + width, "bottom": top + height}
        annotations[f"annotations-mat/{name}.mat"] = matlab(bbox=box, seg=picture[..., 0])
        names.append(f"{name}.jpg")
    lists = {"train": names[:3], "test": names[3:]}
    lists = {f"lists/{name}.txt": "\n".join(lines).encode() for name, lines in lists.items()}
    put_archive("caltech_birds2010", "annotations.tgz", archive(annotations))
    put_archive("caltech_birds2010", "images.tgz", archive(images))
    put_archive("caltech_birds2010", "lists.tgz", archive(lists))

    prepared = datasets.prepare("cub200_2010", "test", 20, data_dir=tmp_path, crop_to_box=True)
    assert prepared.description.class_names[199] == "common_yellowthroat"
    assert sorted(prepared.labels) == [0, 1, 199]
    assert (prepared.images[:, 6:14, 2:18] > 220).all()


def test_flowers102(tmp_path, put_archive):
    labels = [1, 2, 102, 1, 2, 102]
    files = {
        f"jpg/image_{number:05d}.jpg": encoded(np.full((30, 40, 3), 40 * number, np.uint8))
        for number in range(1, 7)
    }
    put_archive("oxford_flowers102", "102flowers.tgz", archive(files))
    put_archive("oxford_flowers102", "imagelabels.mat", matlab(labels=np.array(labels)))
    sets = {"trnid": np.array([1, 2, 3]), "valid": np.array([4]), "tstid": np.array([5, 6])}
    put_archive("oxford_flowers102", "setid.mat", matlab(**sets))

    train = datasets.prepare("flowers102", "train", 16, data_dir=tmp_path)
    assert train.description.class_names[0] == "pink primrose"
    assert dict(zip(train.labels.tolist(), train.images[:, 0, 0, 0], strict=True)) == {
        0: 40,
        1: 80,
        101: 120,
    }
    validation = datasets.prepare("flowers102", "validation", 16, data_dir=tmp_path)
    assert validation.images[:, 0, 0, 0].tolist() == [160]


@pytest.fixture
def people(put_archive):
    files = {}
    for number in range(1, 11):
        for label, name in enumerate(("Ann_Example", "Bob_Example")):
            picture = np.full((25, 25, 3), 20 * number + 10 * label, np.uint8)
            files[f"lfw/{name}/{name}_{number:04d}.jpg"] = encoded(picture)
    files["lfw/Cy_Example/Cy_Example_0001.jpg"] = encoded(picture)
    put_archive("lfw", "lfw.tgz", archive(files))
    return files


@pytest.mark.usefixtures("people")
def test_lfw(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    seen = []
    for split, count in (("train", 16), ("validation", 2), ("test", 2)):
        prepared = datasets.prepare("lfw", split, 8, min_images=10)
        assert prepared.description.class_names == ("Ann Example", "Bob Example")
        values = prepared.images[:, 0, 0, 0]
        assert len(values) == count
        assert (values // 10 % 2 == prepared.labels).all()
        seen.extend(values)
    assert sorted(seen) == list(range(20, 220, 10))
    # Neither TFDS nor the archive is needed again.
    monkeypatch.setattr(tfds.download, "DownloadManager", None)
    (tmp_path / "downloads" / "manual" / "lfw.tgz").unlink()
    assert datasets.get("lfw").source("train", 8, min_images=10).count == 16


def test_lfw_does_not_depend_on_where_it_comes_from(tmp_path, people):
    for name, data in people.items():
        path = tmp_path / "by_hand" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for split in datasets.SPLITS:
        options = {"split": split, "image_size": 8, "min_images": 10}
        images = datasets.prepare("lfw", data_dir=tmp_path, **options).images
        expected = datasets.prepare("lfw", data_dir=tmp_path / "by_hand", **options).images
        np.testing.assert_array_equal(images, expected)


def test_a_damaged_archive_of_lfw(tmp_path):
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "lfw.tgz").write_bytes(b"something else")
    message = r"(?s)An archive of 'lfw' is damaged or not the official one.*lfw.tgz"
    with pytest.raises(ValueError, match=message):
        datasets.load("lfw", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "archives"),
    [
        ("cifar10", ["cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar-10-bin"]),
        ("cifar100", ["cifar-100-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar-100"]),
        (
            "cub200",
            [
                "CUB_200_2011.tgz from https://data.caltech.edu/records/65de6",
                "segmentations.tgz from https://data.caltech.edu/records/w9d68",
            ],
        ),
        (
            "cub200_2010",
            [
                "annotations.tgz from https://drive.google.com/",
                "images.tgz from https://drive.google.com/",
                "lists.tgz from https://drive.google.com/",
            ],
        ),
        (
            "flowers102",
            [
                "102flowers.tgz from https://www.robots.ox.ac.uk/",
                "imagelabels.mat from https://www.robots.ox.ac.uk/",
                "setid.mat from https://www.robots.ox.ac.uk/",
            ],
        ),
        ("lfw", ["lfw.tgz from https://ndownloader.figshare.com/"]),
    ],
)
def test_without_a_network_the_archives_and_their_place_are_named(tmp_path, name, archives):
    (tmp_path / "downloads").mkdir()
    with pytest.raises(ConnectionError) as error:
        datasets.load(name, data_dir=tmp_path)
    first, *listed = str(error.value).splitlines()
    assert "does not answer" in first
    assert f"put these files into '{tmp_path / 'downloads' / 'manual'}' and start again" in first
    assert (tmp_path / "downloads" / "manual").is_dir()
    assert len(listed) == len(archives)
    for line, expected in zip(listed, archives, strict=True):
        assert line.strip().startswith(expected)


def test_only_the_archives_that_are_missing_are_named(tmp_path, put_archive):
    put_archive("caltech_birds2011", "segmentations.tgz", b"")
    with pytest.raises(ConnectionError) as error:
        datasets.load("cub200", data_dir=tmp_path)
    assert "CUB_200_2011.tgz" in str(error.value)
    assert "segmentations.tgz" not in str(error.value)


def test_a_server_that_refuses(tmp_path, monkeypatch):
    response = requests.Response()
    response.status_code, response.url = 403, "https://www.cs.toronto.edu/cifar"
    response.raw = io.BytesIO()
    monkeypatch.setattr(requests, "head", lambda url, **options: response)
    monkeypatch.setattr(requests.Session, "get", lambda self, url, **options: response)
    with pytest.raises(ConnectionError, match=r"HTTP code: 403(?s:.*)cifar-10-binary.tar.gz from"):
        datasets.load("cifar10", data_dir=tmp_path)


def test_an_archive_that_is_not_the_official_one(tmp_path):
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "cifar-10-binary.tar.gz").write_bytes(b"something else")
    message = r"(?s)An archive of 'cifar10' is damaged or not the official one.*binary.tar.gz"
    with pytest.raises(ValueError, match=message):
        datasets.load("cifar10", data_dir=tmp_path)


def test_a_data_dir_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        OSError, match=r"Cannot prepare the data set 'cifar10' in '.*file'.*data_di"
    ):
        datasets.load("cifar10", data_dir=tmp_path / "file")
