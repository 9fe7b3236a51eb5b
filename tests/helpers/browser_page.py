"""A page in a browser: its pictures, and what a user does."""

import contextlib
import time

SECONDS = 30


class View:
    """The pictures in one place of the page."""

    def __init__(self, page, name):
        self._page, self._images = page, page.locator(f"#{name} img")

    def sources(self):
        return self._all("src")

    def names(self):
        return self._all("alt")

    def _all(self, attribute):
        # At once: pictures come and go.
        return self._images.evaluate_all(f"all => all.map(one => one.getAttribute('{attribute}'))")

    def wait_for(self, condition):
        """Waits until a condition holds of the pictures, and returns them."""
        end = time.monotonic() + SECONDS
        while not condition(sources := self.sources()):
            assert time.monotonic() < end, (
                f"{len(sources)} pictures: {self._page.inner_text('body')}"
            )
            self._page.wait_for_timeout(50)
        return sources

    def count(self, count):
        return self.wait_for(lambda sources: len(sources) == count)

    @contextlib.contextmanager
    def changed(self):
        """Expects other pictures, all of them, after a block."""
        before = self.wait_for(bool)
        yield
        self.wait_for(lambda now: now and all(a != b for a, b in zip(before, now, strict=False)))

    @contextlib.contextmanager
    def kept(self):
        """Expects the same pictures after a block."""
        before = self.wait_for(bool)
        yield
        assert self.sources() == before


def choose(page, label, option):
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def slide(page, label, value):
    page.get_by_label(f"number input for {label}", exact=True).fill(str(value))
    page.keyboard.press("Tab")


def seed(page, label, value):
    page.get_by_label(label, exact=True).fill(str(value))
    page.keyboard.press("Enter")


def clear_upload(page):
    page.get_by_label("Clear").locator("visible=true").first.click()
