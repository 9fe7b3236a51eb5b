"""How good a model is: recognition of its samples by a classifier of the real data."""

from keras_cvaegan.metrics.recognition import recognise, top1_by_class, train_classifier

__all__ = ["recognise", "top1_by_class", "train_classifier"]
