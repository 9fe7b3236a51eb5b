"""Finds the pictures that are most like others in all that the label does not decide.

Section S8.2 of Bao et al. 2017: pose, colours, light and background are in z, so that pictures with
near z share them, whatever their class. An index of z is built once, and searched by any pictures.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_cvaegan import pictures
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.flags import FILES_OR_FOLDERS, find_codes_flag

if TYPE_CHECKING:
    from absl.flags import FlagValues

MOST = 100
FILE = "index.npz"

COMMAND = Command("trainers.retrieve", __doc__)
flags.run_dir_flag(COMMAND)
with COMMAND.section("Run"):
    find_codes_flag(COMMAND)
with COMMAND.section("Index"):
    COMMAND.repeated(
        "pictures",
        f"pictures to find: {FILES_OR_FOLDERS} (default: the training pictures of the run's data)",
    )
    COMMAND.string(
        "index",
        None,
        "file of the pictures' codes, .npz, or its folder; built where it is missing (default: "
        f"RUN_DIR/retrieve/{FILE})",
    )
    COMMAND.boolean("rebuild", False, "build the index anew")
with COMMAND.section("Search"):
    COMMAND.repeated(
        "query", f"pictures to search by: {FILES_OR_FOLDERS} (default: held-out ones of the data)"
    )
    COMMAND.string(
        "labels",
        None,
        "classes of --query, one for all or one for each, by number or name (default: guessed by "
        "the model's classifier, where it has one)",
    )
    COMMAND.integer("k", 5, "pictures to find for each", lower_bound=1)
    COMMAND.boolean("other_classes_only", False, "find pictures of other classes only")
with COMMAND.section("Held-out pictures to search by, where none are given"):
    COMMAND.integer("count", 8, "pictures to draw", lower_bound=1, upper_bound=MOST)
    flags.seed_flag(COMMAND, "seed of which pictures are drawn")
with COMMAND.section("Results"):
    COMMAND.string(
        "output", None, "folder of retrieved.png and retrieve.json (default: RUN_DIR/retrieve)"
    )


def index_path(values: "FlagValues") -> Path:
    """Returns the file of the index."""
    path = Path(values.index or Path(values.run_dir) / "retrieve").expanduser()
    return path if path.suffix == ".npz" and not path.is_dir() else path / FILE


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    if values.labels is not None and not values.query:
        raise ValueError("--labels are those of --query; held-out pictures have their own.")

    from trainers.applications import encoding, retrieval

    model = encoding.load_encoding_model(run_dir, values.find_codes)
    if values.query:
        queries = retrieval.given_queries(model, values.query, values.labels, MOST)
    else:
        queries = retrieval.held_out_queries(run_dir, model, values.count, values.seed)
    index, indexed = retrieval.open_index(
        index_path(values), model, run_dir, values.pictures, rebuild=values.rebuild
    )
    found = index.query(
        queries.images,
        queries.labels,
        k=values.k,
        other_classes_only=values.other_classes_only,
    )
    grid = retrieval.retrieved_grid(queries, found, index, indexed)
    output = output_folder(values, "retrieve")
    pictures.write_png(output / "retrieved.png", grid)
    answers = [
        {
            "query": name,
            "names": [index.names[row] for row in nearest],
            "distances": distances.tolist(),
        }
        for name, nearest, distances in zip(
            queries.names, found.indices, found.distances, strict=True
        )
    ]
    results = {
        "flags": COMMAND.settings(values),
        "model": type(model).__name__,
        "index": {"path": str(index_path(values)), "pictures": len(index)},
        "found": answers,
    }
    write_json(output / "retrieve.json", results)
    for answer in answers:
        print(answer["query"])
        pairs = zip(answer["distances"], answer["names"], strict=True)
        for number, (distance, name) in enumerate(pairs, 1):
            print(f"{number:>4}. {distance:.3f}  {name}")
    print("Rows of retrieved.png: the picture to search by, then those found, nearest first.")
    print_written(output, ["retrieved.png", "retrieve.json"])


if __name__ == "__main__":
    COMMAND.run(main)
