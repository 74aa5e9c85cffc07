"""Where the downtime of a migration goes: its parts one after the other, as a figure and in words."""

from typing import Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import Outcome, Part
from nvmelm_lab.views.axes import Linear, below, upright
from nvmelm_lab.views.comparison import seen
from nvmelm_lab.views.figures import Figure, Said, Trace, colours, figure, hover, points, texts
from nvmelm_lab.views.text import grouped, short_duration

WIDTH, LEFT, RIGHT = 840, 400, 720
ROW, BAR = 42, 22

MEANINGS: Final = {
    "suspend": "the controller completes what is in flight, fetches no more",
    "last entries": "the Migration Queue is read up to “suspended”",
    "last blocks": "what these entries name is copied",
    "memory": "pages written since they were last sent go over",
    "controller state": "is read at the source, set at the destination",
    "resume": "the other controller runs, then the VM",
}
MEANINGS_BY_METHOD: Final = {
    ("stop", "last blocks"): "everything is copied: nothing was before",
    ("stop", "memory"): "all pages go over: none was sent ahead",
    ("shim", "suspend"): "the shim finishes what is in flight",
    ("shim", "last blocks"): "what the shim's bitmap names is copied",
    ("shim", "controller state"): "the guest's queues, from shim to shim",
    ("shim", "resume"): "the other shim runs, then the VM",
}


def _meaning(outcome: Outcome, part: Part) -> str:
    if outcome.failure and part.name == "resume":
        return "the migration failed: the guest goes on at the source"
    return MEANINGS_BY_METHOD.get((outcome.run.method, part.name), MEANINGS[part.name])


def _parts(outcome: Outcome) -> tuple[Part, ...]:
    parts = seen(outcome).downtime
    if not parts:
        raise InputError("the VM of this run was never paused, so there is no downtime to take apart")
    return parts


def _headline(outcome: Outcome) -> str:
    longest = max(_parts(outcome), key=lambda part: part.ns)
    total = sum(part.ns for part in _parts(outcome))
    share = f"{longest.ns * 100 // max(1, total)} %"
    return f"The VM stood still for {short_duration(total)}; most of it, {share}, for: {longest.name}."


def downtime_text(outcome: Outcome) -> str:
    """The figure's facts in words, a line for each part.  InputError as for `downtime`."""
    lines = [_headline(outcome)]
    for part in _parts(outcome):
        lines.append(f"{part.name}: {short_duration(part.ns)} ({_meaning(outcome, part)})")
    return "\n".join(lines)


def downtime(outcome: Outcome, *, theme: str = "light") -> Figure:
    """The parts of an observed run's downtime, each as a bar from its begin to its end, 840 px wide.

    InputError for another theme, or a run that was not observed, had no clock, or never paused its VM.
    """
    page, parts = colours(theme), _parts(outcome)
    begin, top = parts[0].start_ns, 44
    end = top + len(parts) * ROW
    # In ns below a few µs, else in µs: whole numbers either way.
    unit, word = (1, "ns") if parts[-1].end_ns - begin < 5_000 else (1_000, "µs")
    time = Linear(0, max(1, parts[-1].end_ns - begin) / unit, LEFT, RIGHT)
    ticks = time.ticks(6)
    said: list[Said] = [(8, 14, f"<b>{_headline(outcome)}</b>", "middle right", page["fg"])]
    traces: list[Trace] = [upright([time.at(tick) for tick in ticks], top, end)]
    for number, part in enumerate(parts):
        y = top + number * ROW + ROW / 2
        left, right = (time.at((ns - begin) / unit) for ns in (part.start_ns, part.end_ns))
        right = max(right, left + 2)
        corners = [(left, y - BAR / 2), (right, y - BAR / 2), (right, y + BAR / 2), (left, y + BAR / 2)]
        line = {"color": page["fg"], "width": 1.5}
        bar = points([*corners, corners[0]], "lines", fill="toself", fillcolor=page["accent"], line=line)
        meaning = _meaning(outcome, part)
        traces.append(bar)
        told = f"{part.name}: {meaning}; {short_duration(part.ns)}"
        middle = [((left + right) / 2, y)]
        traces.append(points(middle, "markers", marker={"size": BAR, "opacity": 0}, **hover([told])))
        said += [
            (8, y - 9, f"<b>{part.name}</b>", "middle right", page["fg"]),
            (8, y + 9, meaning, "middle right", page["muted"]),
            (WIDTH - 8, y, f"<b>{short_duration(part.ns)}</b>", "middle left", page["fg"]),
        ]
    said += below(ticks, time.at, end, grouped, page["muted"])
    said.append((LEFT - 16, end + 12, f"{word} since the pause", "middle left", page["muted"]))
    return figure([*traces, texts(said)], downtime_text(outcome), page, WIDTH, end + 28)
