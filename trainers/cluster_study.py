"""Compares ways to sample clusters of a generator, by the known attributes of `petals`.

A network learns to read attributes from real pictures. Of the generator's layers, the one whose
clusters tell most of an attribute is taken. Then pictures are asked for by cluster: of mappings
trained by IMLE, as a GAN and as a VAE, and of codes moved along directions of SeFa and GANSpace
(Georgopoulos et al. 2022). The attribute should be that of the cluster, and no code left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import print_written

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.cluster_study", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Clusters"):
    COMMAND.string("layer", None, "layer whose features are clustered (default: by the survey)")
    COMMAND.integer("grid", 1, "cells a side over which features are averaged", lower_bound=1)
    COMMAND.string(
        "n_clusters",
        "2,4,8",
        "numbers of clusters; 2 is compared in all ways, others by IMLE alone",
    )
    COMMAND.integer("codes", 10_000, "random codes to cluster and to learn", lower_bound=100)
    COMMAND.string(
        "attribute", None, "attribute that the clusters should be of (default: by the survey)"
    )
with COMMAND.section("Mappings"):
    COMMAND.integer("seeds", 3, "seeds of codes, clusters and trainings", lower_bound=1)
    COMMAND.integer("steps", 4_000, "length of each training", lower_bound=1)
    COMMAND.integer("batch_size", 256, "codes a step", lower_bound=1)
    COMMAND.integer("candidates", 16, "samples that IMLE draws for each code", lower_bound=1)
with COMMAND.section("Directions"):
    COMMAND.number("sefa_amount", 0.75, "length by which codes are moved", lower_bound=0)
    COMMAND.number(
        "ganspace_amount", 1.0, "likewise, in standard deviations of a component", lower_bound=0
    )
with COMMAND.section("Measures"):
    COMMAND.integer("samples", 100, "pictures a cluster", lower_bound=2)
    COMMAND.integer("held_out", 1_000, "codes a cluster to be covered", lower_bound=2)
    COMMAND.integer(
        "frechet_samples", 10_000, "pictures to compare with real ones", lower_bound=100
    )
    COMMAND.integer(
        "reader_epochs",
        30,
        "passes over the training pictures; the reader is trained once and stays in the run",
        lower_bound=1,
    )
with COMMAND.section("Results"):
    COMMAND.string(
        "output", None, "folder of cluster_study.json and table.md (default: RUN_DIR/cluster_study)"
    )


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)
    numbers = flags.integers(values.n_clusters, "n_clusters", least=2)

    from trainers.clusters.study_results import FILES, study

    found = study(run_dir, numbers, values)
    text = found.write(COMMAND.settings(values))
    print(f"\n{text}\n")
    print_written(found.output, FILES)


if __name__ == "__main__":
    COMMAND.run(main)
