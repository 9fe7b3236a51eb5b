"""Checks that several workers train the same run, each from data enough."""

from __future__ import annotations

import hashlib
import json

from keras_cvaegan.training.configuration import TrainingConfig
from keras_cvaegan.training.distribution import Distribution
from keras_cvaegan.training.run_data import RunData


def check_workers(config: TrainingConfig, data: RunData, distribution: Distribution) -> None:
    """Checks that all workers train the same.

    Args:
        config: configuration of the run, as this worker has it.
        data: training pictures, as this worker found them.
        distribution: distribution over the workers.

    Raises:
        ValueError: on every worker, otherwise.
    """
    workers = distribution.num_workers
    # Where the pictures lie may differ from machine to machine.
    elsewhere = {"data_dir": None, "unlabelled_data_dir": bool(config.unlabelled_data_dir)}
    same = {**config.to_json(), **elsewhere}, list(data.class_names), data.count
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).digest()
    digests = distribution.gather(int.from_bytes(digest[:6]))
    others = [str(worker) for worker in range(workers) if digests[worker] != digests[0]]
    if others:
        raise ValueError(
            f"Of {workers} workers, {', '.join(others)} had other flags or found other data than "
            "worker 0. Start the same command with the same pictures on each. Worker "
            f"{distribution.worker} found {data.count:,} pictures of {len(data.class_names)} "
            "classes."
        )
    if config.shard_data and workers == 1:
        raise ValueError(
            "shard_data shares the data among workers, and TF_CONFIG lists one only. Leave it "
            "out, or list more workers."
        )


def check_shares(config: TrainingConfig, count: int, workers: int, batches_per_step: int) -> None:
    """Checks that each worker's share of the pictures fills its part of a step.

    Args:
        config: configuration of the run.
        count: number of pictures.
        workers: number of workers.
        batches_per_step: batches that a step of the model takes.

    Raises:
        ValueError: on every worker, when it does not.
    """
    own = count // workers
    if config.shard_data and config.batch_size * batches_per_step > own * workers:
        raise ValueError(
            f"With shard_data each of the {workers} workers fills its part of a step from its "
            f"own pictures, of which it has {own}. Received: batch_size={config.batch_size}. "
            f"Choose at most {own // batches_per_step * workers}."
        )
