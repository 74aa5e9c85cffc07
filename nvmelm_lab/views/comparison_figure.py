"""Latency over time as a plotly figure: a panel for each method, a sign for each I/O of the guest.

An I/O stands where it was submitted, as high as it took; both scales are the same in all panels.  The migration has a
ground of its own, and in it a dark bar is the time that the VM stood still.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from nvmelm_lab.runs import Outcome, Wait
from nvmelm_lab.views.axes import Linear, Log, across, below, beside, log_scale
from nvmelm_lab.views.comparison import Way, comparison_text, facts, findings, ways
from nvmelm_lab.views.figures import LINE, Figure, Said, Trace, colours, figure, hover, points, texts
from nvmelm_lab.views.palette import COPYING, EDGE, LOOKS, MAPPED, Colours
from nvmelm_lab.views.text import grouped, short_duration

WIDTH, LEFT, RIGHT = 840, 66, 584
PANEL, BETWEEN = 112, 34
SIGN: Final = 7
FINE: Final = 3
"""Signs that are closer than so many px to each other are drawn once."""


def comparison(outcomes: Sequence[Outcome], *, theme: str = "light") -> Figure:
    """What each I/O of the guest waited in observed runs, a panel a run, 840 px wide.

    InputError for another theme, or a run that was not observed, had no clock or an idle guest.
    """
    page, found = colours(theme), ways(outcomes)
    told = findings(found)
    top = 26 + len(told) * LINE + 24
    last = max(wait.at_ns for way in found for wait in way.observed.waits)
    time = Linear(
        min(0, *(-way.begin_ns for way in found)),
        max(max(way.end_ns, last) - way.begin_ns for way in found),
        LEFT,
        RIGHT,
    )
    said: list[Said] = [
        (8, 12, "<b>What each I/O of the guest waited</b>", "middle right", page["fg"]),
        *((8, 12 + (n + 1) * LINE, words, "middle right", page["fg"]) for n, words in enumerate(told)),
    ]
    traces: list[Trace] = []
    for number, way in enumerate(found):
        start = top + number * (PANEL + BETWEEN)
        waits = log_scale([wait.ns for each in found for wait in each.observed.waits], start + PANEL, start)
        traces += [
            *_grounds(way, time, start, page),
            across([waits.at(n) for n in waits.ticks()], LEFT, RIGHT),
        ]
        traces += _signs(way, time, waits, page)
        said += [*_texts(way, waits, start, page)]
    end = top + len(found) * (PANEL + BETWEEN) - BETWEEN
    ticks = [n * 1_000_000 for n in Linear(time.low / 1e6, time.high / 1e6, 0, 1).ticks(9)]
    said += below(ticks, time.at, end + 6, lambda ns: f"{ns // 1_000_000}", page["muted"])
    said.append((RIGHT + 12, end + 18, "ms from the begin of the migration", "middle right", page["muted"]))
    said += _legend(end + 46, page)
    traces += [_legend_signs(end + 46, page), texts(said)]
    return figure(traces, comparison_text(outcomes), page, WIDTH, end + 64)


def _rectangle(left: float, top: float, right: float, bottom: float, fill: str, line: str) -> Trace:
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return points(corners, "lines", fill="toself", fillcolor=fill, line={"color": line, "width": 1})


def _grounds(way: Way, time: Linear, top: float, page: Colours) -> Iterator[Trace]:
    yield _rectangle(
        time.at(0), top, time.at(way.end_ns - way.begin_ns), top + PANEL, page["panel"], page["muted"]
    )
    if way.observed.downtime:
        begin, end = (
            time.at(ns - way.begin_ns)
            for ns in (way.observed.downtime[0].start_ns, way.observed.downtime[-1].end_ns)
        )
        yield _rectangle(begin, top, max(end, begin + 2), top + PANEL, EDGE, EDGE)


def _signs(way: Way, time: Linear, waits: Log, page: Colours) -> Iterator[Trace]:
    for kind in _LOOKS:
        kept: dict[tuple[int, int], Wait] = {}
        for wait in way.observed.waits:
            if wait.kind == kind:
                x, y = time.at(wait.at_ns - way.begin_ns), waits.at(wait.ns)
                kept.setdefault((int(x) // FINE, int(y) // FINE), wait)
        places = [
            (round(time.at(wait.at_ns - way.begin_ns), 1), round(waits.at(wait.ns), 1))
            for wait in kept.values()
        ]
        yield points(
            places,
            "markers",
            marker=_look(kind, SIGN),
            **hover([_told(wait, way) for wait in kept.values()]),
        )


_LOOKS: Final = {"read": ("circle", COPYING), "write": ("diamond", MAPPED)}
_OUTLINES: Final = {fill: line for fill, line, _ in LOOKS}


def _look(kind: str, size: float) -> dict[str, Any]:
    symbol, fill = _LOOKS[kind]
    line = {"color": _OUTLINES[fill], "width": 1}
    return {"symbol": symbol, "color": fill, "size": size, "opacity": 1, "line": line}


def _told(wait: Wait, way: Way) -> str:
    """Short, for there are many."""
    what = "Read" if wait.kind == "read" else "Write"
    since = wait.at_ns - way.begin_ns
    return f"{what} at {'−' * (since < 0)}{short_duration(abs(since))}: {short_duration(wait.ns)}"


def _texts(way: Way, waits: Log, top: float, page: Colours) -> Iterator[Said]:
    yield LEFT, top - 10, f"<b>{way.name}</b>", "middle right", page["fg"]
    yield from beside(waits.ticks(), waits.at, LEFT, _power, page["muted"])
    for number, line in enumerate(facts(way)):
        yield RIGHT + 12, top + 12 + number * LINE, line, "middle right", page["fg"]


def _power(ns: int) -> str:
    power = min((len(str(ns)) - 1) // 3, 3)
    return f"{grouped(ns // 1000**power)} {('ns', 'µs', 'ms', 's')[power]}"


def _legend(y: float, page: Colours) -> Iterator[Said]:
    words = ("a Read", "a Write, Deallocate, ...", "the migration", "the VM stands still")
    for x, meaning in zip(_LEGEND, words, strict=True):
        yield x + 14, y, meaning, "middle right", page["fg"]


_LEGEND: Final = (LEFT + 6, LEFT + 86, LEFT + 266, LEFT + 386)


def _legend_signs(y: float, page: Colours) -> Trace:
    kinds = [_look("read", 9), _look("write", 9)]
    return points(
        [(x, y) for x in _LEGEND],
        "markers",
        marker={
            "symbol": [*(each["symbol"] for each in kinds), "square", "square"],
            "color": [*(each["color"] for each in kinds), page["panel"], EDGE],
            "size": [9, 9, 13, 13],
            "opacity": 1,
            "line": {"color": [*(each["line"]["color"] for each in kinds), page["muted"], EDGE], "width": 1},
        },
    )
