"""How good a model is: measures of its samples beside the real data.

Every metric takes batches with `update_state`, and gives figures by their names in evaluation.json
with `result`. `MetricSuite` runs them all on one pass of a feature extractor.
"""

from keras_cvaegan.metrics.accuracy import Top1Accuracy
from keras_cvaegan.metrics.attribute_clusters import ClusterReader, mutual_information
from keras_cvaegan.metrics.attribute_reader import AttributeReader, train_reader
from keras_cvaegan.metrics.classification_accuracy_score import ClassificationAccuracyScore
from keras_cvaegan.metrics.clusters import Clusters, cluster_means, find_clusters
from keras_cvaegan.metrics.code_contents import attribute_r2, class_accuracy
from keras_cvaegan.metrics.code_coverage import CodeCoverage, code_coverage
from keras_cvaegan.metrics.extractors import (
    ClassifierExtractor,
    FeatureExtractor,
    InceptionExtractor,
)
from keras_cvaegan.metrics.frechet_distance import FeatureMoments, FrechetDistance
from keras_cvaegan.metrics.inception_score import InceptionScore
from keras_cvaegan.metrics.intra_class_diversity import IntraClassDiversity
from keras_cvaegan.metrics.intra_class_frechet_distance import IntraClassFrechetDistance
from keras_cvaegan.metrics.kernel_distance import KernelDistance
from keras_cvaegan.metrics.metric import FewSamplesWarning, Metric
from keras_cvaegan.metrics.novelty import NearestNeighbourNovelty
from keras_cvaegan.metrics.precision_recall import DensityCoverage, PrecisionRecall
from keras_cvaegan.metrics.recognition import (
    recognise,
    recognition_network,
    top1_by_class,
    train_classifier,
)
from keras_cvaegan.metrics.reference import ReferenceStatistics, reference_statistics
from keras_cvaegan.metrics.structural_similarity import ms_ssim, ssim
from keras_cvaegan.metrics.suite import MetricSuite, standard_metrics
from keras_cvaegan.metrics.verification import Verification, cosine_similarities, verify

__all__ = [
    "AttributeReader",
    "ClassificationAccuracyScore",
    "ClassifierExtractor",
    "ClusterReader",
    "Clusters",
    "CodeCoverage",
    "DensityCoverage",
    "FeatureExtractor",
    "FeatureMoments",
    "FewSamplesWarning",
    "FrechetDistance",
    "InceptionExtractor",
    "InceptionScore",
    "IntraClassDiversity",
    "IntraClassFrechetDistance",
    "KernelDistance",
    "Metric",
    "MetricSuite",
    "NearestNeighbourNovelty",
    "PrecisionRecall",
    "ReferenceStatistics",
    "Top1Accuracy",
    "Verification",
    "attribute_r2",
    "class_accuracy",
    "cluster_means",
    "code_coverage",
    "cosine_similarities",
    "find_clusters",
    "ms_ssim",
    "mutual_information",
    "recognise",
    "recognition_network",
    "reference_statistics",
    "ssim",
    "standard_metrics",
    "top1_by_class",
    "train_classifier",
    "train_reader",
    "verify",
]
