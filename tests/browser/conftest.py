"""A real JupyterLab in a real, headless Chromium, for every test that needs to see what a learner sees.

One server and one browser serve the whole session, in a home and a working folder of their own.  `lab` writes
notebooks; `open_notebook` opens one, runs all of it and hands over the Playwright page.
"""

import atexit
import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright

ROOT = Path(__file__).parents[2]
BROWSERS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS = 60
PATIENCE_MS = 60_000
IDLE = "() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def find_chromium() -> str:
    """Where Chromium is: what NVMELM_CHROMIUM names, else a usual place; without one the test fails."""
    named = os.environ.get("NVMELM_CHROMIUM")
    for name in (named,) if named else BROWSERS:
        if found := shutil.which(name):
            return found
    what = f"NVMELM_CHROMIUM names {named!r}, which is not a program" if named else "there is none here"
    pytest.fail(f"Browser tests need Chromium, but {what}: install chromium, or set NVMELM_CHROMIUM to one.")


@dataclass
class Lab:
    """A running JupyterLab: its address and the folder that it shows."""

    url: str
    folder: Path
    log: Path
    process: subprocess.Popen = field(repr=False)

    def write(self, name: str, *cells: str) -> str:
        """A notebook of code cells in the folder; gives its name back."""
        empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        book = {
            "cells": [empty | {"id": f"cell-{n}", "source": source} for n, source in enumerate(cells)],
            "metadata": {"kernelspec": kernel},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.folder / name).write_text(json.dumps(book), encoding="utf-8")
        return name

    def read(self, name: str) -> dict:
        """The notebook as it stands on disk."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own_environment(home: Path) -> dict[str, str]:
    """The environment of a learner who has never started JupyterLab; the news are off."""
    settings = home / "lab-settings"
    notices = settings / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    notices.parent.mkdir(parents=True)
    notices.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    own = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": settings,
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
        "PYTHONPATH": ROOT,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    return os.environ | {name: str(value) for name, value in own.items()}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for the session, without a token on localhost, in a fresh folder."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("lab")
    port, log = free_port(), home / "server.log"
    options = [
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True",
        "--allow-root",
    ]
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=folder,
            env=own_environment(home),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    server = Lab(f"http://127.0.0.1:{port}", folder, log, process)
    try:
        wait_until_up(server)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def wait_until_up(server: Lab) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.url}/api", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not answer within {START_SECONDS} s:\n{server.log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the session."""
    chromium = playwright().chromium.launch(executable_path=find_chromium(), args=list(QUIET))
    yield chromium
    chromium.close()


@functools.cache
def playwright() -> Playwright:
    """The one driver of this process: its loop never stands still, and a second one would not start beside it."""
    driver = sync_playwright().start()
    atexit.register(driver.stop)
    return driver


OpenNotebook = Callable[..., Page]


@pytest.fixture(scope="module")
def shared_notebook(lab: Lab, browser: Browser) -> Iterator[OpenNotebook]:
    """Like `open_notebook`, for pages that all tests of a module look at and none leaves changed."""
    yield from notebook_opener(lab, browser)


@pytest.fixture
def open_notebook(lab: Lab, browser: Browser) -> Iterator[OpenNotebook]:
    """Opens a notebook of the lab's folder beside the file browser, and runs all its cells.

    Each has a fresh profile with a window of 1280 x 800, and what else is asked of it (Playwright's words,
    such as ``device_scale_factor``).  Errors that a widget does not catch itself fail
    the test at its end.
    """
    yield from notebook_opener(lab, browser)


def notebook_opener(lab: Lab, browser: Browser) -> Iterator[OpenNotebook]:
    contexts: list[BrowserContext] = []
    uncaught: list[str] = []

    def note(error: Error) -> None:
        # Widgets run from blobs.  What JupyterLab does to itself (its splash screen goes twice when themes
        # change fast) is not ours to hold.
        if "blob:" in (error.stack or ""):
            uncaught.append(f"{error}\n{error.stack}")

    def opened(name: str, theme: str = "JupyterLab Light", wait: bool = True, **profile: Any) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, **profile)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", note)
        page.goto(f"{lab.url}/lab/tree/{name}?reset")
        ready(page)
        set_theme(page, theme)
        run_all(page, wait)
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            end_kernel(page)
        context.close()
    assert uncaught == []


def end_kernel(page: Page) -> None:
    """Ends the kernel of the notebook that is open, lest one for each test stays behind; it may be gone already."""
    with contextlib.suppress(Error):
        page.evaluate(
            "() => jupyterapp.shell.currentWidget?.sessionContext?.shutdown().then(() => null, () => null)"
        )


def ready(page: Page) -> None:
    """Waits until the notebook is drawn and its kernel is idle."""
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.wait_for_function(IDLE)


def set_theme(page: Page, theme: str) -> None:
    """Switches JupyterLab's theme and waits until the page has taken it on."""
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")


def run_all(page: Page, wait: bool = True) -> None:
    """Runs every cell, to its end unless told not to wait; one that raised fails the test with its traceback."""
    page.evaluate(
        "wait => { const run = jupyterapp.commands.execute('notebook:run-all-cells'); if (wait) return run; }",
        wait,
    )
    raised = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    if raised.count():
        pytest.fail(f"a cell of the notebook raised:\n{raised.first.inner_text()}")


def save(page: Page) -> None:
    """Saves the notebook and waits until it is on disk."""
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
