import pytest

from keras_cvaegan.training.distribution import Distribution, open_distribution


def test_one_device_is_the_default():
    distribution = open_distribution()
    assert (distribution.num_replicas, distribution.is_chief) == (1, True)
    assert distribution.dataset(lambda shard: shard, 8) == (0, 1)


def test_a_batch_that_the_replicas_cannot_share_is_refused():
    distribution = Distribution()
    distribution.num_replicas = 3
    with pytest.raises(ValueError, match=r"multiple of the 3 replicas.*batch_size=8"):
        distribution.dataset(lambda shard: shard, 8)


def test_workers_that_stand_at_other_steps_are_refused(monkeypatch):
    distribution = Distribution()
    distribution.check_same(4)
    monkeypatch.setattr(distribution, "gather", lambda step: [step, 2.0])
    with pytest.raises(ValueError, match=r"are of the steps 4, 2\. Put --run_dir on a disk"):
        distribution.check_same(4.0)


def test_unknown_strategy_is_refused():
    with pytest.raises(ValueError, match=r"one of none, mirrored.*Received: 'miror'"):
        open_distribution("miror")


@pytest.mark.tensorflow
def test_data_parallel_needs_jax():
    with pytest.raises(ValueError, match=r"KERAS_BACKEND=jax.*Received: KERAS_BACKEND=tensorflow"):
        open_distribution("data_parallel")


@pytest.mark.tensorflow
@pytest.mark.parametrize("strategy", ["none", "multi_worker"])
def test_devices_are_counted_on_one_machine_only(strategy):
    with pytest.raises(ValueError, match=r"mirrored and data_parallel. Received: devices=2"):
        open_distribution(strategy, devices=2)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "text",
    [
        "",
        "worker0",
        "[]",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
    ],
)
def test_a_cluster_that_is_none_is_refused_with_an_example(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=r"TF_CONFIG='{.*Received: TF_CONFIG="):
        open_distribution("multi_worker")
