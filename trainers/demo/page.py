"""The page: its tabs under a heading, its looks, and how it is served."""

from __future__ import annotations

import signal
import threading

import gradio as gr

from trainers.demo import figures, tabs
from trainers.demo.sources import Source
from trainers.demo.studio import Studio

MAX_UPLOAD = "20mb"
# What nobody has looked at for an hour goes; it is looked for every ten minutes.
CACHE_SECONDS = (600, 3600)
AT_ONCE = 4
FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Ubuntu", "sans-serif")
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
CSS = """
.gradio-container { width: 100%; max-width: 1280px !important; margin: 0 auto !important; }
.view, .view > div { padding: 0 !important; }
.apology { max-width: 40rem; margin: 3rem auto !important; text-align: center; }
"""


def build(studio: Studio) -> gr.Blocks:
    """Returns the page with all tabs.

    Args:
        studio: studio that the tabs draw with.
    """
    with gr.Blocks(
        title=f"{studio.source.name} · keras_cvaegan", delete_cache=CACHE_SECONDS
    ) as page:
        gr.Markdown(heading(studio.source))
        with gr.Tabs():
            with gr.Tab("Sample"):
                tabs.sample(page, studio)
            with gr.Tab("Same z, another class") as tab:
                tabs.same_latent(tab, studio)
            with gr.Tab("Directions") as tab:
                tabs.directions(tab, studio)
            with gr.Tab("Morph") as tab:
                tabs.morph(tab, studio)
            with gr.Tab("Your picture"):
                tabs.your_picture(studio)
    return page.queue(default_concurrency_limit=AT_ONCE)


def heading(source: Source) -> str:
    """What the page says of the model."""
    height, width, _ = source.image_shape
    classes = f"{len(source.class_names)} classes" if source.has_classes else "no classes"
    return (
        f"# {source.name}\n{classes} · {width} × {height} pixels · z of {source.latent_dim} "
        f"dimensions · {source.step:,} training steps · {source.origin}"
    )


def serve(page: gr.Blocks, host: str, port: int) -> None:
    """Serves the page until the process is interrupted or asked to end.

    Raises:
        OSError: when the port is taken.
    """
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port,
            theme=_theme(),
            css=figures.CSS + CSS,
            prevent_thread_lock=True,
            quiet=True,
            show_error=True,
            ssr_mode=False,
            share=False,
            footer_links=[],
            max_file_size=MAX_UPLOAD,
        )
    except OSError as error:
        raise OSError(
            f"Cannot listen on port {port} of {host}: it is taken, or the address is not this "
            "machine's. Choose others with --port and --host."
        ) from error
    print(f"Page: {address} (Ctrl+C ends it)", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        page.close(verbose=False)


def _theme() -> gr.Theme:
    """Fonts of the reader's system: nothing is fetched from elsewhere."""
    theme = gr.themes.Soft(
        primary_hue="teal", neutral_hue="slate", font=FONTS, font_mono=MONO_FONTS
    )
    return theme.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        # Dark enough for white letters on it, and for letters of it on white.
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        checkbox_label_background_fill_selected="*primary_700",
        color_accent="*primary_600",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
        block_label_border_width="0px",
        block_label_background_fill="none",
        block_label_background_fill_dark="none",
        block_label_text_color="*body_text_color",
        block_label_text_color_dark="*body_text_color",
        block_label_shadow="none",
        block_title_background_fill="none",
        block_title_background_fill_dark="none",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_padding="0",
    )
