"""Why a run fails, as a picture: a row for each step in the lane of who took it, with whose step led to it; the races
that decide as lettered pairs; and what the guest was promised of an LBA beside what is found there.

Its text twin is the story (`races/story.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from textwrap import wrap
from typing import Final

from nvmelm_lab.races.explain import Explanation, Race
from nvmelm_lab.races.story import story
from nvmelm_lab.views.figures import (
    LINE,
    LINE_CHARS,
    Figure,
    Said,
    Trace,
    colours,
    figure,
    hover,
    plain,
    points,
    texts,
)
from nvmelm_lab.views.palette import EDGE, EQUAL, LOST, MAPPED, Colours

WIDTH: Final = 840
MARGIN: Final = 14
RACES_LEFT: Final = 24
RACE_PITCH: Final = 24
LANE_PITCH: Final = 44
STRIP_LEFT: Final = 706
STRIP_PITCH: Final = 60
STRIP_WIDE: Final = 22
HEADING: Final = 40
"""Px for the names of lanes, in two lines."""
TEXT_LINE: Final = 16
MARK: Final = 13
BADGE: Final = 20
_ARROWS: Final = "An arrow comes from whoever's step led to the one that it points at."


def explanation_figure(told: Explanation, causes: Sequence[int] = (), theme: str = "light") -> Figure:
    """The picture of an explanation.

    causes
        For each of its steps the number (from 1) of the step that led to it, 0 for none; without them there are no
        arrows.  `views/causes.py` finds them.
    theme
        ``light`` or ``dark``.  InputError for another one.
    """
    page = colours(theme)
    place = _Places(told, arrows=any(causes))
    traces = [
        *_heading(told, place, page),
        *_lanes(told, place, page),
        *_arrows(told, causes, place, page),
        *_steps(told, place, page),
        *_races(told, place, page),
        *_strip(told, place, page),
        *_facts(told, place, page),
    ]
    return figure(traces, story(told), page, WIDTH, place.height)


# --- places ----------------------------------------------------------------------------------------------------


class _Places:
    """Where things stand, in px."""

    def __init__(self, told: Explanation, *, arrows: bool) -> None:
        self.races = told.races
        self.head = [*_wrapped(f"{told.sentence}.", LINE_CHARS), *_wrapped(told.setting, LINE_CHARS)]
        self.numbers = RACES_LEFT + RACE_PITCH * len(told.races) + 12
        self.lanes = self.numbers + 30
        self.text = self.lanes + LANE_PITCH * len(told.lanes) - 8
        self.end = STRIP_LEFT - 24 if told.block is not None else WIDTH - MARGIN
        # In a wide typeface; what is bold takes more.
        self.racing = {step for race in told.races for step in (race.first, race.second)}
        room = self.end - self.text
        self.lines = [
            _wrapped(f"{step.who} {step.text}", int(room / (8 if number in self.racing else 7.1)))
            for number, step in enumerate(told.steps, 1)
        ]
        self.top = 34 + LINE * len(self.head) + HEADING
        edges = [0, *accumulate(TEXT_LINE * len(lines) + 8 for lines in self.lines)]
        self.rows = [self.top + (one + other) / 2 for one, other in pairwise(edges)]
        self.edges = [self.top + edge for edge in edges]
        self.facts = [*_fact_lines(told), _ARROWS] if arrows else list(_fact_lines(told))
        self.bottom = self.edges[-1]
        self.height = self.bottom + 22 + LINE * len(self.facts)

    def lane(self, number: int) -> float:
        """The middle of a lane."""
        return self.lanes + number * LANE_PITCH

    def row(self, step: int) -> float:
        """The middle of the row of a step, from 1 on."""
        return self.rows[step - 1]

    def edge(self, step: int) -> float:
        """The upper edge of a step's row; of step 0 that of all rows."""
        return self.edges[max(0, step - 1)]

    def race(self, number: int) -> float:
        """The middle of a race's column."""
        return RACES_LEFT + number * RACE_PITCH


def _wrapped(words: str, chars: int) -> list[str]:
    return wrap(words, chars) or [""]


# --- what is drawn ---------------------------------------------------------------------------------------------


def _heading(told: Explanation, place: _Places, page: Colours) -> Iterator[Trace]:
    said: list[Said] = [(MARGIN, 18, f"<b>Broken: {plain(told.broken)}</b>", "middle right", page["fg"])]
    for n, line in enumerate(place.head):
        said.append((MARGIN, 38 + LINE * n, plain(line), "middle right", page["fg" if not n else "muted"]))
    for number, name in enumerate(told.lanes):
        words = plain(name).replace(" ", "<br>", 1)
        said.append((place.lane(number), place.top - 22, words, "middle center", page["fg"]))
    yield texts(said)


def _lanes(told: Explanation, place: _Places, page: Colours) -> Iterator[Trace]:
    lines: list[tuple[float | None, float | None]] = []
    for number in range(len(told.lanes)):
        x = place.lane(number)
        lines += [(x, place.top), (x, place.bottom), (None, None)]
    yield points(lines, "lines", line={"color": EDGE, "width": 1})
    for race in told.races:
        for step in (race.first, race.second):
            if step:
                yield _band(place, step, page)


def _band(place: _Places, step: int, page: Colours) -> Trace:
    """The ground of a row that has part in a race."""
    top, bottom = place.edges[step - 1] + 1, place.edges[step] - 1
    left, right = RACES_LEFT - 12, place.end + 8
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return points(corners, "lines", fill="toself", fillcolor=page["panel"], line={"color": EDGE, "width": 1})


