import subprocess
import sys

import numpy as np
import pytest

import datasets
from datasets.pipeline import registry

pytestmark = pytest.mark.usefixtures("no_other_datasets")


def source_of_nothing(split, image_size):
    return registry.Source(("a", "b"), 0, "", registry.in_batches(0, None))


def test_the_data_sets_are_found():
    expected = {"cifar10", "cifar100", "cub200", "cub200_2010", "facescrub", "flowers102"}
    expected |= {"folder", "lfw", "petals"}
    assert expected <= set(datasets.names())
    assert list(datasets.names()) == sorted(datasets.names())
    assert all(datasets.get(name).doc for name in datasets.names())


def test_listing_the_data_sets_imports_no_framework():
    program = (
        "import sys, datasets; datasets.names(); "
        "print({'tensorflow', 'tensorflow_datasets', 'keras'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr


def test_unknown_name():
    with pytest.raises(ValueError, match=r"Unknown data set. Received: 'petal'. Allowed: .*folder"):
        datasets.load("petal")


def test_unknown_split():
    registry.register("toy", splits=("train", "test"))(source_of_nothing)
    with pytest.raises(
        ValueError, match=r"'toy' has the splits train, test. Received: split='dev'"
    ):
        datasets.prepare("toy", "dev")


def test_unknown_option():
    with pytest.raises(ValueError, match=r"'cub200' does not take crop. Allowed: crop_to_box\."):
        datasets.prepare("cub200", crop=True)
    registry.register("toy")(source_of_nothing)
    with pytest.raises(ValueError, match=r"'toy' does not take crop. Allowed: no options"):
        datasets.prepare("toy", crop=True)


def test_data_dir_for_a_data_set_without_files():
    registry.register("toy")(source_of_nothing)
    with pytest.raises(ValueError, match=r"reads no folder. Received: data_dir='x'.*'folder'"):
        datasets.prepare("toy", data_dir="x")


def test_an_option_must_not_hide_a_parameter_of_load():
    with pytest.raises(ValueError, match="cannot have an option named seed"):

        @registry.register("toy")
        def toy(split, image_size, seed=0):
            """Never registered."""


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="Two data sets are named 'folder'"):
        registry.register("folder")(source_of_nothing)


def test_options_and_defaults():
    assert datasets.get("cub200").options == {"crop_to_box": False}
    assert datasets.get("folder").options == {}


def test_in_batches_covers_every_index_once():
    def read(indices):
        return registry.Batch([np.zeros((1, 1, 3), np.uint8)] * len(indices), list(indices))

    batches = [task() for task in registry.in_batches(10, read, size=4)()]
    assert [list(batch.labels) for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
