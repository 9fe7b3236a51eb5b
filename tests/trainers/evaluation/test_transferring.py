"""Held-out pictures shown as other classes, by stubs that keep more or less of them."""

import numpy as np
import pytest

import datasets
from tests.helpers.untrained import CLASSES, Painter, judge_without_training, write_pictures
from trainers.evaluation import measuring
from trainers.evaluation.real_side import RealSide

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real_side(tmp_path_factory, shared_cache):
    folder = tmp_path_factory.mktemp("bright")
    write_pictures(folder, {"train": 6, "validation": 1, "test": 6})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_CVAEGAN_CACHE", str(shared_cache))
        data = datasets.open_dataset("folder", 16, data_dir=folder)
        train = data.prepare("train")
        judge = judge_without_training((train.images, train.labels), None, 3, augment=False)
        yield RealSide(data, judge, {"name": "brightness", "augmentation": False})


class Keeper(Painter):
    """Its code is the picture less the brightness of its class; it draws as much of it as told."""

    latent_dim = 16 * 16 * 3

    def __init__(self, kept=1.0, target=lambda labels: labels):
        super().__init__(reconstruct=self._reconstruct)
        self.kept, self.target = kept, target

    def _reconstruct(self, images, labels):
        return self.decode(self.encode(images, labels)[0], labels)

    @staticmethod
    def _of_class(labels):
        return np.array(list(CLASSES.values()))[np.asarray(labels)][:, None] / 127.5

    def encode(self, images, labels):
        codes = np.reshape(images, (len(images), -1)) / 127.5 - 1 - self._of_class(labels)
        return codes, np.zeros_like(codes)

    def decode(self, codes, labels):
        mean = codes.mean(axis=0)
        flat = mean + self.kept * (codes - mean) + self._of_class(self.target(labels))
        return np.reshape(flat, (-1, 16, 16, 3)).astype(np.float32)


def measured(model, real_side, **options):
    return measuring.measure(model, real_side, names=["transfer"], **options)


def test_a_model_that_changes_the_class_alone(real_side):
    found = measured(Keeper(), real_side)
    figures = found["generated"]
    assert figures["transfer_accuracy"] == 1
    # As pictures are rounded to whole numbers.
    assert figures["transfer_code_change"] == pytest.approx(0, abs=0.02)
    assert 0.5 < figures["transfer_frame_change"] < 2
    settings = found["settings"]["generated"]["Transfer"]
    assert settings == {"pictures": 18, "seed": 0, "frame": 1 / 8}


def test_a_model_that_keeps_the_class(real_side):
    kept = []

    class Stubborn(Keeper):
        def encode(self, images, labels):
            kept.append(np.asarray(labels))
            return super().encode(images, labels)

    model = Stubborn(target=lambda labels: kept[-1])
    figures = measured(model, real_side)["generated"]
    assert figures["transfer_accuracy"] == 0
    assert figures["transfer_frame_change"] == pytest.approx(0, abs=0.01)


def test_codes_that_are_not_drawn_change(real_side):
    changes = [
        measured(Keeper(kept), real_side)["generated"]["transfer_code_change"]
        for kept in (0.0, 0.5)
    ]
    # All become the mean: √(½) of the distance of pairs, and half of that, of 18 pictures.
    assert changes == pytest.approx(np.sqrt(17 / 36) * np.array([1, 0.5]), abs=0.01)


def test_the_sheet_has_a_row_a_class(real_side, tmp_path):
    described = measured(Keeper(), real_side, pictures_dir=tmp_path)["pictures"]["transferred.png"]
    assert described["titles"] == ["held out", "reconstructed", *CLASSES]
    assert (tmp_path / "transferred.png").stat().st_size


def test_models_that_cannot(real_side):
    with pytest.raises(ValueError, match="Painter has no classes, thus no transfer"):
        measured(Painter(conditional=False), real_side)
    one = Painter()
    one.class_names = ("alone",)
    assert "transfer" not in measuring.possible_names(one)
    with pytest.raises(ValueError, match="Painter has no second class, thus no transfer"):
        measuring.possible_names(one, ["transfer"])
    encoderless = Painter()
    encoderless.inference_names = lambda: ("generator",)
    with pytest.raises(ValueError, match="Painter has no encoder, thus no transfer"):
        measuring.possible_names(encoderless, ["transfer"])
