"""An explanation as text: one line a step in lanes, at most 80 columns, and below it what broke and why.

The text says all that the figure and the player show of an explanation.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from nvmelm_lab.races.explain import Explanation, Race

WIDTH: Final = 80

_LANE: Final = 3
"""Columns from one lane to the next."""


def story(told: Explanation) -> str:
    """The explanation as lines of text."""
    return "\n".join((*_head(told), "", *_lanes(told), "", *_facts(told)))


def _head(told: Explanation) -> Iterator[str]:
    yield from _wrapped(f"Broken: {told.broken}. {told.promise}", 8)
    yield from _wrapped(f"Setting: {told.setting}", 9)


# -- lanes -------------------------------------------------------------------------------------------------


def _lanes(told: Explanation) -> Iterator[str]:
    races = _marks(told.races)
    margin = 2 + max(map(len, races.values()), default=0)
    left = margin + 3
    yield from _header(told.lanes, left)
    for number, step in enumerate(told.steps, 1):
        marks = ["·"] * len(told.lanes)
        marks[step.lane] = "●"
        lanes = (" " * (_LANE - 1)).join(marks)
        head = f"{races.get(number, ''):>{margin - 1}} {number:>2} {lanes}  "
        text = textwrap.wrap(f"{step.who} {step.text}", WIDTH - len(head))
        yield head + text[0]
        blank = " " * left + (" " * (_LANE - 1)).join("·" * len(told.lanes)) + "  "
        yield from (blank + more for more in text[1:])


def _header(lanes: Sequence[str], left: int) -> Iterator[str]:
    """The lanes' names, each above its own column, on as few rows as they need."""
    rows: list[str] = []
    for at, name in enumerate(map(_short, lanes)):
        column = left + at * _LANE
        row = next((each for each in range(len(rows)) if len(rows[each]) < column), len(rows))
        if row == len(rows):
            rows.append("")
        rows[row] = f"{rows[row]:<{column}}{name}"
    for row in reversed(range(len(rows))):
        yield rows[row]


def _short(lane: str) -> str:
    return _SHORT.get(lane, lane.removeprefix("Ctlr "))


_SHORT: Final = {"Copy tasks": "Copy"}


def _marks(races: Sequence[Race]) -> dict[int, str]:
    """Number of a step -> the names of the races that it has part in."""
    found: dict[int, str] = {}
    for race in races:
        for step in (race.first, race.second):
            if step:
                found[step] = found.get(step, "") + race.name
    return found


# -- facts -------------------------------------------------------------------------------------------------


def _facts(told: Explanation) -> Iterator[str]:
    yield from _wrapped(f"What broke: {told.sentence}.", 2)
    if told.block is not None:
        for role, version in (("promised", told.block.promised), ("found", told.block.found)):
            step = f", step {version.step}" if version.step else ""
            yield from _wrapped(f"  {role + ':':<9} {version.name} ({version.writer}{step})", 12)
    if told.entry:
        yield from _wrapped(f"Its entry in the Migration Queue: {told.entry}.", 2)
    for number, why in enumerate(told.why):
        yield from _wrapped(f"{'Why: ' if not number else '     '}{why}.", 7)
    for race in told.races:
        yield from _wrapped(_race(race), 2)
    yield from _wrapped(told.freedoms, 2)
    if told.advice:
        yield from _wrapped(f"What to change: {told.advice}", 2)
    yield f"Replay: nvmelm races find --token {told.token}"


def _race(race: Race) -> str:
    steps = f"steps {race.first} and {race.second}" if race.second else f"step {race.first}"
    return f"Race {race.name}, {steps}, about {race.about}: {race.text}"


def _wrapped(text: str, indent: int) -> list[str]:
    lead = len(text) - len(text.lstrip())
    return textwrap.wrap(
        text.strip(), WIDTH, initial_indent=" " * lead, subsequent_indent=" " * indent, break_long_words=False
    )
