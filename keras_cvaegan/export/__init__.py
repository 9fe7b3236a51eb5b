"""Export for serving: a SavedModel with one signature for each thing a model does."""

from keras_cvaegan.export.saved_model import export_saved_model, write_saved_model

__all__ = ["export_saved_model", "write_saved_model"]
