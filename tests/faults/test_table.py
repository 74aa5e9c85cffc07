"""The fault table: complete, and the same in the docs, in `nvmelm doctor --faults` and in the code."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from nvmelm_lab import cli, doctor_faults
from nvmelm_lab.faults import COLUMNS, FAULTS
from nvmelm_lab.faults.matrix import Tally, sites, try_fault
from nvmelm_lab.faults.table import ENDS, as_markdown

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
MARK = "## The faults\n\n"


def test_the_page_in_the_docs_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8").partition(MARK)[2] == as_markdown()


def test_the_example_of_the_docs_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, str(PAGE), "exec"), {})


@pytest.mark.parametrize("name", FAULTS)
def test_a_row_says_everything_and_how_it_ends_in_every_phase(name: str) -> None:
    row = FAULTS[name]
    assert all((row.words, row.lost, row.recovers, row.marked, row.takes_over))
    assert len(row.ends) == len(COLUMNS)
    assert all(row.allowed(phase) <= set(ENDS) and row.allowed(phase) for phase in COLUMNS)


def test_from_clean_up_on_whatever_fails_the_guest_has_moved() -> None:
    assert {row.allowed(phase) for row in FAULTS.values() for phase in COLUMNS[-2:]} == {frozenset({"moved"})}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault at a few steps instead of all."""
    steps = sites()[::60]
    monkeypatch.setattr(doctor_faults, "sites", lambda: steps)


@pytest.mark.usefixtures("few")
def test_doctor_prints_table_and_matrix_and_ends_with_0_when_all_is_as_it_says() -> None:
    run = CliRunner().invoke(cli.app, ["doctor", "--faults"])
    assert run.exit_code == 0
    assert all(f"{name}: {row.words}" in run.output for name, row in FAULTS.items())
    lines = run.output.splitlines()
    head = next(n for n, line in enumerate(lines) if line.split()[:2] == ["Prepare", "Start"])
    assert [line.split()[0] for line in lines[head + 1 : head + 1 + len(FAULTS)]] == list(FAULTS)


@pytest.mark.usefixtures("few")
def test_json_is_one_object_with_the_counts_of_every_cell() -> None:
    run = CliRunner().invoke(cli.app, ["doctor", "--faults", "--json"])
    report = json.loads(run.stdout)
    assert report["good"] is True
    assert report["odd"] == []
    assert list(report["faults"]) == list(FAULTS)
    cells = [cell for row in report["faults"].values() for cell in row["cells"].values()]
    assert sum(sum(cell.values()) for cell in cells) == report["runs"] > 0


def test_a_cell_that_is_not_as_its_row_says_is_named_and_makes_the_status_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tally = Tally()
    tally.ends["cancel", "State", "stayed"] += 1
    tally.odd.append(("cancel@7", "it ended stayed in State"))
    monkeypatch.setattr(doctor_faults, "examine", lambda: tally)
    run = CliRunner().invoke(cli.app, ["doctor", "--faults"])
    assert run.exit_code == 1
    assert "cancel@7 is not as its row says: it ended stayed in State" in run.output
    run = CliRunner().invoke(cli.app, ["doctor", "--faults", "--json"])
    assert run.exit_code == 1
    assert json.loads(run.stdout)["odd"] == [{"fault": "cancel@7", "why": "it ended stayed in State"}]


def test_a_run_that_ends_otherwise_than_its_row_says_is_odd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "cancel", FAULTS["media-error"])
    first = sites()[0]
    assert try_fault("cancel", [first]).odd == [(f"cancel@{first}", "it ended stayed in Prepare")]


def test_on_one_core_and_on_two_the_matrix_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = sites()[::100]
    monkeypatch.setattr(doctor_faults, "sites", lambda: steps)
    one, two = doctor_faults.examine(1), doctor_faults.examine(2)
    assert one.ends == two.ends
    assert one.odd == two.odd == []
