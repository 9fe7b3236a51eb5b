"""Networks that are kept beside what they were trained on."""

import keras
import numpy as np

from trainers.runs.kept_networks import kept_or_trained


def test_kept_networks_are_trained_anew_where_they_do_not_serve(tmp_path, capsys):
    trained = []

    def train():
        trained.append(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
        return trained[-1]

    path = tmp_path / "reader.keras"
    kept_or_trained(path, {"epochs": 1}, "reader", train)
    kept = kept_or_trained(path, {"epochs": 1}, "reader", train)
    np.testing.assert_array_equal(kept.get_weights()[0], trained[0].get_weights()[0])
    assert len(trained) == 1
    kept_or_trained(path, {"epochs": 2}, "reader", train)
    assert "The kept reader is of other data or settings" in capsys.readouterr().out
    for damaged, content in ((path, b"PK"), (path.with_suffix(".json"), b"[]")):
        damaged.write_bytes(content)
        kept_or_trained(path, {"epochs": 2}, "reader", train)
        assert "The kept reader cannot be read: training another." in capsys.readouterr().out
    kept_or_trained(path, {"epochs": 2}, "reader", train)
    assert len(trained) == 4
