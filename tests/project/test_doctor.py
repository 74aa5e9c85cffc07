"""`nvmelm doctor`: one line for each thing that must work, and what to do where it does not."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from nvmelm_lab import doctor
from nvmelm_lab.doctor import CHECKS, Finding, locked_requirements

Broken = Callable[[str, Callable[[], Finding]], None]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Broken:
    """Put another check in the place of one by its name."""
    return lambda name, check: monkeypatch.setitem(CHECKS, name, check)


def text_and_status(*arguments: str) -> tuple[str, int]:
    run = CliRunner().invoke(doctor.command, arguments)
    return run.output, run.exit_code


def test_here_everything_works() -> None:
    bad = {name: finding for name, finding in doctor.examine().items() if finding.status != "ok"}
    assert not bad


def test_each_check_has_a_line_of_its_own() -> None:
    text, status = text_and_status()
    assert status == 0
    assert [line.split()[0] for line in text.splitlines()] == list(CHECKS)


def test_json_is_one_object_with_every_finding() -> None:
    text, status = text_and_status("--json")
    report = json.loads(text)
    assert status == 0
    assert report["good"] is True
    assert list(report["checks"]) == list(CHECKS)
    assert all(set(check) == {"status", "found", "mend"} for check in report["checks"].values())


def test_one_bad_finding_makes_the_status_1_and_says_what_to_do(broken: Broken) -> None:
    broken("plotly", lambda: Finding("bad", "no plotly", "install it"))
    text, status = text_and_status()
    assert status == 1
    assert "no plotly  ->  install it" in text
    assert json.loads(text_and_status("--json")[0])["good"] is False


def test_a_note_leaves_the_status_0(broken: Broken) -> None:
    broken("browser", lambda: Finding("note", "no Chromium", "install it"))
    assert text_and_status()[1] == 0


def test_a_check_that_fails_itself_hides_no_other(broken: Broken) -> None:
    def explode() -> Finding:
        raise OSError("disk on fire")

    broken("python", explode)
    findings = doctor.examine()
    assert findings["python"].status == "bad"
    assert "disk on fire" in findings["python"].found
    assert list(findings) == list(CHECKS)


def test_a_library_that_does_not_load_is_named_with_what_is_lost() -> None:
    finding = doctor._import("no_such_library", "figures")
    assert finding.status == "bad"
    assert finding.found.startswith("no_such_library does not load")
    assert finding.found.endswith("without it: no figures")


def test_a_version_other_than_the_locked_one_is_noted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("bitarray==0.0.1 \\\n    --hash=sha256:00\nnot-there==1.0 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(doctor, "LOCK_PLACES", (lock,))
    finding = doctor.CHECKS["packages"]()
    assert finding.status == "note"
    assert "(tested: 0.0.1)" in finding.found
    assert "not-there missing" in finding.found


def test_requirements_for_other_systems_are_not_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("not-there==1.0 ; sys_platform == 'amiga' \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(doctor, "LOCK_PLACES", (lock,))
    assert doctor.CHECKS["packages"]().status == "ok"


def test_a_lock_is_read_without_comments_and_hashes() -> None:
    first, second = "a==1 \\\n    --hash=sha256:00\n", "b[c]==2 ; os_name == 'nt' \\\n    --hash=sha256:11\n"
    lock = f"# made by make lock\n{first}{second}"
    assert locked_requirements(lock) == ["a==1", "b[c]==2 ; os_name == 'nt'"]


def test_a_missing_widget_extension_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LABEXTENSIONS", ("@nobody/nothing",))
    finding = CHECKS["widgets"]()
    assert finding.status == "bad"
    assert "@nobody/nothing" in finding.found


def test_a_kernel_of_another_python_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kernel = tmp_path / "kernels/python3/kernel.json"
    kernel.parent.mkdir(parents=True)
    spec = {
        "argv": ["/usr/bin/other-python", "-f", "{connection_file}"],
        "display_name": "Other",
        "language": "python",
    }
    kernel.write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    finding = CHECKS["kernel"]()
    assert finding.status == "bad"
    assert "/usr/bin/other-python" in finding.found


def test_a_folder_that_cannot_be_written_to_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    finding = CHECKS["folder"]()
    assert finding.status == "bad"
    assert "Permission denied" in finding.found


def test_without_a_browser_the_learner_is_not_alarmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_browser", lambda: None)
    finding = CHECKS["browser"]()
    assert finding.status == "note"
    assert "only the kit's own tests" in finding.found


@pytest.mark.parametrize("name", doctor.BROWSER_NAMES)
def test_a_browser_is_found_under_each_of_its_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    browser = tmp_path / name
    browser.touch(mode=0o755)
    monkeypatch.setattr(shutil, "which", lambda wanted: str(browser) if wanted == name else None)
    assert doctor.find_browser() == browser


def test_little_memory_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "memory_limit", lambda: 512 << 20)
    assert CHECKS["memory"]() == Finding(
        "note", "512.0 MiB: enough for the notebooks as they are", "keep namespaces small"
    )
