import pytest
import tensorflow as tf

from keras_cvaegan import remote_files


def test_folders_are_replaced_whole(tmp_path):
    source, target = tmp_path / "source", tmp_path / "models" / "serving"
    (source / "variables").mkdir(parents=True)
    (source / "variables" / "a").write_text("new")
    (target / "variables").mkdir(parents=True)
    (target / "variables" / "old").touch()
    remote_files.copy_whole(source, str(target))
    assert [str(path.relative_to(target)) for path in sorted(target.rglob("*"))] == [
        "variables",
        "variables/a",
    ]
    assert [path.name for path in target.parent.iterdir()] == ["serving"]


def test_what_was_there_stays_until_all_is_copied(tmp_path, monkeypatch):
    source, target = tmp_path / "source", tmp_path / "models" / "serving"
    for folder in (source, target):
        folder.mkdir(parents=True)
        (folder / "a").write_text(folder.name)

    def fail(*arguments, **settings):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tf.io.gfile, "copy", fail)
        with pytest.raises(tf.errors.ResourceExhaustedError):
            remote_files.copy_whole(source, str(target))
    assert (target / "a").read_text() == "serving"
    remote_files.copy_whole(source, str(target))
    assert (target / "a").read_text() == "source"
    assert [path.name for path in target.parent.iterdir()] == ["serving"]
