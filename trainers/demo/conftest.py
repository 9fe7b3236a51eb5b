"""Keeps pytest from importing what needs gradio for its examples: it has none."""

collect_ignore = ["controls.py", "page.py", "tabs.py"]
