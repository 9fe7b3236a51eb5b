"""Trains a generator of the categories of a data set; without flags, of drawn flowers.

Started again on the same --run_dir, it goes on where it stopped.
"""

import json
import shlex
from typing import TYPE_CHECKING, Any

import datasets
from trainers import command_line, configuration

if TYPE_CHECKING:
    import tensorflow as tf
    from absl.flags import FlagValues

    from keras_cvaegan.models import GenerativeModel
    from keras_cvaegan.training.run_directory import RunDirectory

COMMAND = command_line.Command("trainers.fit", __doc__)
command_line.data_flags(COMMAND)
with COMMAND.section("Model"):
    COMMAND.enum("model", "cvae_gan", command_line.MODELS, "which model")
    COMMAND.enum("preset", "compact", command_line.PRESETS, "networks and their hyper-parameters")
    COMMAND.integer("latent_dim", None, "dimensions of z (default: the preset's)", lower_bound=1)
    COMMAND.repeated(
        "set",
        "weights of the objective and the like, as in --set=kl_weight=1,pixel_weight=2; layers "
        "are joined by +; --dry_run lists names and values as `objective` (default: the preset's)",
    )
with COMMAND.section("Training"):
    COMMAND.integer("steps", None, "length of the run (default: the preset's)", lower_bound=1)
    COMMAND.integer("batch_size", None, "images a step (default: the preset's)", lower_bound=1)
    COMMAND.repeated(
        "learning_rate",
        "of Adam: --learning_rate=2e-4, or by network: "
        "--learning_rate=encoder=1e-3,generator=1e-3 (default: the preset's)",
    )
    COMMAND.number(
        "beta_1", None, "of Adam (default: the preset's)", lower_bound=0, upper_bound=0.9999
    )
    COMMAND.integer(
        "seed", 0, "of weights, order of data and noise", lower_bound=0, upper_bound=2**31 - 1
    )
    COMMAND.enum("dtype_policy", "float32", command_line.DTYPE_POLICIES, "precision of the layers")
    COMMAND.boolean("jit_compile", False, "compile the step with XLA, which gains nothing on CPUs")
    COMMAND.enum("strategy", "none", ("none",), "distribution over devices")
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


def open_data(config: dict[str, Any], step: int) -> "tf.data.Dataset":
    """Returns the batches that follow after `step` steps.

    Raises:
        ValueError: for data that cannot be used.
    """
    return datasets.load(
        **configuration.data_arguments(config),
        split="train",
        batch_size=config["batch_size"],
        seed=config["seed"],
        repeat=True,
        start=step * config["batch_size"],
    )


def train(
    model: "GenerativeModel",
    dataset: "tf.data.Dataset",
    config: dict[str, Any],
    run: "RunDirectory",
) -> bool:
    """Trains to the end and returns True, or to a signal and returns False."""
    from keras_cvaegan.training import callbacks

    step, batch_size, log_every = int(model.step), config["batch_size"], config["log_every"]
    left = config["steps"] - step
    if left % log_every:
        raise ValueError(
            f"The run stands at step {step}: the {left} steps to --steps={config['steps']} must "
            f"be a multiple of --log_every={log_every}. Choose another of the two."
        )
    seconds = callbacks.truncate_metrics(run.metrics, step)
    samples = callbacks.SampleGrid(run.samples, config["sample_every"])
    with callbacks.StopOnSignal() as stop:
        model.fit(
            dataset,
            epochs=left // log_every,
            steps_per_epoch=log_every,
            shuffle=False,
            verbose=0,
            callbacks=[
                callbacks.StopOnNaN(),
                callbacks.Speed(batch_size, seconds),
                callbacks.ProgressLine(config["steps"], batch_size),
                callbacks.MetricsWriter(run.metrics),
                samples,
                callbacks.TensorBoard(run.tensorboard, samples),
                callbacks.Checkpoint(run.checkpoints, config["checkpoint_every"]),
                stop,
            ],
        )
    return int(model.step) >= config["steps"]


def finish(model: "GenerativeModel", config: dict[str, Any], run: "RunDirectory") -> None:
    """Writes what remains of a finished run, and says where it is."""
    from keras_cvaegan.training.callbacks import write_samples

    write_samples(model, run.samples)
    exported = None
    if config["export"]:
        from keras_cvaegan.export import export_saved_model

        exported = export_saved_model(model, run.export)
    # Last, since a model.keras that is newer than the checkpoint marks a run as complete.
    partial = run.path / ".partial.keras"
    model.save(partial)
    partial.replace(run.model)
    where = f"--run_dir={shlex.quote(str(run.path))}"
    print(f"\nSamples:     {run.samples / 'latest.png'}\nModel:       {run.model}")
    if exported:
        print(f"SavedModel:  {exported}")
    print(f"TensorBoard: tensorboard --logdir={shlex.quote(str(run.tensorboard))}")
    print(f"Next:        python -m trainers.evaluate {where}")
    print(f"             python -m trainers.generate {where} --labels=0,1 --count=8")


def main(values: "FlagValues") -> int:
    config = configuration.configure(values)
    if values.dry_run:
        describe(config)
        return 0

    from keras_cvaegan.training import checkpoints
    from keras_cvaegan.training.run_directory import RunDirectory

    run = RunDirectory(values.run_dir or f"runs/{values.dataset}_{values.model}")
    run.create()
    with run.lock():
        source = configuration.data_source(config)
        record = configuration.record(config, source.class_names, COMMAND.command)
        checkpoint = checkpoints.latest_checkpoint(run.checkpoints)
        if checkpoint:
            configuration.refuse_other(run.read_config(), record, run.path)
        model = configuration.build_model(config, source.class_names)
        print(
            f"{config['model']} ({config['preset']}) on {config['dataset']}: {source.count:,} "
            f"pictures of {len(source.class_names)} classes, {config['image_size']} px → {run.path}"
        )
        step = checkpoints.restore_checkpoint(model, checkpoint) if checkpoint else 0
        if checkpoint and step >= config["steps"] and run.is_newer(run.model, checkpoint):
            print(f"This run is complete, at step {step}; more --steps would go on from there.")
            return 0
        if checkpoint:
            print(f"Going on from step {step}.")
        dataset = open_data(config, step)
        run.write_config(record)
        if step < config["steps"] and not train(model, dataset, config, run):
            print(f"\nStopped after step {int(model.step)}. To go on:\n  {COMMAND.command}")
            return command_line.INTERRUPTED
        finish(model, config, run)
    return 0


if __name__ == "__main__":
    COMMAND.run(main)
