"""`make browser`: a Chromium for the browser tests, installed where we may, asked for where we may not."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools/browser.py"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("browser_tool", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)
    monkeypatch.setattr(module, "find_browser", lambda: None)
    return module


def test_with_a_browser_nothing_is_installed(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "find_browser", lambda: Path("chromium"))
    monkeypatch.setattr(tool, "install", lambda: pytest.fail("installed over a browser that is there"))
    assert tool.main() is None


def test_root_on_debian_gets_chromium_installed(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "install", lambda: monkeypatch.setattr(tool, "find_browser", lambda: Path("c")))
    assert tool.main() is None


def test_anyone_else_is_told_what_to_install(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(tool, "install", lambda: pytest.fail("installed without the right to"))
    assert "sudo apt-get install chromium" in tool.main()


def test_a_failed_installation_names_its_command(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise subprocess.CalledProcessError(100, ["apt-get", "update", "-q"])

    monkeypatch.setattr(tool, "install", fail)
    assert "apt-get update -q failed" in tool.main()
