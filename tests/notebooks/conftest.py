"""The browser of `tests/browser`, for tests of whole notebooks."""

from tests.browser.conftest import browser, lab, open_notebook

__all__ = ["browser", "lab", "open_notebook"]
