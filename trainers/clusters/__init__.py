"""Cluster-guided synthesis: generators, clusters, mappings, what is shown of them."""
