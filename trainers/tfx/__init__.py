"""TFX: a training module, a judging component, and a pipeline of them. See docs/tfx.md."""
