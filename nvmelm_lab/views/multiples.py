"""One knob at several positions, as small panels side by side: what each copy brought over, and whether it converged.

All panels have the same scale, so that they can be compared at a glance.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from nvmelm_lab.runs import Outcome
from nvmelm_lab.views.axes import Log, across, beside, log_scale
from nvmelm_lab.views.copies import Copy, copies, is_timed, told
from nvmelm_lab.views.figures import LINE, Figure, Said, Trace, colours, figure, hover, points, texts
from nvmelm_lab.views.palette import COPYING, EDGE, LOOKS, Colours
from nvmelm_lab.views.text import grouped, short_count, short_duration

WIDTH, LEFT, ACROSS = 840, 44, 3
PANEL, HIGH, DOWN = 262, 86, 176
"""Px from one panel to the next, of its bars, and from one row of panels to the next."""

HEAD: Final = 46
WIDEST: Final = 20


def multiples(field: str, outcomes: Sequence[Outcome], *, theme: str = "light") -> Figure:
    """A panel for each run, which differ in `field` alone, 840 px wide.  InputError for another theme."""
    page = colours(theme)
    made = [copies(outcome) for outcome in outcomes]
    most = [copy.blocks for each in made for copy in each]
    said: list[Said] = [
        (8, 12, f"<b>LBAs of each copy, by {_name(field)}</b>", "middle right", page["fg"]),
        (8, 12 + LINE, _LEGEND, "middle right", page["muted"]),
    ]
    traces: list[Trace] = []
    for number, (outcome, own) in enumerate(zip(outcomes, made, strict=True)):
        left = LEFT + number % ACROSS * (PANEL + 8)
        top = HEAD + number // ACROSS * DOWN + LINE * 3 + 6
        scale = log_scale([*most, 1], top + HIGH, top)
        right = left + PANEL - LEFT
        traces += [across([scale.at(n) for n in scale.ticks()], left, right), *_bars(own, scale, left, right)]
        said += beside(scale.ticks(), scale.at, left, short_count, page["muted"])
        said += _words(field, outcome, left, top, page)
    rows = -(-len(outcomes) // ACROSS)
    words = multiples_text(field, outcomes)
    return figure([*traces, texts(said)], words, page, WIDTH, HEAD + rows * DOWN + 12)


_LEGEND: Final = (
    "From left to right: the initial copy, round after round, and (grey) the copy while the VM stands still."
)


def multiples_text(field: str, outcomes: Sequence[Outcome]) -> str:
    """The figure's facts in words: a line for each run, with each of its copies."""
    lines = [f"LBAs of each copy, by {_name(field)}"]
    for outcome in outcomes:
        copied = "; ".join(told(copy) for copy in copies(outcome))
        lines.append(f"{_position(field, outcome)}: {'; '.join(_verdict(outcome))}. {copied}.")
    return "\n".join(lines)


def _name(field: str) -> str:
    return field.replace("_", " ")


def _position(field: str, outcome: Outcome) -> str:
    return f"{_name(field)} {grouped(getattr(outcome.run, field))}"


def _verdict(outcome: Outcome) -> tuple[str, str]:
    """How it went, and at what price."""
    if outcome.failure:
        return "it ended early", outcome.failure
    rounds = f"{outcome.rounds} round{'s' * (outcome.rounds != 1)}"
    good = bool(outcome.round_ns) and outcome.round_ns[-1] <= outcome.run.downtime_budget_ns
    went = f"converged in {rounds}" if good else f"did not converge in {rounds}"
    full = f", MQ full {outcome.overflows} ×" if outcome.overflows else ""
    price = f"VM stood still {short_duration(outcome.downtime_ns)}" if is_timed(outcome) else "no clock ran"
    return went, f"{price}{full}"


def _bars(made: Sequence[Copy], scale: Log, left: float, right: float) -> Iterator[Trace]:
    pitch = min(WIDEST, (right - left) / max(1, len(made)))
    outline = next(line for fill, line, _ in LOOKS if fill == COPYING)
    for number, copy in enumerate(made):
        if not copy.blocks:
            continue
        begin, end = left + number * pitch + 1, left + (number + 1) * pitch - 1
        foot, head = scale.start, min(scale.at(copy.blocks), scale.start - 2)
        corners = [(begin, foot), (begin, head), (end, head), (end, foot), (begin, foot)]
        still = copy.name == "Suspend"
        fill, line = (EDGE, EDGE) if still else (COPYING, outline)
        yield points(corners, "lines", fill="toself", fillcolor=fill, line={"color": line, "width": 1})
        middle = [((begin + end) / 2, (foot + head) / 2)]
        marker = {"size": pitch, "opacity": 0}
        yield points(middle, "markers", marker=marker, **hover([told(copy)]))


def _words(field: str, outcome: Outcome, left: float, top: float, page: Colours) -> Iterator[Said]:
    lines = (f"<b>{_position(field, outcome)}</b>", *_verdict(outcome))
    for number, line in enumerate(lines):
        y = top - 14 - (len(lines) - 1 - number) * LINE
        yield left, y, line, "middle right", page["fg"]
