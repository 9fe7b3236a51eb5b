"""The flags of a training, which programs adopt: `COMMAND.adopt(TRAINING, "steps", "seed")`."""

from keras_cvaegan.names import DTYPE_POLICIES, MODEL_NAMES, PRESET_NAMES, STRATEGIES
from trainers.command_line.command import Command

TRAINING = Command("trainers.fit", "")
"""Holds the flags that programs adopt; no program itself."""

LABELS = ("images_per_class", "labelled_share", "unlabelled_rest", "unlabelled_data_dir")
with TRAINING.section("Labels"):
    TRAINING.integer(
        "images_per_class",
        None,
        "training pictures of each class, drawn by lot with --seed; a class that has fewer gives "
        "all (default: all)",
        lower_bound=1,
    )
    TRAINING.number(
        "labelled_share",
        1.0,
        "share of each class's training pictures whose label counts, drawn by lot with --seed; the "
        "others are left out, or taken with --unlabelled_rest",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    TRAINING.boolean(
        "unlabelled_rest",
        False,
        "lr_li_vae and lr_li_vae_gan only: half of each batch are the other pictures, without "
        "their labels, but known to be of the same classes",
    )
    TRAINING.string(
        "unlabelled_data_dir",
        None,
        "lr_li_vae and lr_li_vae_gan only: half of each batch are pictures of this folder, which "
        "have no labels; with --set=unlabelled_classes=known, of the classes of the labelled ones",
    )

MODEL = ("model", "preset", "latent_dim", "set", "init_from")
with TRAINING.section("Model"):
    TRAINING.enum("model", "cvae_gan", MODEL_NAMES, "model to train")
    TRAINING.enum(
        "preset",
        None,
        PRESET_NAMES,
        "networks and their hyper-parameters (default: photo for photographs where the model has "
        "it, compact for petals)",
    )
    TRAINING.integer(
        "latent_dim",
        None,
        "dimensions of z; of LR/LI-VAE, of each of its two codes (default: the preset's)",
        lower_bound=1,
    )
    TRAINING.repeated(
        "set",
        "weights of the objective and the like, as in --set=kl_weight=1,pixel_weight=2; layers "
        "are joined by +; --dry_run lists names and values as `objective` (default: the preset's)",
    )
    TRAINING.string(
        "init_from",
        None,
        "folder of a finished run whose weights this one starts from, its classes matched by name: "
        "pretraining, then fine-tuning (default: fresh weights)",
    )

LEARNING = (
    *("steps", "batch_size", "learning_rate", "beta_1", "seed", "dtype_policy", "jit_compile"),
    *("horizontal_flip", "strategy", "devices", "shard_data"),
)
with TRAINING.section("Training"):
    TRAINING.integer("steps", None, "length of the run (default: the preset's)", lower_bound=1)
    TRAINING.integer(
        "batch_size",
        None,
        "images an update; a step of wgan takes critic_steps + 1 batches (default: the preset's)",
        lower_bound=1,
    )
    TRAINING.repeated(
        "learning_rate",
        "rate of all networks, --learning_rate=2e-4, or by network: "
        "--learning_rate=encoder=1e-3,generator=1e-3 (default: that of the model's paper, or the "
        "preset's)",
    )
    TRAINING.number(
        "beta_1",
        None,
        "momentum of Adam (default: the preset's)",
        lower_bound=0,
        upper_bound=0.9999,
    )
    TRAINING.integer(
        "seed", 0, "seed of weights, order of data and noise", lower_bound=0, upper_bound=2**31 - 1
    )
    TRAINING.enum("dtype_policy", "float32", DTYPE_POLICIES, "precision of the layers")
    TRAINING.boolean("jit_compile", False, "compile the step with XLA, which gains nothing on CPUs")
    TRAINING.boolean(
        "horizontal_flip",
        None,
        "mirror each training picture with probability ½ (default: as the preset says)",
    )
    TRAINING.enum(
        "strategy",
        "none",
        STRATEGIES,
        "distribution over devices; the batch is that of all of them together\n"
        "mirrored: all GPUs of this machine\n"
        "multi_worker: several machines, described by TF_CONFIG; start the same command on each\n"
        "data_parallel: all devices under JAX, with KERAS_BACKEND=jax\n"
        "tpu: a Cloud TPU; untested",
    )
    TRAINING.integer(
        "devices",
        None,
        "number of devices, mirrored and data_parallel only; without a GPU, that many parts of the "
        "CPU, to try things out (default: all)",
        lower_bound=1,
    )
    TRAINING.boolean(
        "shard_data",
        False,
        "multi_worker only: each worker decodes, keeps and reads its own share of the training "
        "pictures, for data larger than its disk; with another number of workers a run goes on in "
        "another order of the pictures",
    )

INTERVALS = ("log_every", "sample_every", "checkpoint_every")
with TRAINING.section("Run"):
    TRAINING.integer(
        "log_every", None, "steps a line of the log (default: up to 25)", lower_bound=1
    )
    TRAINING.integer("sample_every", None, "steps a sample grid (default: 500)", lower_bound=1)
    TRAINING.integer("checkpoint_every", None, "steps a checkpoint (default: 500)", lower_bound=1)
    TRAINING.boolean("export", True, "write a SavedModel at the end")
