"""Opens a page in the browser to play with a trained model, here or on a server.

Needs the extra [demo], and with --url the extra [serving].
"""

import os
import tempfile
from typing import TYPE_CHECKING

from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

MISSING_EXTRA = "trainers.demo needs gradio: install it with pip install -e '.[demo]'."

COMMAND = Command("trainers.demo", __doc__)
with COMMAND.section("Model (one of --run_dir and --url)"):
    COMMAND.string("run_dir", None, "folder of a run of trainers.fit")
    COMMAND.string(
        "url",
        None,
        "address of a server: http://host:8501 for TensorFlow Serving's REST API, "
        "grpc://host:8500 for gRPC; https:// and grpcs:// with TLS",
    )
    COMMAND.string("served_model", "keras_cvaegan", "name of the model on the server")
    COMMAND.number("timeout", 30.0, "seconds for an answer of the server, tries included")
with COMMAND.section("Page"):
    COMMAND.string("host", "127.0.0.1", "address to listen on; 0.0.0.0 for all of this machine's")
    COMMAND.integer("port", 7860, "port to listen on", lower_bound=1, upper_bound=65535)
    COMMAND.integer("directions", 6, "directions of the latent that have a slider", lower_bound=1)


def main(values: "FlagValues") -> None:
    if bool(values.run_dir) == bool(values.url):
        raise ValueError(
            "One of --run_dir (the folder of a run of trainers.fit) and --url (a server, as in "
            f"--url=http://localhost:8501) is needed. Received: {'both' if values.url else 'none'}."
        )
    with tempfile.TemporaryDirectory(prefix="keras_cvaegan_demo_") as folder:
        # Where gradio keeps uploads and pictures; it looks at both when it is imported.
        os.environ["GRADIO_TEMP_DIR"] = folder
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        try:
            from trainers.demo import page, sources, studio
        except ModuleNotFoundError as error:
            if error.name != "gradio":
                raise
            raise ValueError(MISSING_EXTRA) from error

        source = sources.open_source(
            values.run_dir, values.url, values.served_model, values.timeout
        )
        drawing = studio.Studio(source, directions=values.directions)
        page.serve(page.build(drawing), values.host, values.port)


if __name__ == "__main__":
    COMMAND.run(main)
