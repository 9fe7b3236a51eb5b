"""Fills holes in pictures by trained models, and measures how near they come to what was there.

Section 4.5 of Zheng & Sun 2019 and 5.4 of Bao et al. 2017: what is left of a picture is encoded and
decoded, and the hole gets what comes out; further rounds begin with the result. Squared errors are
those inside the hole, beside a hole that is filled with the mean colour of the rest.
"""

import dataclasses
from typing import TYPE_CHECKING

from keras_cvaegan import pictures
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.flags import (
    FILES_OR_FOLDERS,
    check_restoring,
    labels_given_flag,
    restoring_flags,
)

if TYPE_CHECKING:
    from absl.flags import FlagValues

REGIONS = ("right_half", "eyes", "nose_and_mouth", "bottom_half")

COMMAND = Command("trainers.inpaint", __doc__)
restoring_flags(
    COMMAND,
    pictures=f"{FILES_OR_FOLDERS} (default: held-out pictures of the run's data)",
    seed="seed of which pictures are drawn, and of where holes are",
)
with COMMAND.section("Holes"):
    COMMAND.repeated(
        "mask",
        f"kind of hole; may be given again (default: {', '.join(REGIONS)})\n"
        f"{', '.join(REGIONS)}: of aligned faces\n"
        "hole: 50/128 of height and width, elsewhere in each picture\n"
        "rectangle:TOP,LEFT,BOTTOM,RIGHT: as shares of height and width\n"
        "a picture file of the pictures' size: white is the hole",
    )
with COMMAND.section("Filling"):
    COMMAND.string("rounds", "1,5,10", "numbers of rounds after which the results are measured")
    labels_given_flag(COMMAND)
with COMMAND.section("Results"):
    COMMAND.string(
        "output", None, "folder of inpaint.json and a PNG file a hole (default: RUN_DIR/inpaint)"
    )


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    check_restoring(values)
    rounds = flags.integers(values.rounds, "rounds")

    from trainers.applications import inpainting, restoration

    models = restoration.load_models([run_dir, *values.against], values.find_codes)
    if values.pictures:
        taken = restoration.given_pictures(values.pictures, values.labels, [*models.values()])
    else:
        taken = restoration.held_out_pictures(
            run_dir, [*models.values()], values.count, values.seed
        )
    if not values.labels_given:
        taken = dataclasses.replace(taken, labels=None)
    sources = restoration.label_sources(models, taken.labels is not None)
    masks = inpainting.find_masks(values.mask, len(taken), taken.images.shape[1:], values.seed)
    written = [f"{name}.png" for name in masks]
    output = output_folder(values, "inpaint", written, [*values.mask, *taken.names])
    found = inpainting.fill_and_measure(models, taken, masks, rounds, values.shown)
    for name, rows in found.rows.items():
        pictures.write_png(output / f"{name}.png", pictures.grid(list(rows.values())))
    results = {
        "flags": COMMAND.settings(values),
        "pictures": {"count": len(taken), "shown": list(taken.names[: values.shown])},
        "labels": sources,
        "share_of_picture": {name: float(mask.mean()) for name, mask in masks.items()},
        "squared_error": {inpainting.FILLED: found.mean_errors, **found.errors},
        "rows": list(next(iter(found.rows.values()))),
    }
    write_json(output / "inpaint.json", results)
    print(f"\n{inpainting.table(found.mean_errors, found.errors)}\n")
    print(f"Mean squared error inside the hole, in units of [−1, 1], of {len(taken):,} pictures.")
    print(restoration.label_sources_text(sources))
    print(f"Rows of the PNG files from top to bottom: {'; '.join(results['rows'])}")
    print_written(output, [*written, "inpaint.json"])


if __name__ == "__main__":
    COMMAND.run(main)
