"""The page in a real browser: every control is used, and every tab's pictures change."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket

import numpy as np
import pytest

from keras_cvaegan import pictures
from keras_cvaegan.models import GAN
from keras_cvaegan.training.run_directory import RunDirectory
from tests.helpers.browser_page import SECONDS, View, choose, clear_upload, seed, slide
from tests.helpers.running import ROOT, environment
from tests.helpers.server import Double
from tests.helpers.tiny_model import CLASS_NAMES, exported

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
MISSING = [name for name in ("gradio", "playwright") if not importlib.util.find_spec(name)]
if BROWSER is None:
    MISSING.append("a Chromium")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("serving"),
    pytest.mark.skipif(bool(MISSING), reason=f"The page's test needs {', '.join(MISSING)}."),
]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=BROWSER, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Starts a program that serves the page of a model, for the length of a block."""
    import subprocess
    import sys

    @contextlib.contextmanager
    def served(*flags):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        temporary = tmp_path_factory.mktemp("temporary")
        process = subprocess.Popen(
            [sys.executable, "-m", "trainers.demo", f"--port={port}", *flags],
            cwd=ROOT,
            env=environment(TMPDIR=str(temporary)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            line = process.stdout.readline()
            assert line.startswith("Page: http://127.0.0.1:"), process.communicate()
            yield line.split()[1]
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert "Traceback" not in errors
        assert not list(temporary.glob("keras_cvaegan_demo_*"))

    return served


def write_run(model, path):
    run = RunDirectory(path)
    run.create()
    run.write_config({"config": {}})
    model.save(run.model)
    return f"--run_dir={path}"


@pytest.fixture(scope="module")
def address(served, tmp_path_factory):
    model = exported(tmp_path_factory)[0]
    with served(write_run(model, tmp_path_factory.mktemp("demo") / "run")) as address:
        yield address


@contextlib.contextmanager
def opened(browser, address):
    """A page, on which nothing may come from elsewhere."""
    page = browser.new_page()
    page.set_default_timeout(SECONDS * 1000)
    elsewhere = []

    def check(request):
        if not request.url.startswith((address, "data:", "blob:")):
            elsewhere.append(request.url)

    page.on("request", check)
    page.goto(address)
    yield page
    assert elsewhere == []
    page.close()


@pytest.fixture
def page(browser, address):
    with opened(browser, address) as page:
        yield page


@pytest.fixture
def picture(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "mine.png"
    pictures.write_png(path, rng.integers(0, 255, (20, 30, 3), np.uint8))
    return path


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return path


def test_sample(page, tmp_path):
    view = View(page, "samples")
    view.count(6 * len(CLASS_NAMES))
    with view.changed():
        page.get_by_role("button", name="New seed", exact=True).click()
    with view.changed():
        seed(page, "Seed", 5)
    slide(page, "Pictures a class", 2)
    with view.changed():
        seed(page, "Seed", 6)
        view.count(2 * len(CLASS_NAMES))
    page.get_by_role("button", name="Draw samples").click()
    assert view.names()[0] == f"{CLASS_NAMES[0]}, 1"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as PNG").click()
    assert download.value.suggested_filename == "samples_seed_6.png"
    download.value.save_as(tmp_path / "sheet.png")
    width, height = 2 * 256 + 3 * 16, len(CLASS_NAMES) * 256 + (len(CLASS_NAMES) + 1) * 16
    assert pictures.read_picture(tmp_path / "sheet.png").shape == (height, width, 3)
    for _ in CLASS_NAMES:
        page.get_by_label("Classes", exact=True).press("Backspace")
    page.get_by_role("button", name="Draw samples").click()
    page.get_by_text("No class is chosen. Choose at least one.").wait_for()


def test_same_latent(page):
    page.get_by_role("tab", name="Same z, another class").click()
    view, every = View(page, "z-under-the-chosen-class"), View(page, "the-same-z-under-all-classes")
    every.count(len(CLASS_NAMES))
    field = page.get_by_label("Seed of z", exact=True)
    locked = field.input_value()
    with view.changed(), every.kept():
        choose(page, "Class", CLASS_NAMES[1])
    assert view.sources()[0] == every.sources()[1]
    assert page.locator("figure.chosen").inner_text() == CLASS_NAMES[1]
    assert field.input_value() == locked
    with view.changed(), every.changed():
        page.get_by_role("button", name="New seed of z").click()
    with view.changed(), every.changed():
        seed(page, "Seed of z", 77)
    page.get_by_label("Lock z").uncheck()
    with view.changed(), every.changed():
        choose(page, "Class", CLASS_NAMES[2])
    assert field.input_value() != "77"


def test_directions(page):
    page.get_by_role("tab", name="Directions").click()
    view = View(page, "the-sample-moved")
    overview = View(page, "the-sample-along-each-direction-in-standard-deviations")
    start = view.wait_for(bool)
    sliders = page.get_by_label("number input for Direction").count()
    overview.count(7 * sliders)
    places = [
        page.get_by_label(f"number input for Direction {number}").input_value()
        for number in range(1, sliders + 1)
    ]
    for number in range(1, sliders + 1):
        with view.changed(), overview.kept():
            slide(page, f"Direction {number}", -2.5 if float(places[number - 1]) > 0 else 2.5)
    page.get_by_text("of the change").first.wait_for()
    with view.changed():
        page.get_by_role("button", name="Reset the sliders").click()
    view.wait_for(lambda now: now == start)
    assert places == [
        page.get_by_label(f"number input for Direction {number}").input_value()
        for number in range(1, sliders + 1)
    ]
    with view.changed(), overview.changed():
        choose(page, "Class", CLASS_NAMES[1])
    with view.changed(), overview.changed():
        page.get_by_role("button", name="New seed", exact=True).locator("visible=true").click()


def test_morph(page, picture, broken):
    page.get_by_role("tab", name="Morph").click()
    names = ("the-first-α-1", "between-them", "the-second-α-0", "from-the-first-to-the-second")
    first, between, second, strip = (View(page, name) for name in names)
    strip.count(9)
    assert page.get_by_text("and the weights of the two classes likewise").is_visible()
    with between.changed(), strip.kept():
        slide(page, "α, the share of the first", 0.9)
    with first.changed(), between.changed(), second.kept():
        page.get_by_role("button", name="New seed of the first").click()
    with second.changed(), between.changed(), first.kept():
        seed(page, "Seed of the second", 3)
    with second.changed(), between.changed():
        choose(page, "Class of the second", CLASS_NAMES[0])
    page.get_by_text("within one class").wait_for()
    with first.changed(), between.changed():
        choose(page, "Class of the first", CLASS_NAMES[1])
    page.get_by_role("radio", name="A picture").first.check()
    page.get_by_text("Both ends are needed").wait_for()
    upload = page.locator("input[type=file]").first
    upload.set_input_files(picture)
    strip.count(9)
    page.get_by_text("recognised,").wait_for()
    recognised = page.get_by_text("recognised,").inner_text()
    other = next(name for name in CLASS_NAMES if not recognised.startswith(name))
    with first.changed(), between.changed():
        choose(page, "Class of the first picture", other)
    clear_upload(page)
    page.get_by_text("Both ends are needed").wait_for()
    page.locator("input[type=file]").first.set_input_files(broken)
    page.get_by_text("Cannot read 'broken.png'").wait_for()
    page.get_by_role("radio", name="A sample").first.check()
    strip.count(9)


def test_your_picture(page, picture, broken):
    page.get_by_role("tab", name="Your picture").click()
    page.get_by_text("Upload a picture of one of the classes").locator("visible=true").wait_for()
    names = ("as-the-model-takes-it", "encoded-and-decoded", "the-same-z-under-other-classes")
    taken, again, others = (View(page, name) for name in names)
    page.locator("input[type=file]").last.set_input_files(broken)
    message = "Cannot read 'broken.png': not a picture, or damaged. Upload a PNG, JPEG, WebP"
    page.get_by_text(message).wait_for()
    assert taken.sources() == []
    clear_upload(page)
    page.locator("input[type=file]").last.set_input_files(picture)
    others.count(len(CLASS_NAMES) - 1)
    page.get_by_text("recognised,").locator("visible=true").wait_for()
    chosen = next(name for name in CLASS_NAMES if name in others.names())
    with again.changed(), others.changed(), taken.kept():
        choose(page, "Its class", chosen)
    assert chosen not in others.names()


def test_what_a_model_cannot_do_is_said(browser, served, tmp_path):
    model = GAN.from_preset("compact", image_shape=(16, 16, 3), latent_dim=3)
    with served(write_run(model, tmp_path / "run")) as address, opened(browser, address) as page:
        View(page, "samples").count(6)
        page.get_by_role("tab", name="Same z, another class").click()
        page.get_by_text("It was trained without classes").wait_for()
        page.get_by_role("tab", name="Directions").click()
        View(page, "the-sample-moved").count(1)
        assert not page.get_by_label("Class", exact=True).is_visible()
        page.get_by_role("tab", name="Morph").click()
        View(page, "from-the-first-to-the-second").count(9)
        assert page.get_by_role("radio", name="A picture").count() == 0
        page.get_by_role("tab", name="Your picture").click()
        page.get_by_text("GAN has no encoder. Models with one:").last.wait_for()


def test_a_server_that_goes_and_comes_back(browser, served, tmp_path_factory):
    with (
        Double(exported(tmp_path_factory)[1]) as double,
        served(f"--url={double.grpc_url}", "--timeout=20") as address,
        opened(browser, address) as page,
    ):
        view = View(page, "samples")
        view.count(6 * len(CLASS_NAMES))
        page.get_by_role("tab", name="Morph").click()
        page.get_by_text("it switches at α = ½").wait_for()
        double.stop()
        with view.kept():
            page.get_by_role("tab", name="Sample", exact=True).click()
            page.get_by_role("button", name="New seed", exact=True).click()
            page.get_by_text("Cannot reach the server").first.wait_for()
        double.start()
        with view.changed():
            page.get_by_role("button", name="New seed", exact=True).click()
