"""Trains a generator of the categories of a data set; without flags, of drawn flowers.

Started again on the same --run_dir, it goes on where it stopped.
"""

import contextlib
import hashlib
import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import datasets
from trainers.command_line import flags
from trainers.command_line.command import INTERRUPTED, TRAINING_ENVIRONMENT, Command
from trainers.runs import configuration

if TYPE_CHECKING:
    import tensorflow as tf
    from absl.flags import FlagValues
    from keras.callbacks import Callback

    from keras_cvaegan.models import GenerativeModel
    from keras_cvaegan.training.distribution import Distribution
    from keras_cvaegan.training.run_directory import RunDirectory

COMMAND = Command("trainers.fit", __doc__, TRAINING_ENVIRONMENT)
flags.data_flags(COMMAND)
with COMMAND.section("Labels"):
    COMMAND.number(
        "labelled_share",
        1.0,
        "share of each class's training pictures whose label counts, drawn by lot with --seed; the "
        "others are left out, or taken with --unlabelled_rest",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    COMMAND.boolean(
        "unlabelled_rest",
        False,
        "lr_li_vae and lr_li_vae_gan only: half of each batch are the other pictures, without "
        "their labels, but known to be of the same classes",
    )
    COMMAND.string(
        "unlabelled_data_dir",
        None,
        "lr_li_vae and lr_li_vae_gan only: half of each batch are pictures of this folder, which "
        "have no labels; with --set=unlabelled_classes=known, of the classes of the labelled ones",
    )
with COMMAND.section("Model"):
    COMMAND.enum("model", "cvae_gan", flags.MODELS, "which model")
    COMMAND.enum("preset", "compact", flags.PRESETS, "networks and their hyper-parameters")
    COMMAND.integer(
        "latent_dim",
        None,
        "dimensions of z; of LR/LI-VAE, of each of its two codes (default: the preset's)",
        lower_bound=1,
    )
    COMMAND.repeated(
        "set",
        "weights of the objective and the like, as in --set=kl_weight=1,pixel_weight=2; layers "
        "are joined by +; --dry_run lists names and values as `objective` (default: the preset's)",
    )
with COMMAND.section("Training"):
    COMMAND.integer("steps", None, "length of the run (default: the preset's)", lower_bound=1)
    COMMAND.integer(
        "batch_size",
        None,
        "images an update; a step of wgan takes critic_steps + 1 batches (default: the preset's)",
        lower_bound=1,
    )
    COMMAND.repeated(
        "learning_rate",
        "--learning_rate=2e-4, or by network: --learning_rate=encoder=1e-3,generator=1e-3 "
        "(default: that of the model's paper, or the preset's)",
    )
    COMMAND.number(
        "beta_1", None, "of Adam (default: the preset's)", lower_bound=0, upper_bound=0.9999
    )
    COMMAND.integer(
        "seed", 0, "of weights, order of data and noise", lower_bound=0, upper_bound=2**31 - 1
    )
    COMMAND.enum("dtype_policy", "float32", flags.DTYPE_POLICIES, "precision of the layers")
    COMMAND.boolean("jit_compile", False, "compile the step with XLA, which gains nothing on CPUs")
    COMMAND.boolean("horizontal_flip", False, "mirror each training picture with probability ½")
    COMMAND.enum(
        "strategy",
        "none",
        flags.STRATEGIES,
        "distribution over devices; the batch is that of all of them together\n"
        "mirrored: all GPUs of this machine\n"
        "multi_worker: several machines, described by TF_CONFIG; start the same command on each\n"
        "data_parallel: all devices under JAX, with KERAS_BACKEND=jax\n"
        "tpu: a Cloud TPU; untested",
    )
    COMMAND.integer(
        "devices",
        None,
        "mirrored and data_parallel only: how many devices; without a GPU, that many parts of the "
        "CPU, to try things out (default: all)",
        lower_bound=1,
    )
    COMMAND.boolean(
        "shard_data",
        False,
        "multi_worker only: each worker decodes, keeps and reads its own share of the training "
        "pictures, for data larger than its disk; with another number of workers a run goes on in "
        "another order of the pictures",
    )
with COMMAND.section("Run"):
    COMMAND.string("run_dir", None, "where results go (default: runs/DATASET_MODEL)")
    COMMAND.integer("log_every", None, "steps a line of the log (default: 25)", lower_bound=1)
    COMMAND.integer("sample_every", None, "steps a sample grid (default: 500)", lower_bound=1)
    COMMAND.integer("checkpoint_every", None, "steps a checkpoint (default: 500)", lower_bound=1)
    COMMAND.boolean("export", True, "write a SavedModel at the end")
    COMMAND.boolean("dry_run", False, "print configuration and networks; train and write nothing")


def describe(config: dict[str, Any]) -> None:
    """Prints what a run would be: `--dry_run`."""
    source = configuration.data_source(config)
    model = configuration.build_model(config, source.class_names)
    print(json.dumps(config, indent=2))
    total = 0
    for name, network in model.networks.items():
        total += network.count_params()
        print(f"\n{name}: {network.count_params():,} parameters")
        for layer in network.layers:
            shapes = layer.output if isinstance(layer.output, dict) else {"": layer.output}
            sizes = " ".join("×".join(map(str, x.shape[1:])) for x in shapes.values())
            kind = type(layer).__name__
            print(f"  {layer.name:<28} {kind:<28} {sizes:<16} {layer.count_params():>12,}")
    print(f"\nAll networks: {total:,} parameters")
    print(f"Data: {config['dataset']}, {len(source.class_names)} classes, ", end="")
    print(f"{source.count:,} training pictures, {config['image_size']} px")
    batches = "1 batch" if model.batches_per_step == 1 else f"{model.batches_per_step} batches"
    print(f"Step: {batches} of {config['batch_size']} images")


def open_data(
    config: dict[str, Any], step: int, shard: tuple[int, int] = (0, 1), batches_per_step: int = 1
) -> "tf.data.Dataset":
    """Returns the images of the steps that follow after `step`, or a worker's part of each.

    With `shard_data`, that part comes from the worker's own share of the data.

    Raises:
        ValueError: for data that cannot be used.
    """
    batch_size, piece = config["batch_size"] * batches_per_step, {"shard": shard}
    if config["shard_data"]:
        batch_size, piece = batch_size // shard[1], {"part": shard}
    return datasets.load_semi_supervised(
        **configuration.data_arguments(config),
        **configuration.label_arguments(config),
        batches_per_step=batches_per_step,
        batch_size=batch_size,
        seed=config["seed"],
        start=step * batch_size,
        dtype="uint8",
        **piece,
    )


def check_workers(
    config: dict[str, Any], source: "datasets.Source", distribution: "Distribution"
) -> None:
    """Checks that all workers train the same.

    Raises:
        ValueError: on every worker, otherwise.
    """
    workers = distribution.num_workers
    # Where the pictures lie may differ from machine to machine.
    elsewhere = {"data_dir": None, "unlabelled_data_dir": bool(config["unlabelled_data_dir"])}
    same = {**config, **elsewhere}, source.class_names, source.count
    digest = hashlib.sha256(json.dumps(same, sort_keys=True).encode()).digest()
    digests = distribution.gather(int.from_bytes(digest[:6]))
    others = [str(worker) for worker in range(workers) if digests[worker] != digests[0]]
    if others:
        raise ValueError(
            f"Of {workers} workers, {', '.join(others)} had other flags or found other data than "
            "worker 0. Start the same command with the same pictures on each. Worker "
            f"{distribution.worker} found {source.count:,} pictures of {len(source.class_names)} "
            "classes."
        )
    if config["shard_data"] and workers == 1:
        raise ValueError(
            "--shard_data shares the data among workers, and TF_CONFIG lists one only. Leave it "
            "out, or list more workers."
        )


def check_shares(config: dict[str, Any], count: int, workers: int, batches_per_step: int) -> None:
    """Checks that each worker's share of `count` pictures fills its part of a step.

    Raises:
        ValueError: on every worker, when it does not.
    """
    own = count // workers
    if config["shard_data"] and config["batch_size"] * batches_per_step > own * workers:
        raise ValueError(
            f"With --shard_data each of the {workers} workers fills its part of a step from its "
            f"own pictures, of which it has {own}. Received: --batch_size={config['batch_size']}. "
            f"Choose at most {own // batches_per_step * workers}."
        )


def train(
    model: "GenerativeModel",
    dataset: Any,
    config: dict[str, Any],
    run: "RunDirectory",
    distribution: "Distribution",
) -> bool:
    """Trains to the end and returns True, or to a signal, says so, and returns False."""
    from keras_cvaegan.training.checkpoints import steps_taken
    from keras_cvaegan.training.stopping import StopOnNaN, StopOnSignal

    step, log_every = steps_taken(model), config["log_every"]
    left = config["steps"] - step
    if left % log_every:
        raise ValueError(
            f"The run stands at step {step}: the {left} steps to --steps={config['steps']} must "
            f"be a multiple of --log_every={log_every}. Choose another of the two."
        )
    with StopOnSignal(distribution) as stop, distribution.watch():
        model.fit(
            dataset,
            epochs=left // log_every,
            steps_per_epoch=log_every,
            shuffle=False,
            verbose=0,
            callbacks=[
                StopOnNaN(),
                *(_records(config, run, model) if distribution.is_chief else []),
                stop,
            ],
        )
    step = steps_taken(model)
    if step >= config["steps"]:
        return True
    print(_stopped(step, stop.workers, distribution))
    return False


def _stopped(step: int, asked: Sequence[int], distribution: "Distribution") -> str:
    """What a process says that was stopped, or whose peers `asked` were."""
    worker = distribution.worker
    because = "" if worker in asked else f", as worker {asked[0]} was asked to"
    if not distribution.is_chief:
        return f"Worker {worker} stopped after step {step}{because}."
    again = ", start all workers again" if distribution.num_workers > 1 else ""
    return f"\nStopped after step {step}{because}. To go on{again}:\n  {COMMAND.command}"


def _records(
    config: dict[str, Any], run: "RunDirectory", model: "GenerativeModel"
) -> list["Callback"]:
    """What one process of a run shows and keeps."""
    from keras_cvaegan.training import progress, records
    from keras_cvaegan.training.checkpoints import steps_taken

    samples = records.SampleGrid(run.samples, config["sample_every"])
    images = config["batch_size"] * model.batches_per_step
    seconds = records.truncate_metrics(run.metrics, steps_taken(model))
    return [
        progress.Speed(images, seconds),
        progress.LossScale(),
        progress.ProgressLine(config["steps"], images),
        records.MetricsWriter(run.metrics),
        samples,
        records.TensorBoard(run.tensorboard, samples),
        records.Checkpoint(run.checkpoints, config["checkpoint_every"]),
    ]


def finish(model: "GenerativeModel", config: dict[str, Any], run: "RunDirectory") -> None:
    """Writes what remains of a finished run, and says where it is."""
    from keras_cvaegan.files import replacing
    from keras_cvaegan.training.records import write_samples

    write_samples(model, run.samples)
    # Last to get its name, since a model.keras newer than the checkpoint marks a run as complete.
    exported = None
    with replacing(run.model, ending=".keras") as partial:
        model.save(partial)
        if config["export"]:
            import keras_cvaegan
            from keras_cvaegan.export import export_saved_model

            # Loaded anew, outside the strategy of the training.
            exported = export_saved_model(
                keras_cvaegan.load(partial), run.export, extra_config={"config": config}
            )
    where = f"--run_dir={shlex.quote(str(run.path))}"
    print(f"\nSamples:     {run.samples / 'latest.png'}\nModel:       {run.model}")
    if exported:
        print(f"SavedModel:  {exported}")
    print(f"TensorBoard: tensorboard --logdir={shlex.quote(str(run.tensorboard))}")
    print(f"Next:        python -m trainers.evaluate {where}")
    labels = "0,1" if model.conditional else "0"
    print(f"             python -m trainers.generate {where} --labels={labels} --count=8")


def main(values: "FlagValues") -> int:
    config = configuration.configure(values)
    if values.dry_run:
        describe(config)
        return 0

    from keras_cvaegan.training import checkpoints
    from keras_cvaegan.training.distribution import open_distribution
    from keras_cvaegan.training.run_directory import RunDirectory

    if config["strategy"] == "multi_worker":
        print("Waiting for all workers of TF_CONFIG.", flush=True)
    distribution = open_distribution(config["strategy"], config["devices"])
    run = RunDirectory(values.run_dir or f"runs/{values.dataset}_{values.model}")
    if not distribution.is_chief:
        print(f"Worker {distribution.worker} of {distribution.num_workers}; worker 0 reports.")
    run.create()
    with run.lock() if distribution.is_chief else contextlib.nullcontext():
        source = configuration.data_source(config)
        record = configuration.record(config, source.class_names, COMMAND.command)
        checkpoint = checkpoints.latest_checkpoint(run.checkpoints)
        if checkpoint:
            configuration.refuse_other(run.read_config(), record, run.path)
        check_workers(config, source, distribution)
        with distribution.scope():
            model = configuration.build_model(config, source.class_names)
            step = checkpoints.restore_checkpoint(model, checkpoint) if checkpoint else 0
        distribution.check_same(step)
        if distribution.is_chief:
            print(_summary(config, source, run, distribution))
        if checkpoint and step >= config["steps"] and run.is_newer(run.model, checkpoint):
            print(f"This run is complete, at step {step}; more --steps would go on from there.")
            return 0
        if checkpoint:
            print(f"Going on from step {step}.")
        batches = model.batches_per_step
        check_shares(config, source.count, distribution.num_workers, batches)
        dataset = distribution.dataset(
            lambda shard: open_data(config, step, shard, batches), config["batch_size"], batches
        )
        if distribution.is_chief:
            run.write_config(record)
        if step < config["steps"] and not train(model, dataset, config, run, distribution):
            return INTERRUPTED
        if distribution.is_chief:
            finish(model, config, run)
    return 0


def _summary(
    config: dict[str, Any],
    source: "datasets.Source",
    run: "RunDirectory",
    distribution: "Distribution",
) -> str:
    spread = ""
    if config["strategy"] != "none":
        spread = f", {config['strategy']} over {distribution.num_replicas} replicas"
    if config["shard_data"]:
        spread += f", data in {distribution.num_workers} shares"
    return (
        f"{config['model']} ({config['preset']}) on {config['dataset']}: {source.count:,} pictures "
        f"of {len(source.class_names)} classes{_labels(config)}, {config['image_size']} px{spread} "
        f"→ {run.path}"
    )


def _labels(config: dict[str, Any]) -> str:
    """Which pictures have labels, where not all have."""
    said = ""
    if config["labelled_share"] < 1.0:
        said = f" (of {config['labelled_share']:.3g} of them the label counts, the others are "
        said += "seen without)" if config["unlabelled_rest"] else "left out)"
    if config["unlabelled_data_dir"]:
        said += f" and pictures without labels from {config['unlabelled_data_dir']}"
    return said


if __name__ == "__main__":
    COMMAND.run(main)
