"""Enlarges small pictures by trained models, and measures how near they come to the large ones.

Held-out pictures are reduced by taking means over squares of pixels, and enlarged again: by bicubic
interpolation, alone and made to agree with the small picture, and by the models, whose results
agree with it, too. PSNR and SSIM are means over pictures. Bao et al. 2017 name the use in their
abstract and give no figures.
"""

from typing import TYPE_CHECKING

from keras_cvaegan import pictures
from keras_cvaegan.training.run_directory import write_json
from trainers.command_line import flags
from trainers.command_line.command import Command
from trainers.command_line.output import output_folder, print_written
from trainers.pictures.flags import check_restoring, labels_given_flag, restoring_flags

if TYPE_CHECKING:
    from absl.flags import FlagValues

FACTORS = "2,4"

COMMAND = Command("trainers.super_resolve", __doc__)
restoring_flags(
    COMMAND,
    pictures="small pictures: files or folders, with commas between; may be given again. Height "
    "and width are those of the model's divided by a whole number (default: held-out pictures of "
    "the run's data, reduced)",
    seed="seed of which pictures are drawn",
)
with COMMAND.section("Enlarging"):
    COMMAND.string(
        "factors",
        None,
        f"numbers by which held-out pictures are reduced, as in 2,4 (default: {FACTORS})",
    )
    COMMAND.string("rounds", "1,10", "numbers of rounds after which the results are measured")
    labels_given_flag(COMMAND)
with COMMAND.section("Results"):
    COMMAND.string(
        "output",
        None,
        "folder of super_resolve.json and a PNG file a factor (default: RUN_DIR/super_resolve)",
    )


def check(values: "FlagValues") -> None:
    """Checks that flags go together.

    Raises:
        ValueError: otherwise.
    """
    if values.pictures and values.factors is not None:
        raise ValueError(
            "--factors are of held-out pictures; those of --pictures follow from their size."
        )
    check_restoring(values)


def main(values: "FlagValues") -> None:
    run_dir = flags.required_run_dir(values)
    check(values)
    rounds = flags.integers(values.rounds, "rounds")

    from trainers.applications import restoration, small_pictures, super_resolution

    models = restoration.load_models([run_dir, *values.against], values.find_codes)
    each = list(models.values())
    by_title = super_resolution.enlargers(models, rounds)
    if values.pictures:
        groups = small_pictures.given_pictures(values.pictures, values.labels, each)
    else:
        factors = small_pictures.parse_factors(values.factors or FACTORS, each[0].image_shape[0])
        taken = restoration.held_out_pictures(run_dir, each, values.count, values.seed)
        groups = small_pictures.reduced_pictures(taken, factors)
    if not values.labels_given:
        groups = [group.without_labels() for group in groups]
    sources = restoration.label_sources(models, groups[0].small.labels is not None)
    written = [f"{group.title}.png" for group in groups]
    given = [name for group in groups for name in group.small.names]
    output = output_folder(values, "super_resolve", written, given)
    figures, rows = {}, {}
    for group in groups:
        if group.originals is not None:
            figures[group.title] = {
                title: super_resolution.measure(title, group, enlarger)
                for title, enlarger in by_title.items()
            }
        rows = super_resolution.shown_rows(group, by_title, values.shown)
        pictures.write_png(output / f"{group.title}.png", pictures.grid(list(rows.values())))
    results = {
        "flags": COMMAND.settings(values),
        "pictures": {group.title: len(group.small) for group in groups},
        "shown": {group.title: list(group.small.names[: values.shown]) for group in groups},
        "labels": sources,
        "figures": figures,
        "rows": list(rows),
    }
    write_json(output / "super_resolve.json", results)
    if figures:
        print(f"\n{super_resolution.table(figures)}\n")
        print(f"Means over {len(groups[0].small):,} pictures; PSNR in dB.")
        print(f"Highest: {'; '.join(super_resolution.highest(figures))}.")
    print(restoration.label_sources_text(sources))
    print(f"Rows of the PNG files from top to bottom: {'; '.join(rows)}")
    print_written(output, [*written, "super_resolve.json"])


if __name__ == "__main__":
    COMMAND.run(main)