def _arrows(told: Explanation, causes: Sequence[int], place: _Places, page: Colours) -> Iterator[Trace]:
    """From the lane of the step that led to it to the step itself, along its row."""
    for number, (step, cause) in enumerate(zip(told.steps, causes, strict=False), 1):
        if not cause or told.steps[cause - 1].lane == step.lane:
            continue
        y, start, end = place.row(number), place.lane(told.steps[cause - 1].lane), place.lane(step.lane)
        tip = end - (MARK / 2 + 2 if end > start else -MARK / 2 - 2)
        yield points(
            [(start, y), (tip, y)],
            "lines+markers",
            line={"color": page["muted"], "width": 1.5},
            marker={
                "symbol": ["circle", "arrow"],
                "size": [5, 10],
                "color": page["muted"],
                "angleref": "previous",
            },
        )


def _steps(told: Explanation, place: _Places, page: Colours) -> Iterator[Trace]:
    racing = place.racing
    numbered = list(enumerate(told.steps, 1))
    yield points(
        [(place.lane(step.lane), place.row(number)) for number, step in numbered],
        "markers",
        marker={
            "symbol": "square",
            "size": MARK,
            "color": [page["accent" if number in racing else "muted"] for number, _ in numbered],
            "line": {"color": page["fg"], "width": 1},
        },
        **hover([f"Step {number}: {step.who} {step.text}" for number, step in numbered]),
    )
    said = [
        (place.numbers + 8, place.row(number), str(number), "middle left", page["muted"])
        for number, _ in numbered
    ]
    for number, lines in enumerate(place.lines, 1):
        words = "<br>".join(plain(line) for line in lines)
        words = f"<b>{words}</b>".replace("<br>", "</b><br><b>") if number in racing else words
        said.append((place.text, place.row(number), words, "middle right", page["fg"]))
    yield texts(said)


def _races(told: Explanation, place: _Places, page: Colours) -> Iterator[Trace]:
    """Each race as its letter at both of its steps, and a line between them."""
    said = []
    for number, race in enumerate(told.races):
        x = place.race(number)
        ends = [(x, place.row(step)) for step in (race.first, race.second) if step]
        if len(ends) > 1:
            yield points(ends, "lines", line={"color": page["accent"], "width": 2})
        yield points(
            ends,
            "markers",
            marker={"symbol": "circle", "size": BADGE, "color": page["accent"]},
            **hover([_race_line(race)] * len(ends)),
        )
        said += [(x, y, f"<b>{race.name}</b>", "middle center", page["on"]) for x, y in ends]
    if said:
        yield texts(said)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of the strip: its column, from where to where, its colour and what is beside it."""

    column: int
    top: float
    bottom: float
    colour: str
    words: str


def _pieces(told: Explanation, place: _Places) -> Iterator[_Piece]:
    """What the guest was promised, and what is found, from step to step."""
    assert told.block is not None
    promised, found = told.block.promised, told.block.found
    names = [version.name.partition(",")[0] for version in (promised, found)]
    since = place.edge(promised.step)
    yield _Piece(0, since, place.bottom, MAPPED, names[0])
    if found.step < promised.step:
        yield _Piece(1, place.edge(found.step), since, EQUAL, f"{names[1]} ✓")
    yield _Piece(1, max(since, place.edge(found.step)), place.bottom, LOST, f"{names[1]} ✗")


def _strip(told: Explanation, place: _Places, page: Colours) -> Iterator[Trace]:
    if told.block is None:
        return
    said: list[Said] = [
        (_column(0) + 15, place.top - 30, f"<b>LBA {told.block.lba}</b>", "middle center", page["fg"]),
        (_column(0) - 8, place.top - 12, "promised", "middle center", page["fg"]),
        (_column(1) - 2, place.top - 12, "found", "middle center", page["fg"]),
    ]
    for column in (0, 1):
        yield _bar(_column(column), place.top, place.bottom, page["bg"], EDGE)
    for piece in _pieces(told, place):
        x = _column(piece.column)
        yield _bar(x, piece.top, piece.bottom, piece.colour, page["fg"])
        beside = x + STRIP_WIDE / 2 + 3
        said.append((beside, piece.top + 10, piece.words, "middle right", page["fg"]))
    yield texts(said)


def _column(number: int) -> float:
    return STRIP_LEFT + STRIP_WIDE / 2 + number * STRIP_PITCH


def _bar(x: float, top: float, bottom: float, fill: str, line: str) -> Trace:
    left, right = x - STRIP_WIDE / 2, x + STRIP_WIDE / 2
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return points(corners, "lines", fill="toself", fillcolor=fill, line={"color": line, "width": 1})


def _facts(told: Explanation, place: _Places, page: Colours) -> Iterator[Trace]:
    yield texts(
        [
            (MARGIN, place.bottom + 20 + LINE * n, plain(line), "middle right", page["fg"])
            for n, line in enumerate(place.facts)
        ]
    )


def _fact_lines(told: Explanation) -> Iterator[str]:
    for race in told.races:
        yield from _wrapped(_race_line(race), LINE_CHARS)
    if told.block is not None:
        for role, version in (("Promised", told.block.promised), ("Found", told.block.found)):
            step = f", step {version.step}" if version.step else ""
            yield from _wrapped(f"{role}: {version.name} ({version.writer}{step})", LINE_CHARS)
    if told.entry:
        yield from _wrapped(f"Its entry in the Migration Queue: {told.entry}.", LINE_CHARS)
    if told.advice:
        yield from _wrapped(f"What to change: {told.advice}", LINE_CHARS)


def _race_line(race: Race) -> str:
    steps = f"steps {race.first} and {race.second}" if race.second else f"step {race.first}"
    return f"{race.name}, {steps}, about {race.about}: {race.text}"
