"""Convergence as a plotly figure: what each copy brought over, what changed meanwhile, and the stop rule.

Above, LBAs: a disc for what a copy brought over, then a diamond for what had changed meanwhile, the next copy's work.
Below, how long each took, with the downtime budget as a line: the first round below it is the last.  Both scales are
logarithmic, for copies shrink by factors; what is zero stands on the floor.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil, floor, log10
from textwrap import wrap
from typing import Any, Final

from nvmelm_lab.runs import Outcome
from nvmelm_lab.views.copies import Copy, convergence_text, copies, findings, told
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
from nvmelm_lab.views.palette import CHANGED, COPYING, EDGE, EQUAL, LOOKS, Colours
from nvmelm_lab.views.text import UNITS, duration, grouped, short_duration

WIDTH, LEFT, RIGHT = 840, 70, 664
"""Of the page, and where the panels begin and end; to the right of them stands what the signs mean."""

HEAD, PANEL, BETWEEN, FOOT = 16, 140, 40, 48
WIDE_CHAR: Final = 7
"""Px of a character in a wide typeface."""

NAME_WIDTH: Final = 46
"""Px for the name of a copy."""

MARK: Final = 12
"""Px across a mark, where there is room."""

OUTLINES: Final = {fill: line for fill, line, _ in LOOKS}


@dataclass(frozen=True, slots=True)
class _Panel:
    """A logarithmic scale from 10 to the `low` to 10 to the `high`, from `bottom` up to `top`; 0 is on the floor."""

    top: float
    bottom: float
    low: int
    high: int

    def at(self, value: float) -> float:
        """The height of a value on the page."""
        if value <= 0:
            return self.bottom
        return (
            self.bottom
            - 18
            - (log10(value) - self.low) / (self.high - self.low) * (self.bottom - self.top - 36)
        )


def _panel(top: float, values: Sequence[int]) -> _Panel:
    seen = [log10(value) for value in values if value > 0] or [0]
    low = floor(min(seen))
    return _Panel(top, top + PANEL, low, max(low + 1, ceil(max(seen))))


def convergence(outcome: Outcome, *, theme: str = "light") -> Figure:
    """What came of a run, copy by copy, 840 px wide; `theme` as for `topology`.

    InputError for another theme.
    """
    page, made, budget = colours(theme), copies(outcome), outcome.run.downtime_budget_ns
    whether, cost = (wrap(plain(sentence), LINE_CHARS) for sentence in findings(outcome))
    lines = [*(f"<b>{line}</b>" for line in whether), *cost]
    blocks = _panel(
        HEAD + len(lines) * LINE + BETWEEN, [n for copy in made for n in (copy.blocks, copy.left)]
    )
    times = _panel(blocks.bottom + BETWEEN, [*(copy.ns for copy in made), budget])
    said = [
        *((8, HEAD + n * LINE, line, "middle right", page["fg"]) for n, line in enumerate(lines)),
        *_scale(blocks, "LBAs", grouped, page),
        *_scale(times, "Time", _round_time, page),
        *_columns(made, times.bottom + 8, page),
        *_meanings(blocks, times, budget, page),
        *_values(made, blocks, times, budget, page),
    ]
    traces = [
        _grid([blocks, times]),
        _signs(blocks, times, budget, page),
        points([(LEFT, times.at(budget)), (RIGHT, times.at(budget))], "lines", line=_dashed(page)),
        *_blocks(made, blocks),
        _times(made, times, budget, page),
        texts(said),
    ]
    return figure(traces, convergence_text(outcome), page, WIDTH, times.bottom + FOOT)


# --- scales --------------------------------------------------------------------------------------------------


def _pitch(made: Sequence[Copy]) -> float:
    return (RIGHT - LEFT) / max(1, len(made))


def _x(made: Sequence[Copy], number: float) -> float:
    return LEFT + (number + 0.5) * _pitch(made)


def _round_time(ns: int) -> str:
    """A power of ten in ns: ``10 µs``."""
    power = min(len(str(ns)) - 1, 9) // 3
    return f"{grouped(ns // 1000**power)} {UNITS[power]}"


def _decades(panel: _Panel) -> list[int]:
    step = 1 + (panel.high - panel.low) // 5
    return [10**power for power in range(panel.low, panel.high + 1, step)]


def _grid(panels: Sequence[_Panel]) -> Trace:
    """A line at each power of ten, and the floor."""
    heights = [y for panel in panels for y in (*map(panel.at, _decades(panel)), panel.bottom)]
    # A gap where there is no number: so one trace holds many lines.
    lines = [place for y in heights for place in ((LEFT, y), (RIGHT, y), (None, None))]
    return points(lines, "lines", line={"color": EDGE, "width": 0.5})


def _scale(panel: _Panel, title: str, words: Callable[[int], str], page: Colours) -> Iterator[Said]:
    yield 8, panel.top - 12, f"<b>{title}</b>, logarithmic", "middle right", page["muted"]
    yield LEFT - 8, panel.bottom, "0", "middle left", page["muted"]
    for value in _decades(panel):
        yield LEFT - 8, panel.at(value), words(value), "middle left", page["muted"]


def _columns(made: Sequence[Copy], y: float, page: Colours) -> Iterator[Said]:
    """The names of the copies; of many rounds, as many as there is room for."""
    every, last = ceil(NAME_WIDTH / _pitch(made)), len(made) - 1
    for number, copy in enumerate(made):
        if number in (0, last) or (number % every == 0 and number + every <= last):
            yield _x(made, number), y, copy.name.replace(" ", "<br>"), "bottom center", page["fg"]


# --- copies --------------------------------------------------------------------------------------------------


def _blocks(made: Sequence[Copy], panel: _Panel) -> Iterator[Trace]:
    done = [(_x(made, n), panel.at(copy.blocks)) for n, copy in enumerate(made)]
    left = [(_x(made, n + 0.5), panel.at(copy.left)) for n, copy in enumerate(made) if copy.left >= 0]
    way = [place for pair in zip_longest(done, left) for place in pair if place is not None]
    yield points(way, "lines", line={"color": EDGE, "width": 1})
    words, size = hover([told(copy) for copy in made]), _size(made)
    yield points(left, "markers", marker=_mark("diamond", CHANGED, size), **words)
    yield points(done, "markers", marker=_mark("circle", COPYING, size), **words)


def _times(made: Sequence[Copy], panel: _Panel, budget: int, page: Colours) -> Trace:
    timed = [(n, copy) for n, copy in enumerate(made) if copy.ns >= 0]
    good = [copy.ns <= budget for _, copy in timed]
    marker = {
        **_mark("square", EQUAL, _size(made)),
        "color": [EQUAL if one else page["bg"] for one in good],
        "line": {"color": [OUTLINES[EQUAL] if one else page["fg"] for one in good], "width": 1.5},
    }
    places = [(_x(made, n), panel.at(copy.ns)) for n, copy in timed]
    return points(places, "markers", marker=marker, **hover([told(copy) for _, copy in timed]))


def _values(
    made: Sequence[Copy], blocks: _Panel, times: _Panel, budget: int, page: Colours
) -> Iterator[Said]:
    """The values above the marks, where there is room for them; below them where a line goes up or across."""
    told_blocks = [grouped(copy.blocks) for copy in made]
    if _fit(told_blocks, made):
        for n, copy in enumerate(made):
            aside = 16 if copy.left > copy.blocks else -16
            yield _x(made, n), blocks.at(copy.blocks) + aside, told_blocks[n], "middle center", page["fg"]
    told_times = [short_duration(copy.ns) if copy.ns >= 0 else "" for copy in made]
    if _fit(told_times, made):
        for n, copy in enumerate(made):
            y = times.at(copy.ns) - 16
            aside = 32 if abs(y - times.at(budget)) < 10 else 0
            yield _x(made, n), y + aside, told_times[n], "middle center", page["fg"]


def _fit(words: Sequence[str], made: Sequence[Copy]) -> bool:
    return max(map(len, words), default=0) * WIDE_CHAR <= _pitch(made)


# --- what the signs mean -------------------------------------------------------------------------------------


def _mark(symbol: str, fill: str, size: float) -> dict[str, Any]:
    line = {"color": OUTLINES[fill], "width": 1.5}
    return {"symbol": symbol, "color": fill, "size": size, "opacity": 1, "line": line}


def _size(made: Sequence[Copy]) -> float:
    """Of a mark; many copies stand close together."""
    return max(4, min(MARK, _pitch(made) * 0.6))


def _dashed(page: Colours) -> dict[str, Any]:
    return {"color": page["accent"], "width": 2, "dash": "dash"}


def _signs(blocks: _Panel, times: _Panel, budget: int, page: Colours) -> Trace:
    places = _sign_places(blocks, times, budget)
    symbols = ("circle", "diamond", "square", "square")
    fills = (COPYING, CHANGED, EQUAL, page["bg"])
    outlines = [OUTLINES.get(fill, page["fg"]) for fill in fills]
    marker = {
        "symbol": symbols,
        "color": fills,
        "size": MARK,
        "opacity": 1,
        "line": {"color": outlines, "width": 1.5},
    }
    return points(places, "markers", marker=marker)


def _meanings(blocks: _Panel, times: _Panel, budget: int, page: Colours) -> Iterator[Said]:
    words = ("LBAs copied", "changed meanwhile", "within the budget", "longer")
    for (x, y), meaning in zip(_sign_places(blocks, times, budget), words, strict=True):
        yield x + 12, y, meaning, "middle right", page["fg"]
    yield RIGHT + 4, times.at(budget), f"<b>budget {duration(budget)}</b>", "middle right", page["accent"]


def _sign_places(blocks: _Panel, times: _Panel, budget: int) -> list[tuple[float, float]]:
    """Beside the panels; below the budget's name where that stands high."""
    first = times.bottom - 8 - LINE if times.at(budget) < (times.top + times.bottom) / 2 else times.top + 8
    heights = (blocks.top + 8, blocks.top + 8 + LINE, first, first + LINE)
    return [(RIGHT + 16, y) for y in heights]
