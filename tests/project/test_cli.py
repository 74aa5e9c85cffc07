"""`nvmelm`: how commands are named and how they end."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from nvmelm_lab import cli
from nvmelm_lab.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def nvmelm(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "from nvmelm_lab.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["lab", "migrate", "doctor"])
def test_help_lists_the_command_and_explains_it(name: str) -> None:
    assert f"\n  {name} " in nvmelm("--help").stdout
    run = nvmelm(name, "--help")
    assert run.returncode == 0
    assert f"nvmelm {name}" in run.stdout.replace("-c", "nvmelm")


@pytest.mark.parametrize("arguments", [["fly"], ["lab", "--fly"], ["lab", "--port", "0"], ["lab", "a", "b"]])
def test_bad_usage_ends_with_status_2_and_names_what_is_wrong(arguments: list[str]) -> None:
    run = nvmelm(*arguments)
    assert run.returncode == 2
    assert run.stdout == ""
    assert arguments[-1] in run.stderr


def test_bad_input_ends_with_status_2_and_one_sentence() -> None:
    run = nvmelm("lab", "no/such/folder")
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.splitlines() == [
        f"nvmelm: FOLDER {str(Path('no/such/folder'))!r} cannot be made: there is no folder "
        f"{str(Path('no/such'))!r}; name one, or a new one in one that is there"
    ]


def test_input_errors_of_any_command_are_caught(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command("fail")
    def fail() -> None:
        raise InputError("SIZE -1 is negative; give 1 or more")

    monkeypatch.setitem(cli.app.commands, "fail", fail)
    monkeypatch.setattr(sys, "argv", ["nvmelm", "fail"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err == "nvmelm: SIZE -1 is negative; give 1 or more\n"
