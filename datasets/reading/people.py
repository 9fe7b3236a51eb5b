"""What data sets of faces have in common: a class is a person."""

from collections.abc import Mapping, Sequence

from datasets.reading import files


def of_split(
    people: Mapping[str, Sequence[str]], split: str, min_images: int, place: str
) -> dict[str, list[str]]:
    """Returns the pictures of every person in a split, by `files.share`.

    Args:
        people: names that tell a person's pictures apart, such as paths, by the person's name.
        split: name of the split, "train", "validation" or "test".
        min_images: number of pictures, of all splits together, below which a person is left out.
        place: place of the pictures, for the messages.

    Raises:
        ValueError: when fewer than two people have so many pictures, or none has any to spare for
            the split.

    Example:

    >>> people = {"Ann Example": ["1", "2", "3"], "Bob Example": ["4", "5", "6"], "Cy": ["7"]}
    >>> {name: len(pictures) for name, pictures in of_split(people, "train", 3, "here").items()}
    {'Ann Example': 1, 'Bob Example': 1}
    """
    if min_images < 1:
        raise ValueError(f"min_images must be 1 or more. Received: min_images={min_images}.")
    kept = {name: people[name] for name in people if len(people[name]) >= min_images}
    if len(kept) < 2:
        counts = sorted((len(pictures), name) for name, pictures in people.items())[::-1]
        most = " and ".join(f"{count} of {name!r}" for count, name in counts[:2])
        raise ValueError(
            f"{place} has {'nobody' if not kept else 'one person only'} with "
            f"min_images={min_images} pictures or more, but two people are needed: the most are "
            f"{most}. Choose a smaller min_images, or add pictures."
        )
    result = {name: files.share(kept[name], split) for name in sorted(kept, key=files.natural)}
    if not any(result.values()):
        raise ValueError(
            f"The split {split!r} of {place} is empty: nobody has pictures to spare for it. "
            "Choose min_images=3 or more, or add pictures."
        )
    return result
