"""A data set as TFRecord files."""
