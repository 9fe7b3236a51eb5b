"""The names that programs and library share; imports nothing, so that `--help` answers at once."""

MODEL_NAMES = (
    *("vae", "gan", "wgan", "fm_gan", "vae_gan", "cvae", "cgan", "fm_cgan", "cvae_gan"),
    *("lr_li_vae", "lr_li_vae_gan"),
)
"""Keys of `keras_cvaegan.models.MODELS`, in the order of help texts."""

UNCONDITIONAL_MODELS = ("vae", "gan", "wgan", "fm_gan", "vae_gan")
"""Those of them whose models have no classes."""

CODE_MAPPINGS = ("imle", "gan", "vae")
"""Keys of `keras_cvaegan.models.code_mappings.MAPPINGS`: what learns the codes of clusters."""

PRESET_NAMES = ("compact", "paper", "photo")
"""Keys of `keras_cvaegan.networks.PRESETS`."""

DTYPE_POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
"""Precisions that the training step is tested with."""

STRATEGIES = ("none", "mirrored", "multi_worker", "data_parallel", "tpu")
"""Ways to spread a run over devices: see `keras_cvaegan.training.distribution`."""
