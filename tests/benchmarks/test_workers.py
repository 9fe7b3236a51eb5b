import importlib.util
import signal

import pytest

from benchmarks.workers import Trainer, Worker, WorkerError

pytestmark = pytest.mark.slow


def test_a_worker_that_ends_says_why():
    with pytest.raises(WorkerError, match="nothing has ended: ModuleNotFoundError: No module"):
        Worker("nothing")


def test_a_worker_on_jax_needs_no_tensorflow(tmp_path):
    """A machine with a GPU may have none: all but the compilation of the step is tried here."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("JAX is not installed")
    (tmp_path / "tensorflow.py").write_text("raise ImportError('there is no TensorFlow')")
    environment = {"PYTHONPATH": str(tmp_path), "JAX_PLATFORMS": "cpu", "KERAS_BACKEND": "jax"}
    size = {"preset": "compact", "image_size": 16, "batch_size": 4, "num_classes": 3}
    with Worker("keras_training", environment, **size) as worker:
        assert worker.about["flops_per_image"] > worker.about["flops_per_image_without_padding"]
        assert worker.ask("memory") >= worker.about["memory_before"] > 50e6
        worker._process.send_signal(signal.SIGKILL)
        with pytest.raises(WorkerError, match="keras_training has ended: killed by signal 9"):
            worker.ask("memory")
    with Worker("matrix_products", environment, dtype="float32") as worker:
        assert worker.ask("product", side=64, seconds=0) > 0


def test_a_trainer_takes_turns():
    size = {"preset": "compact", "image_size": 16, "batch_size": 2, "num_classes": 3}
    with Trainer(seconds=0, **size) as trainer:
        assert trainer.peak_memory > trainer.about["memory_before"]
        assert trainer.train(0.0) > 0
        products = trainer.products(0.0)
        assert set(products) == {"product 512", "product 1024", "product 2048"}
        assert products["product 512"]() > 1e8
