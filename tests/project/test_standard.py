"""docs/standard.md against the code: its tables have a row for all that there is, and the tests that it names exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import LAYOUTS, AdminOpcode, IoOpcode, Property, Status
from nvmelm_lab.nvme.codes import FunctionRegister
from nvmelm_lab.ssd import FREEDOMS, admin, io_commands
from tests.races.test_freedoms import CASES
from tests.ssd.door import Bench, raw, ready

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "standard.md"
TESTS = [(path.name, path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*.py")]

QUESTIONS = 23
"""Open questions of the standard that the fact sheet lists."""


def sections() -> dict[str, list[list[str]]]:
    """Of each section of the page that has a table, the cells of its rows below the heading."""
    found: dict[str, list[list[str]]] = {}
    for part in PAGE.read_text("utf-8").split("\n## ")[1:]:
        title, _, text = part.partition("\n")
        rows = [line for line in text.splitlines() if line.startswith("|")]
        if rows:
            found[title] = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]
    return found


SECTIONS = sections()


def numbered(section: str) -> dict[int, list[str]]:
    """The rows of a table whose first column is a hexadecimal number such as ``3Dh``."""
    rows = {int(row[0].removesuffix("h"), 16): row for row in SECTIONS[section]}
    assert len(rows) == len(SECTIONS[section]), f"{section}: two rows have one number"
    return rows


def differences(section: str, there: dict[int, str]) -> list[str]:
    """What to do to the table, in words."""
    rows = numbered(section)
    missing = [
        f"docs/standard.md, {section}: there is no row for {number:02X}h {name}; add '| {number:02X}h | {name} | ...'"
        for number, name in there.items()
        if number not in rows
    ]
    left = [
        f"docs/standard.md, {section}: row {number:02X}h {row[1]} tells of nothing; take it out"
        for number, row in rows.items()
        if number not in there
    ]
    return missing + left


def test_each_admin_command_has_a_row() -> None:
    assert differences("Admin commands", {n: AdminOpcode(n).meaning for n in admin.HANDLERS}) == []


def test_each_io_command_has_a_row() -> None:
    assert differences("I/O commands", {n: IoOpcode(n).meaning for n in io_commands.HANDLERS}) == []


def test_each_property_has_a_row() -> None:
    assert differences("Properties", {int(each): each.name for each in Property}) == []
    assert {int(each): each.name for each in Property} == {
        n: row[1] for n, row in numbered("Properties").items()
    }


def test_each_register_of_the_configuration_space_has_a_row() -> None:
    registers = {int(each): each.name for each in FunctionRegister}
    assert differences("Configuration space", registers) == []
    assert {n: row[1] for n, row in numbered("Configuration space").items()} == registers


def answered(bench: Bench, sqes: Iterable[tuple[int, bytes]], unknown: Status) -> dict[int, str]:
    """The numbers of which the MMC does not say that it knows them not."""
    found = {}
    for number, sqe in sqes:
        if bench.x.admin.status(sqe) != unknown:
            found[number] = ""
    return found


def test_each_identify_page_has_a_row() -> None:
    bench = ready()
    address = bench.x.take()
    sqes = ((cns, raw(0x06, nsid=1, prp1=address, cdw10=cns)) for cns in range(0x100))
    assert differences("Identify", answered(bench, sqes, Status.INVALID_FIELD)) == []


def test_each_feature_has_a_row() -> None:
    bench = ready()
    address = bench.x.take()
    sqes = ((fid, raw(0x0A, prp1=address, cdw10=fid)) for fid in range(0x100))
    assert differences("Features", answered(bench, sqes, Status.INVALID_FIELD)) == []


def test_each_log_page_has_a_row() -> None:
    bench = ready()
    address = bench.x.take(PAGE_BYTES)
    sqes = ((lid, raw(0x02, prp1=address, cdw10=7 << 16 | lid)) for lid in range(0x100))
    assert differences("Log pages", answered(bench, sqes, Status.INVALID_LOG_PAGE)) == []


@pytest.mark.parametrize(
    ("section", "number", "name"),
    [
        *(("Admin commands", number, AdminOpcode(number).meaning) for number in admin.HANDLERS),
        *(("I/O commands", number, IoOpcode(number).meaning) for number in io_commands.HANDLERS),
    ],
)
def test_a_command_is_named_and_placed_as_its_layout_has_it(section: str, number: int, name: str) -> None:
    row = numbered(section).get(number)
    assert row is not None, f"{name} has no row"
    assert row[1] == name
    places = {
        each.source.replace("Base 2.1, ", "Base ").replace("NVM Command Set 1.2, ", "NVM ")
        for title, layout in LAYOUTS.items()
        if title.partition(",")[0] == f"SQE {name}"
        for each in layout.fields
    } - {"Base 4.1.1"}
    follows = row[2].split("; ")
    assert any(place == follow or place.startswith(f"{follow}.") for place in places for follow in follows), (
        places
    )


# -- freedoms and open questions ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(len(FREEDOMS)))
def test_each_freedom_has_its_row(number: int) -> None:
    freedom = FREEDOMS[number]
    (case,) = [case for case in CASES if case.freedom == freedom.name]
    wanted = [
        str(freedom.number),
        f"`{freedom.name}`",
        freedom.scope,
        freedom.question,
        "; ".join(freedom.options),
        freedom.source,
        case.option,
        f"`{case.verdict.__name__}`",
    ]
    rows = SECTIONS["Freedoms"]
    assert len(rows) > number, f"docs/standard.md, Freedoms: add '| {' | '.join(wanted)} |'"
    assert rows[number] == wanted, f"docs/standard.md, Freedoms: write '| {' | '.join(wanted)} |'"


def test_there_is_no_freedom_more_in_the_table() -> None:
    assert len(SECTIONS["Freedoms"]) == len(FREEDOMS)


def test_every_open_question_has_a_row_with_an_answer_and_a_reason() -> None:
    rows = SECTIONS["The standard's open questions"]
    assert [row[0] for row in rows] == [str(number) for number in range(1, QUESTIONS + 1)]
    names = {f"`{freedom.name}`" for freedom in FREEDOMS} | {"-"}
    for row in rows:
        assert len(row) == 6
        assert all(row), f"question {row[0]} has an empty cell"
        assert row[4] in names, f"question {row[0]} names a freedom that there is not: {row[4]}"


# -- tests that are named ----------------------------------------------------------------------------------

NAMED = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE.read_text("utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[f"{file}::{name}" for file, name in NAMED])
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    texts = [text for each, text in TESTS if each == file]
    there = any(f"\ndef {name}(" in text for text in texts)
    assert there, f"docs/standard.md names {file}::{name}, which is not there"


@pytest.mark.parametrize("section", [title for title in SECTIONS if title != "Freedoms"])
def test_each_row_names_a_test(section: str) -> None:
    for row in SECTIONS[section]:
        assert any("`test_" in cell for cell in row), f"{section}, {row[0]} {row[1]}: no test holds it"
