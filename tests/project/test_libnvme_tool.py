"""`make libnvme`: a compiler and libnvme's sources where we can get them, a sentence where we cannot."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools/libnvme.py"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The tool on a Debian of root, where all is there; outside of CI."""
    spec = importlib.util.spec_from_file_location("libnvme_tool", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(module, "SOURCES", tmp_path)
    for name in ("install_compiler", "fetch_sources"):
        monkeypatch.setattr(module, name, lambda name=name: pytest.fail(f"{name} was called"))
    return module


def fail() -> None:
    raise subprocess.CalledProcessError(1, ["python", "-m", "pip", "download", "--quiet"])


def test_where_all_is_there_nothing_is_done(tool: ModuleType) -> None:
    assert tool.main() is None
    assert tool.missing() is None


def test_root_on_debian_gets_a_compiler(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    there: list[str] = []
    monkeypatch.setattr(tool, "find_compiler", lambda: there[0] if there else None)
    monkeypatch.setattr(tool, "install_compiler", lambda: there.append("gcc"))
    assert tool.main() is None
    assert tool.missing() is None


def test_anyone_else_is_told_what_to_install_and_the_tests_go_on(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(tool, "find_compiler", lambda: None)
    assert tool.main() is None
    assert "will be skipped. There is no C compiler. On Debian and Ubuntu: sudo apt-get install gcc" in (
        capsys.readouterr().out
    )


def test_sources_are_fetched_once(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tool, "SOURCES", tmp_path / "libnvme")
    monkeypatch.setattr(tool, "fetch_sources", lambda: tool.SOURCES.mkdir())
    assert tool.main() is None
    assert tool.main() is None


def test_without_a_network_the_tests_go_on(
    tool: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tool, "SOURCES", tmp_path / "libnvme")
    monkeypatch.setattr(tool, "fetch_sources", fail)
    assert tool.main() is None
    said = capsys.readouterr().out
    assert "python -m pip download ... failed" in said
    assert "will be skipped. There are no sources of libnvme." in said


def test_in_ci_a_lack_is_an_error(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CI", "true")
    assert tool.main() is None
    monkeypatch.setattr(tool, "SOURCES", tmp_path / "libnvme")
    monkeypatch.setattr(tool, "fetch_sources", fail)
    assert "the comparison of layouts with libnvme cannot be made. There are no sources" in tool.main()


def test_elsewhere_than_on_linux_nothing_is_compiled(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool.sys, "platform", "darwin")
    assert tool.missing() == "libnvme can be compiled on Linux only."
