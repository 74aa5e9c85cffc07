"""`nvmelm lab`: JupyterLab on the first notebook, as a learner meets it: no question, no warning."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nvmelm_lab.doctor import find_browser
from nvmelm_lab.errors import InputError
from nvmelm_lab.jupyter import NEW_FOLDER, arguments, first_notebook, folder_of_the_course, has_display
from nvmelm_lab.lessons.course import lay, shipped
from tests.browser.conftest import playwright

ROOT = Path(__file__).parents[2]
NVMELM = Path(sys.executable).with_name("nvmelm")
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "id": "a",
            "metadata": {},
            "source": "6 * 7",
            "outputs": [],
            "execution_count": None,
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running `nvmelm lab`: where it answers, what it printed, the home it was given."""

    base: str
    token: str
    log: Path
    home: Path

    def get(self, path: str) -> tuple[str, str]:
        """The final address and the text of `path`."""
        request = urllib.request.Request(
            f"{self.base}{path}", headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.url, answer.read().decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`nvmelm lab` in a folder with a first notebook of its own, for a learner with an empty home."""
    top = tmp_path_factory.mktemp("lab")
    home, kit, log = top / "home", top / "kit", top / "log"
    (kit / "notebooks").mkdir(parents=True)
    (kit / "notebooks/00_start_here.ipynb").write_text(json.dumps(NOTEBOOK))
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTEST"))}
    with log.open("w") as output:
        process = subprocess.Popen(
            [NVMELM, "lab", kit, "--no-browser"],
            env={**kept, "HOME": str(home)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        base, token = _address(process, log)
        yield Server(base, token, log, home)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _address(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/\S*\?token=(\w+)", log.read_text()):
            return found[1], found[2]
        time.sleep(0.05)
    pytest.fail(f"nvmelm lab printed no address:\n{log.read_text()}")


def test_the_address_leads_to_the_first_notebook(server: Server) -> None:
    assert server.get("/")[0] == f"{server.base}/lab/tree/notebooks/00_start_here.ipynb"


@pytest.mark.parametrize(("setting", "value"), [("fetchNews", "false"), ("checkForUpdates", False)])
def test_no_news_and_no_updates_are_asked_for(server: Server, setting: str, value: object) -> None:
    answer = json.loads(server.get("/lab/api/settings/@jupyterlab/apputils-extension:notification")[1])
    assert answer["schema"]["properties"][setting]["default"] == value


def test_the_theme_is_light_until_the_learner_chooses(server: Server) -> None:
    address = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
    assert (
        json.loads(server.get(address)[1])["schema"]["properties"]["theme"]["default"] == "JupyterLab Light"
    )
    chosen = (
        server.home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    )
    chosen.parent.mkdir(parents=True)
    chosen.write_text('{"theme": "JupyterLab Dark"}')
    assert json.loads(server.get(address)[1])["settings"]["theme"] == "JupyterLab Dark"
    chosen.unlink()


def test_no_configuration_is_written_into_the_learners_home(server: Server) -> None:
    server.get("/lab")
    assert not list((server.home / ".jupyter").rglob("*.json"))
    assert not list((server.home / ".jupyter").rglob("*.py"))


def test_the_notebook_opens_and_runs_with_no_dialog_no_notification_and_no_warning(
    server: Server,
) -> None:
    browser_program = find_browser()
    assert browser_program is not None, "the browser tests need Chromium: make browser"
    browser = playwright().chromium.launch(executable_path=browser_program, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{server.base}/?token={server.token}")
    page.locator(".jp-Notebook .jp-CodeCell").wait_for(timeout=PATIENCE_S * 1000)
    page.locator(".jp-NotebookPanel-toolbar", has_text="Python 3").wait_for(timeout=PATIENCE_S * 1000)
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=PATIENCE_S * 1000)
    page.locator(".jp-Notebook .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".jp-OutputArea-output", has_text="42").wait_for(timeout=PATIENCE_S * 1000)
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".Toastify__toast").count() == 0
    assert page.locator("body").get_attribute("data-jp-theme-light") == "true"
    browser.close()
    printed = server.log.read_text()
    assert "notebooks/00_start_here.ipynb was here already and stays as it is.\n" in printed
    assert "\nJupyterLab starts; press Ctrl-C twice to stop it.\n" in printed
    assert not re.search(r"\[[WE] |warning|error|traceback", printed, re.IGNORECASE)


def test_the_first_notebook_is_found_from_the_kit_and_from_its_notebooks(tmp_path: Path) -> None:
    assert first_notebook(tmp_path) is None
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/00_start_here.ipynb").touch()
    assert first_notebook(tmp_path) == "notebooks/00_start_here.ipynb"
    assert first_notebook(tmp_path / "notebooks") == "00_start_here.ipynb"


def test_without_a_first_notebook_jupyterlab_opens_on_the_folder(tmp_path: Path) -> None:
    assert "--LabApp.default_url=/lab" in arguments(tmp_path, None, browser=False)


def test_the_course_goes_where_it_is_wanted_and_else_where_it_is_already_or_into_a_new_folder(
    tmp_path: Path,
) -> None:
    named = tmp_path / "mine"
    assert folder_of_the_course(named, tmp_path) == named
    assert folder_of_the_course(None, tmp_path) == tmp_path / NEW_FOLDER
    lay(named, shipped())
    for seen_from in (named, named / "notebooks"):
        assert folder_of_the_course(None, seen_from) == named
        assert folder_of_the_course(seen_from, tmp_path) == named
    assert folder_of_the_course(None, ROOT / "notebooks") == ROOT


@pytest.mark.parametrize(
    ("named", "why"), [("a file", "it is a file"), ("no/where", "there is no folder 'no'")]
)
def test_a_folder_that_cannot_be_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").touch()
    with pytest.raises(InputError, match=f"FOLDER '{named}' cannot be made: {why}; name one"):
        folder_of_the_course(Path(named), tmp_path)


def test_a_port_asked_for_is_the_only_one_tried(tmp_path: Path) -> None:
    assert {"--ServerApp.port=9000", "--ServerApp.port_retries=0"} <= set(
        arguments(tmp_path, 9000, browser=True)
    )


@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_only_root_is_allowed_to_be_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: int, allowed: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert ("--allow-root" in arguments(tmp_path, None, browser=True)) is allowed


@pytest.mark.parametrize(
    ("platform", "environment", "display"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ":10", "SSH_CONNECTION": "a b c d"}, True),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "a b c d"}, False),
        ("win32", {}, True),
    ],
)
def test_a_browser_opens_only_where_there_is_a_display(
    platform: str, environment: dict[str, str], display: bool
) -> None:
    assert has_display(platform, environment) is display
