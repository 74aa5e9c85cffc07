"""How full the Migration Queue was over a run: slots in use, entries posted and read; as a figure and in words."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import Level, Observations, Outcome, Phase
from nvmelm_lab.views.axes import Linear, across, below, beside, upright
from nvmelm_lab.views.comparison import seen
from nvmelm_lab.views.figures import LINE, Figure, Said, Trace, colours, figure, hover, points, texts
from nvmelm_lab.views.palette import LOOKS, LOST, Colours
from nvmelm_lab.views.text import grouped, short_duration

WIDTH, LEFT, RIGHT = 840, 62, 700
HIGH, LOW, BETWEEN = 150, 110, 44
NAME_WIDTH: Final = 7.2
"""Px of a character of a phase's name."""


def occupancy_text(outcome: Outcome) -> str:
    """The figure's facts in words, with a line for each phase.  InputError as for `occupancy`."""
    found = _seen(outcome)
    lines = _findings(outcome, found)
    for phase in outcome.phases:
        inside = [level for level in found.levels if phase.start_ns <= level.at_ns < phase.end_ns]
        if inside:
            most = max(level.used for level in inside)
            posted, consumed = inside[-1].posted, inside[-1].consumed
            lines.append(
                f"{phase.name}: at most {most} slots in use; "
                f"{grouped(posted)} entries posted, {grouped(consumed)} read by then"
            )
    return "\n".join(lines)


def _seen(outcome: Outcome) -> Observations:
    found = seen(outcome)
    if not found.slots:
        raise InputError(
            f"a migration by the method {outcome.run.method!r} has no Migration Queue; take the method 'ssd'"
        )
    return found


def _findings(outcome: Outcome, found: Observations) -> list[str]:
    most, room = max(level.used for level in found.levels), found.slots - 1
    last = found.levels[-1]
    times = f"{len(found.overflows)} time{'s' * (len(found.overflows) != 1)}"
    full = f"; {times} it was full, and logging stopped" if found.overflows else "; it was never full"
    return [
        f"At most {most} of {room} usable slots of the Migration Queue held an entry ({most * 100 // room} %){full}.",
        f"The SSD posted {grouped(last.posted)} entries, the VMM read {grouped(last.consumed)}.",
    ]


def occupancy(outcome: Outcome, *, theme: str = "light") -> Figure:
    """Slots in use over time, and below entries posted and read, of an observed run, 840 px wide.

    InputError for another theme, or a run that was not observed, had no clock or no Migration Queue.
    """
    page, found = colours(theme), _seen(outcome)
    told = _findings(outcome, found)
    first, last = outcome.phases[0].start_ns, outcome.phases[-1].end_ns
    time = Linear(0, max(1, last - first), LEFT, RIGHT)
    top = 18 + len(told) * LINE + 22
    used = Linear(0, found.slots - 1, top + HIGH, top)
    low = used.start + BETWEEN
    entries = Linear(0, max(1, found.levels[-1].posted), low + LOW, low)
    edges = [time.at(phase.start_ns - first) for phase in outcome.phases[1:]]
    slots, counts, ticks = used.ticks(5), entries.ticks(4), _milliseconds(time)
    lines: Sequence[tuple[Linear, Callable[[Level], int], dict[str, Any]]] = (
        (used, lambda level: level.used, {"color": page["accent"], "width": 2}),
        (entries, lambda level: level.posted, {"color": page["accent"], "width": 2}),
        (entries, lambda level: level.consumed, {"color": page["fg"], "width": 2, "dash": "dash"}),
    )
    said: list[Said] = [
        *((8, 14 + n * LINE, _bold(line, n == 0), "middle right", page["fg"]) for n, line in enumerate(told)),
        (LEFT, top - 12, "<b>Slots in use</b>", "middle right", page["fg"]),
        (LEFT, low - 12, "<b>Entries</b>", "middle right", page["fg"]),
        *beside(slots, used.at, LEFT, str, page["muted"]),
        *beside(counts, entries.at, LEFT, grouped, page["muted"]),
        *below([tick * 1_000 for tick in ticks], time.at, entries.start + 6, _in_ms, page["muted"]),
        (RIGHT + 12, entries.start + 18, "ms", "middle right", page["muted"]),
        (RIGHT + 12, top, f"<b>{found.slots - 1} slots: full</b>", "middle right", page["fg"]),
        (RIGHT + 12, entries.at(found.levels[-1].posted), "<b>— posted</b>", "middle right", page["accent"]),
        (RIGHT + 12, entries.at(found.levels[-1].consumed) + LINE, "- - read", "middle right", page["fg"]),
        *_names(outcome.phases, time, first, used.start + 6, page),
    ]
    traces = [
        across([used.at(n) for n in slots], LEFT, RIGHT),
        across([entries.at(n) for n in counts], LEFT, RIGHT),
        upright(edges, top, entries.start),
        points([(LEFT, top), (RIGHT, top)], "lines", line={"color": page["fg"], "width": 2, "dash": "dash"}),
        *(_steps(found.levels, scale, value, (time, first), look) for scale, value, look in lines),
        *_overflows(found, time, first, top),
        texts(said),
    ]
    return figure(traces, occupancy_text(outcome), page, WIDTH, entries.start + 34)


def _bold(line: str, yes: bool) -> str:
    return f"<b>{line}</b>" if yes else line


def _milliseconds(time: Linear) -> list[int]:
    """Ticks in µs, at most at so many places as there is room for."""
    return Linear(time.low, time.high / 1_000, 0, 1).ticks(9)


def _in_ms(ns: int) -> str:
    return f"{ns / 1_000_000:g}"


def _steps(
    levels: Sequence[Level],
    scale: Linear,
    value: Callable[[Level], int],
    since: tuple[Linear, int],
    look: dict[str, Any],
) -> Trace:
    """A line that stays where it is until the next level; of many within a px, the lowest and the highest count."""
    time, first = since
    columns: dict[int, list[int]] = {}
    for level in levels:
        columns.setdefault(int(time.at(level.at_ns - first)), []).append(value(level))
    way: list[tuple[float, float]] = [(LEFT, scale.at(0))]
    for x, values in columns.items():
        way += [
            (x, way[-1][1]),
            (x, scale.at(max(values))),
            (x, scale.at(min(values))),
            (x, scale.at(values[-1])),
        ]
    way.append((RIGHT, way[-1][1]))
    return points(way, "lines", line=look)


def _overflows(found: Observations, time: Linear, first: int, top: float) -> Iterator[Trace]:
    if found.overflows:
        words = [f"full at {short_duration(at - first)}: logging stopped" for at in found.overflows]
        marker = {"symbol": "diamond", "color": LOST, "size": 11, "opacity": 1}
        outline = next(line for fill, line, _ in LOOKS if fill == LOST)
        places = [(time.at(at - first), top) for at in found.overflows]
        yield points(
            places, "markers", marker={**marker, "line": {"color": outline, "width": 1.5}}, **hover(words)
        )


def _names(phases: Sequence[Phase], time: Linear, first: int, y: float, page: Colours) -> Iterator[Said]:
    """The names of the phases that are wide enough for theirs."""
    for phase in phases:
        left, right = time.at(phase.start_ns - first), time.at(phase.end_ns - first)
        if right - left > len(phase.name) * NAME_WIDTH:
            yield (left + right) / 2, y, phase.name, "bottom center", page["fg"]
