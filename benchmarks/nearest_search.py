"""Measures the search for nearest points: against scikit-learn's, and a loop over the queries.

The points are normal numbers, the same for all contenders. scikit-learn's `NearestNeighbors` takes
its brute force, which is its quickest in hundreds of dimensions; the loop takes one query at a time
with NumPy, by the differences.
"""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks import measuring
from trainers.command_line.command import Command

if TYPE_CHECKING:
    import numpy as np
    from absl.flags import FlagValues

LOOPED = 100
OURS = "nearest, compiled"
Search = Callable[["np.ndarray", "np.ndarray"], "np.ndarray"]

COMMAND = Command("benchmarks.nearest_search", __doc__)
with COMMAND.section("What to search"):
    COMMAND.integer("queries", 10_000, "number of queries", lower_bound=1)
    COMMAND.integer("candidates", 10_000, "number of candidates", lower_bound=1)
    COMMAND.integer("dimensions", 256, "number of dimensions of the points", lower_bound=1)
    COMMAND.integer("block_size", 1024, "block size of `nearest`", lower_bound=1)
measuring.measurement_flags(COMMAND, rounds=5, seconds=1)


def contenders(block_size: int) -> dict[str, Search]:
    """Returns the ways to search: functions of queries and candidates that return the indices."""
    import numpy as np
    import tensorflow as tf
    from sklearn.neighbors import NearestNeighbors

    from keras_cvaegan.ops.nearest import nearest

    compiled = tf.function(functools.partial(nearest, block_size=block_size))

    def ours(queries: "np.ndarray", candidates: "np.ndarray") -> "np.ndarray":
        return compiled(tf.constant(queries), tf.constant(candidates))[0].numpy()

    def eager(queries: "np.ndarray", candidates: "np.ndarray") -> "np.ndarray":
        return nearest(queries, candidates, block_size=block_size)[0].numpy()

    def brute_force(queries: "np.ndarray", candidates: "np.ndarray") -> "np.ndarray":
        found = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(candidates)
        return found.kneighbors(queries, return_distance=False)[:, 0]

    def loop(queries: "np.ndarray", candidates: "np.ndarray") -> "np.ndarray":
        return np.array([np.square(candidates - query).sum(axis=1).argmin() for query in queries])

    return {OURS: ours, "nearest": eager, "scikit-learn": brute_force, "NumPy loop": loop}


def main(values: "FlagValues") -> None:
    import numpy as np

    measuring.warn_of_load()
    rng = np.random.default_rng(0)
    queries, candidates = (
        rng.standard_normal((count, values.dimensions), np.float32)
        for count in (values.queries, values.candidates)
    )
    searches = contenders(values.block_size)
    # A query of the loop takes as long as any other: some of them are enough.
    asked = dict.fromkeys(searches, queries) | {"NumPy loop": queries[:LOOPED]}
    measuring.progress("compiling")
    found = {name: search(asked[name], candidates) for name, search in searches.items()}

    def turn(name: str) -> float:
        search = functools.partial(searches[name], asked[name], candidates)
        return len(asked[name]) * measuring.rate(search, values.seconds)

    rates = measuring.alternate(
        {name: functools.partial(turn, name) for name in searches}, values.rounds, "searching"
    )
    measuring.progress("")
    results = {
        name: {
            "queries_per_second": measuring.Spread.of(rates[name]),
            "ours_to_it": measuring.quotient(rates, OURS, name),
            "agreement": float(np.mean(found[name] == found[OURS][: len(found[name])])),
        }
        for name in searches
    }
    rows = [
        [
            name,
            str(result["queries_per_second"]),
            str(result["ours_to_it"]),
            f"{result['agreement']:.2%}",
        ]
        for name, result in results.items()
    ]
    title = f"{values.candidates:,} candidates of {values.dimensions} dimensions"
    print(measuring.table([title, "queries/s", "ours / it", "same nearest"], rows))
    measuring.record(COMMAND, values, {**results, "rates": rates})


if __name__ == "__main__":
    COMMAND.run(main)
