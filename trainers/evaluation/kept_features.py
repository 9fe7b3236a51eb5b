"""The judge's features of the training pictures, kept for the next evaluation."""

from __future__ import annotations

import json
import logging
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_cvaegan.files import replacing
from keras_cvaegan.metrics.extractors import FeatureExtractor
from keras_cvaegan.metrics.novelty import TrainingPictures

_logger = logging.getLogger(__name__)


class KeptFeatures:
    """A file of features, of one extractor and one data set.

    Args:
        path: path of the .npz file.
        extractor: source of the features.
        key: JSON values that change whenever the pictures would.
    """

    def __init__(
        self, path: str | os.PathLike, extractor: FeatureExtractor, key: Mapping[str, Any]
    ) -> None:
        self._path = Path(path)
        about = {"extractor": extractor.describe(), "key": dict(key)}
        self._about: dict[str, Any] = json.loads(json.dumps(about))
        self._read = False

    def give_to(self, searched: TrainingPictures) -> None:
        """Gives the pictures their features; where the file does not serve, a line says so."""
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                if json.loads(str(arrays["about"])) != self._about:
                    return
                features = arrays["features"]
            if len(features) != len(searched.images):
                raise ValueError("other pictures")
            searched.keep(0, features)
            self._read = True
        except FileNotFoundError:
            return
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            _logger.warning(
                "The features in %s cannot be read (%s): computing them anew.", self._path, error
            )

    def keep(self, searched: TrainingPictures) -> None:
        """Writes the features, where all are known and were not read.

        Raises:
            OSError: when the file cannot be written.
        """
        features = searched.features
        if self._read or features is None:
            return
        with replacing(self._path) as partial, partial.open("wb") as file:
            np.savez(file, about=np.array(json.dumps(self._about)), features=features)
        self._read = True
