"""What a data set says of itself."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Description:
    """Describes one split of a data set at one image size.

    Args:
        name: name of the data set.
        split: name of the split that was asked for.
        class_names: name of each class, in label order.
        image_shape: shape of a picture, `(height, width, channels)`.
        class_counts: number of readable pictures of each class, in label order; of the part.
        unreadable: pairs `(path, reason)`, of every picture that could not be read.
        part: pair `(index, count)`, which of how many parts of the split this is.
    """

    name: str
    split: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    class_counts: tuple[int, ...]
    unreadable: tuple[tuple[str, str], ...] = ()
    part: tuple[int, int] = (0, 1)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def num_images(self) -> int:
        """Number of readable pictures."""
        return sum(self.class_counts)

    def to_dict(self) -> dict[str, Any]:
        """Returns a dictionary that `json.dumps` takes and `from_dict` reads back."""
        return {
            "name": self.name,
            "split": self.split,
            "num_classes": self.num_classes,
            "num_images": self.num_images,
            "image_shape": list(self.image_shape),
            "class_names": list(self.class_names),
            "class_counts": list(self.class_counts),
            "unreadable": [list(pair) for pair in self.unreadable],
            "part": list(self.part),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Description":
        """Returns the description that `to_dict` wrote."""
        return cls(
            name=values["name"],
            split=values["split"],
            class_names=tuple(values["class_names"]),
            image_shape=tuple(values["image_shape"]),
            class_counts=tuple(values["class_counts"]),
            unreadable=tuple((path, reason) for path, reason in values["unreadable"]),
            part=tuple(values.get("part", (0, 1))),
        )
