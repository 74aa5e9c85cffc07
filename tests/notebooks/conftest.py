"""A newcomer's browser: JupyterLab from `tests/browser`, and what goes wrong behind the scenes written down."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page

from tests.browser.conftest import PATIENCE_MS, Lab, browser, end_kernel, lab, ready, run_all, set_theme

__all__ = ["Newcomer", "browser", "cell", "lab", "newcomer", "painted", "plain_program", "reader"]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@dataclass
class Newcomer:
    """Opens notebooks in JupyterLab, at 1280 x 800 with the file browser at its side.

    complaints
        Errors of our part of the page, and all of its console.
    elsewhere
        Addresses beyond this machine that were asked for.
    """

    lab: Lab
    new_page: Callable[[], Page]
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def open(self, name: str, theme: str = "JupyterLab Light", *, wait: bool = True) -> Page:
        """A notebook of the lab's folder, run from top to bottom."""
        page = self.new_page()
        page.on("pageerror", self._note)
        page.on("console", self._hear)
        page.on("request", lambda asked: self._look_where(asked.url))
        page.goto(f"{self.lab.url}/lab/tree/{name}?reset")
        ready(page)
        set_theme(page, theme)
        run_all(page, wait)
        return page

    def open_of_the_course(self, name: str, theme: str = "JupyterLab Light") -> Page:
        """A notebook of the course, in a folder for each theme, where the answers are kept, too."""
        folder = self.lab.folder / theme.split()[-1].lower()
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes((NOTEBOOKS / name).read_bytes())
        return self.open(f"{folder.name}/{name}", theme)

    def use_no_subshells(self) -> None:
        """Let JupyterLab send the messages of widgets the old way: a running cell holds them up."""
        self._subshells.parent.mkdir(parents=True, exist_ok=True)
        self._subshells.write_text('{"commsOverSubshells": "disabled"}', encoding="utf-8")

    def forget(self) -> None:
        """Back to JupyterLab's own settings."""
        self._subshells.unlink(missing_ok=True)

    @property
    def _subshells(self) -> Path:
        settings = self.lab.log.parent / "lab-settings" / "@jupyterlab" / "apputils-extension"
        return settings / "kernels-settings.jupyterlab-settings"

    def _note(self, error: Error) -> None:
        # Widgets run from blobs; what JupyterLab does to itself while it reloads is not ours to hold.
        if "blob:" in (error.stack or ""):
            self.complaints.append(f"{error}\n{error.stack}")

    def _hear(self, said: ConsoleMessage) -> None:
        # JupyterLab asks its server now and then for a session or a kernel that has just ended; that alone is let
        # pass, no other answer and no other address.
        ended = tuple(f"{self.lab.url}/api/{what}/" for what in ("sessions", "kernels"))
        asked_for_one = "404" in said.text and said.location["url"].startswith(ended)
        if said.type == "error" and not asked_for_one:
            self.complaints.append(f"{said.text} {said.location}")

    def _look_where(self, url: str) -> None:
        if not url.startswith((self.lab.url, "blob:", "data:", self.lab.url.replace("http", "ws", 1))):
            self.elsewhere.append(url)


@pytest.fixture
def newcomer(lab: Lab, browser: Browser) -> Iterator[Newcomer]:
    """Somebody new to it all; whatever the page complains of fails the test at its end."""
    yield from somebody(lab, browser)


@pytest.fixture(scope="module")
def reader(lab: Lab, browser: Browser) -> Iterator[Newcomer]:
    """The same for a whole module of tests, whose pages stay open."""
    yield from somebody(lab, browser)


def somebody(lab: Lab, browser: Browser) -> Iterator[Newcomer]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    someone = Newcomer(lab, context.new_page)
    yield someone
    for page in context.pages:
        end_kernel(page)
    context.close()
    someone.forget()
    assert someone.complaints == []
    assert someone.elsewhere == []


@pytest.fixture
def plain_program() -> Iterator[None]:
    """No loop runs, as in a plain program; Playwright leaves one running in the thread of the tests."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


def cell(page: Page, source: str) -> Locator:
    """The code cell whose source has this in it, scrolled into view: JupyterLab draws only what is near it."""
    found = page.locator(".jp-CodeCell", has=page.locator(".cm-line", has_text=source)).first
    found.scroll_into_view_if_needed()
    return found


def painted(root: Locator) -> Locator:
    """The player in there, once it is painted; it may lie under a cover."""
    player = root.locator(".nvp[data-painted]").first
    player.wait_for(state="attached")
    return player
