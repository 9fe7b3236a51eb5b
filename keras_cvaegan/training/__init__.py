"""How a step is taken, callbacks, checkpoints: the only room that knows gradients."""
