"""From a data set's pictures to batches: the registry, the cache of decoded pictures, the order."""
