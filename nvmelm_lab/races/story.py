"""An explanation as text: one line a step in lanes, at most 80 columns, and below it what broke and why.

The text says all that the figure and the player show of an explanation.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from nvmelm_lab.races.explain import Explanation, Race, Step

WIDTH: Final = 80


def story(told: Explanation) -> str:
    """The explanation as lines of text."""
    return "\n".join((*_head(told), "", *_lanes(told), "", *_facts(told)))


def _head(told: Explanation) -> Iterator[str]:
    yield from _wrapped(f"Broken: {told.broken}. {told.promise}", 8)
    yield from _wrapped(f"Setting: {told.setting}", 9)


# -- lanes -------------------------------------------------------------------------------------------------


def _lanes(told: Explanation) -> Iterator[str]:
    races = _marks(told.races)
    margin = max(map(len, races.values()), default=0)
    lanes = [_SHORT.get(lane, lane.removeprefix("Ctlr ")) for lane in told.lanes]
    yield f"{'':{margin + 4}}{' '.join(lanes)}"
    for number, step in enumerate(told.steps, 1):
        marks = _row(lanes, step.lane)
        head = f"{races.get(number, ''):>{margin}} {number:>2} {marks}  "
        text = _told(step, WIDTH - len(head))
        yield head + text[0]
        blank = f"{'':{margin + 4}}{_row(lanes, -1)}  "
        yield from (blank + more for more in text[1:])


def _row(lanes: Sequence[str], lane: int) -> str:
    """A mark in the lane of who acts."""
    return " ".join(f"{'●' if at == lane else '·':^{len(name)}}" for at, name in enumerate(lanes))


def _told(step: Step, room: int) -> list[str]:
    """A step in words, with its note if there is room for it."""
    text = f"{step.who} {step.text}"
    whole = f"{text}: {step.note}" if step.note else text
    return [whole] if len(whole) <= room else textwrap.wrap(text, room)


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
    if told.why:
        yield from _wrapped("Why: " + " ".join(f"{why[:1].upper()}{why[1:]}." for why in told.why), 2)
    for race in told.races:
        yield from _wrapped(_race(race), 2)
    yield from _wrapped(told.freedoms, 2)
    if told.advice:
        yield from _wrapped(f"What to change: {told.advice}", 2)
    yield f"Replay: nvmelm races find --token {told.token}"


def _race(race: Race) -> str:
    steps = f"steps {race.first} and {race.second}" if race.second else f"step {race.first}"
    return f"Race {race.name}: {steps}, for {race.about}. {race.text}"


def _wrapped(text: str, indent: int) -> list[str]:
    lead = len(text) - len(text.lstrip())
    return textwrap.wrap(
        text.strip(), WIDTH, initial_indent=" " * lead, subsequent_indent=" " * indent, break_long_words=False
    )
