"""What description.json says of the files beside it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from datasets.pipeline import unreadable
from datasets.tfrecords.records import Records, Written


def describe(records: Records, written: Sequence[Written]) -> dict[str, Any]:
    """Returns the contents of description.json.

    Args:
        records: data that were to be written.
        written: contents of each file.

    Raises:
        ValueError: for a class none of whose pictures can be read.
    """
    class_names = records.source(records.splits[0]).class_names
    splits = {}
    for split in records.splits:
        of_split = [one for one in written if one.split == split]
        counts = (
            np.sum([one.counts for one in of_split], axis=0) if of_split else np.zeros(0, np.int64)
        )
        lost = sorted(tuple(entry) for one in of_split for entry in one.unreadable)
        unreadable.refuse_lost_classes(class_names, counts, lost)
        unreadable.warn(f"{records.name} {split}", lost, len(lost) + int(counts.sum()))
        splits[split] = {
            "num_images": int(counts.sum()),
            "class_counts": counts.tolist(),
            "unreadable": [[path, reason] for _, path, reason in lost],
            "files": len(of_split),
        }
    return {
        "name": records.name,
        "image_size": records.image_size,
        "class_names": list(class_names),
        "splits": splits,
        "digest": records.digest(),
    }
