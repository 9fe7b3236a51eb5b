"""Draws pictures of chosen categories with a served model: PNG files and a grid of them.

They are those that trainers.generate draws with the same model, labels, count and seed. Needs the
extra [serving].
"""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_cvaegan.serving import GenerateClient, ServingError
from trainers.command_line.command import Command
from trainers.command_line.flags import parse_labels
from trainers.pictures.flags import generated_picture_flags
from trainers.pictures.generated import picture_seeds, write_pictures

if TYPE_CHECKING:
    from absl.flags import FlagValues


class _Command(Command):
    def prepare(self) -> None:
        """REST does without TensorFlow, which takes seconds to import."""
        if str(self._values["url"].value).startswith("grpc"):
            super().prepare()


COMMAND = _Command("trainers.request", __doc__)
with COMMAND.section("Server"):
    COMMAND.string(
        "url",
        None,
        "address of the server: http://host:8501 for TensorFlow Serving's REST API, "
        "grpc://host:8500 for gRPC; https:// and grpcs:// with TLS (required)",
    )
    COMMAND.string("model", "keras_cvaegan", "name of the model on the server")
    COMMAND.string("version", None, "number or label of a version (default: the latest)")
    COMMAND.number("timeout", 10.0, "seconds for an answer, tries included")
generated_picture_flags(COMMAND, output="generated")


def main(values: "FlagValues") -> None:
    if not values.url:
        raise ValueError("--url is missing: the server, as in --url=http://localhost:8501.")
    output = Path(values.output or "generated").expanduser()
    version = values.version
    if version is not None and version.isdecimal():
        version = int(version)
    try:
        with GenerateClient(values.url, values.model, version, values.timeout) as client:
            names = client.describe().class_names
            labels = parse_labels(values.labels, names)
            seeds = picture_seeds(values.seed, values.count)
            rows = {
                names[label]: client.generate([label] * values.count, seeds) for label in labels
            }
    except (ServingError, ImportError) as error:
        raise ValueError(str(error)) from error
    write_pictures(rows, output, values.seed)


if __name__ == "__main__":
    COMMAND.run(main)
