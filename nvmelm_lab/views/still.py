"""One step of a run as a still picture (SVG), for hosts without widgets and while no kernel answers.

It follows the live player region by region: phases, sentence, maps and queue, legend, lanes, verdicts.
Places of texts are chosen for a wide typeface, so that nothing touches in another.
"""

from collections.abc import Iterator, Sequence
from math import cos, pi, sin
from typing import Final

from nvmelm_lab.views import text
from nvmelm_lab.views.model import RANK, WORDS, PlayerModel, State, Step
from nvmelm_lab.views.palette import EDGE, INK, LIGHT, LOOKS, MAPPED, Colours
from nvmelm_lab.views.replay import Moment, at, cells, counts, story, worst_lba
from nvmelm_lab.views.svg import BOLD, END, MIDDLE, THICK, boxes, page, path, say, squares

WIDTH: Final = 840
HEIGHT: Final = 540
GONE: Final = "Still picture. If it stays so, the kernel is gone: run this cell again."


def still_svg(model: PlayerModel, index: int, colours: Colours = LIGHT) -> str:
    """The run after step `index` (from 0) as an SVG of 840 x 540 px, in the given colours."""
    moment = at(model, index)
    parts = [
        *_phases(model, moment, colours),
        *_sentence(model, index, colours),
        *_map(model, moment, 0, colours),
        *_ring(model, moment, colours),
        *_map(model, moment, 1, colours),
        *_detail(model, moment, colours),
        *_legend(moment),
        *(_charts(model, index, colours) if "counters" in model else _lanes(model, index, colours)),
        *_verdicts(model, moment),
    ]
    return page(WIDTH, HEIGHT, text.sentence(model, index), parts, colours)


def still_html(picture: str, key: str) -> str:
    """The picture (an SVG) and one sentence, for a page that may hold the live view of the same `key` as well.

    The live view hides it; until then it hides the line that JupyterLab shows for a widget not (yet) there.
    """
    still = f'[data-nvmelm-still="{key}"]'
    own = f".jp-OutputArea-child > .jp-OutputArea-output > {still}"
    waiting = f".jp-OutputArea-child:has(+ {own}):not(:has(.nvp, .nvp-fault))"
    return (
        f'<div data-nvmelm-still="{key}" style="max-width:{WIDTH}px"><style>{waiting}{{display:none}}</style>'
        f"{picture}<p>{GONE}</p></div>"
    )


def _phases(model: PlayerModel, moment: Moment, colours: Colours) -> Iterator[str]:
    width = (WIDTH - 20) / len(model["phases"])
    for n, phase in enumerate(model["phases"]):
        x = 6 + n * width
        now, begun = n == moment.phase, n <= moment.phase
        chevron = f"M{x:.1f} 3h{width - 8:.1f}l8 13-8 13h-{width - 8:.1f}l8-13z"
        yield path(chevron, colours["accent"] if now else "none", colours["accent"] if begun else EDGE)
        colour = colours["on"] if now else colours["accent"] if begun else colours["muted"]
        yield say(x + width / 2 + 2, 20, phase["name"], colour, MIDDLE + (BOLD if now else ""))


def _sentence(model: PlayerModel, index: int, colours: Colours) -> Iterator[str]:
    lines = [""]
    for word in text.sentence(model, index).split():
        if len(lines[-1]) + len(word) > 96:
            lines.append("")
        lines[-1] += f"{word} "
    yield from (say(6, 46 + 18 * n, line.strip(), "", ' font-size="14"') for n, line in enumerate(lines[:2]))


# --- maps and queue ------------------------------------------------------------------------------------

MAP_TOP, MAP_WIDTH, MAP_HEIGHT, PITCH = 96, 304, 186, 14


def _grid(count: int) -> tuple[int, int, int] | None:
    """Columns and pitch (x, y) of the largest cells that have room `count` times; None without room."""
    best = None
    for columns in range(4, MAP_WIDTH // PITCH + 1):
        rows = -(-count // columns)
        pitch = min(MAP_WIDTH // columns, 36), min(MAP_HEIGHT // rows, 36)
        score = min(pitch) + (columns % 4 == 0) + (columns % 8 == 0)
        if pitch[1] >= PITCH and (best is None or score > best[0]):
            best = score, (columns, *pitch)
    return best[1] if best else None


def _map(model: PlayerModel, moment: Moment, side: int, colours: Colours) -> Iterator[str]:
    left = 6 + side * (WIDTH - 12 - MAP_WIDTH)
    cell = model["cell_lbas"]
    while (grid := _grid(-(-model["blocks"] // cell))) is None:
        cell *= 2
    columns, wide, high = grid
    scale = f"1 cell = {cell} LBA" + ("s" if cell > 1 else "")
    yield say(left, 86, (model["destination"] if side else model["source"])["name"], "", BOLD)
    yield say(left + MAP_WIDTH - 2, 86, "worst shown" if side and cell > 1 else scale, colours["muted"], END)
    by_state: dict[int, list[tuple[float, float]]] = {}
    for n, state in enumerate(cells(moment, side, cell)):
        by_state.setdefault(state, []).append((left + n % columns * wide, MAP_TOP + n // columns * high))
    for state, corners in sorted(by_state.items()):
        yield boxes(state, corners, wide - 2, high - 2)
    touched = model["steps"][moment.index].get("lbas")
    if touched is not None:
        reach = range(touched[0] // cell, (touched[0] + touched[1] - 1) // cell + 1)
        around = [(left + n % columns * wide - 1, MAP_TOP + n // columns * high - 1) for n in reach]
        yield path(squares(around, wide, high), "none", colours["fg"], THICK)


RING_MOST = 32
RING_X, RING_Y, RING_OUT, RING_IN = WIDTH / 2, 184, 68, 49


def _ring(model: PlayerModel, moment: Moment, colours: Colours) -> Iterator[str]:
    slots = model["queue"]["slots"]
    shown = min(slots, RING_MOST)
    first = 0 if slots <= RING_MOST else moment.head // (RING_MOST // 2) * (RING_MOST // 2)
    used = (moment.tail - moment.head) % slots
    yield say(RING_X, 86, "Migration Queue", "", BOLD + MIDDLE)
    looks = {"next": LOOKS[1][:2], "waiting": LOOKS[2][:2], "empty": ("none", EDGE)}
    inks = {"next": "#FFFFFF", "waiting": INK, "empty": colours["muted"]}
    kinds: dict[str, list[int]] = {"empty": [], "waiting": [], "next": []}
    for n in range(shown):
        ahead = (first + n - moment.head) % slots
        kinds["empty" if ahead >= used else "waiting" if ahead else "next"].append(n)
    for kind, places in kinds.items():
        yield path("".join(_sector(n, shown) for n in places), *looks[kind])
        if "counters" not in model:  # of a summary nobody knows the phase tags
            tags = "".join(_tag(n, shown, moment.tags[(first + n) % slots]) for n in places)
            yield f'<g fill="{inks[kind]}" text-anchor="middle">{tags}</g>'
    for letter, slot, turn in (("H", moment.head, -0.7), ("T", moment.tail, 0.7)):
        n = (slot - first) % slots
        if n < shown:
            x, y = _polar(n + 0.5 + (turn if moment.head == moment.tail else 0), shown, RING_OUT + 11)
            yield say(x, y + 4, letter, "", BOLD + MIDDLE)
    yield say(RING_X, RING_Y - 6, "used", colours["muted"], MIDDLE)
    yield say(RING_X, RING_Y + 12, f"{used} of {slots - 1}", "", BOLD + MIDDLE + ' font-size="15"')
    yield say(RING_X, 284, f"H head {moment.head} · T tail {moment.tail}", "", MIDDLE)


def _polar(n: float, shown: int, radius: float) -> tuple[float, float]:
    angle = 2 * pi * n / shown - pi / 2
    return RING_X + radius * cos(angle), RING_Y + radius * sin(angle)


def _tag(n: int, shown: int, tag: int) -> str:
    x, y = _polar(n + 0.5, shown, (RING_OUT + RING_IN) / 2)
    return f'<text x="{x:.0f}" y="{y + 4:.0f}">{tag}</text>'


def _sector(n: int, shown: int) -> str:
    turns = ((0.06, RING_OUT), (0.94, RING_OUT), (0.94, RING_IN), (0.06, RING_IN))
    corners = [_polar(n + turn, shown, radius) for turn, radius in turns]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "z"


def _detail(model: PlayerModel, moment: Moment, colours: Colours) -> Iterator[str]:
    touched = model["steps"][moment.index].get("lbas")
    if touched is not None:
        told = story(model, moment, worst_lba(moment, *touched))
        yield say(6, 306, text.story_line(told), colours["fg"])


# --- legend, lanes, verdicts ---------------------------------------------------------------------------


def _legend(moment: Moment) -> Iterator[str]:
    wide = [18 + 6.7 * (len(word) + 1) + 7.6 * text.COUNT_ROOM for word in WORDS]
    gap, x = (WIDTH - 12 - sum(wide)) / (len(wide) - 1), 6.0
    for state, (word, number) in enumerate(zip(WORDS, counts(moment), strict=True)):
        yield boxes(state, [(round(x), 320)], 13, 13)
        yield say(round(x) + 18, 331, f"{word} {text.short_count(number)}")
        x += wide[state] + gap


LANES_LEFT, LANES_TOP, LANE, MARK_PITCH, MARK = 130, 346, 24, 16, 12


def _lanes(model: PlayerModel, index: int, colours: Colours) -> Iterator[str]:
    steps, room = model["steps"], (WIDTH - LANES_LEFT) // MARK_PITCH
    first = max(0, min(index - room // 2, len(steps) - room))
    now = LANES_LEFT + (index - first + 0.5) * MARK_PITCH
    yield path(f"M{now:g} {LANES_TOP}v{LANE * len(model['lanes'])}", "none", colours["accent"], THICK)
    for lane, name in enumerate(model["lanes"]):
        look = ("", BOLD) if lane == steps[index]["lane"] else (colours["muted"], "")
        yield say(6, LANES_TOP + (lane + 0.5) * LANE + 4, name, *look)
    marks: dict[int | str, list[tuple[float, float]]] = {"plain": [], "later": []}
    for n, step in enumerate(steps[first : first + room]):
        kind = "later" if first + n > index else mark(step)
        marks.setdefault(kind, []).append(_corner(n, step["lane"]))
    later = [(x + 1, y + 1) for x, y in marks.pop("later")]
    yield path(squares(later, MARK - 2, MARK - 2), "none", EDGE)
    yield path(squares(marks.pop("plain"), MARK, MARK), colours["muted"])
    yield from (boxes(int(state), corners, MARK, MARK) for state, corners in marks.items())
    x, y = _corner(index - first, steps[index]["lane"])
    yield path(squares([(x - 3, y - 3)], MARK + 6, MARK + 6), "none", colours["fg"], THICK)


def _corner(column: int, lane: int) -> tuple[float, float]:
    left = LANES_LEFT + (column + 0.5) * MARK_PITCH - MARK / 2
    return left, LANES_TOP + (lane + 0.5) * LANE - MARK / 2


def mark(step: Step) -> int | str:
    """The mark of a past step: `CHANGED` if it changes the source, else the worst state it brings about."""
    states = [run[2] for run in (*step.get("source", ()), *step.get("destination", ()))]
    if not states:
        return "plain"
    return State.CHANGED if State.CHANGED in states else max(states, key=lambda state: RANK[state])


CHART_LEFT, CHART_RIGHT = 260, 690


def _charts(model: PlayerModel, index: int, colours: Colours) -> Iterator[str]:
    """In place of the lanes in a summary: each counter's name, level now, chart over all frames, and highest."""
    pitch = 6 * LANE / len(model["counters"])
    now = _across(model, index)
    marks: list[tuple[float, float]] = []
    levels = zip(*(step["counts"] for step in model["steps"]), strict=True)
    for n, (one, line, top) in enumerate(zip(model["counters"], levels, text.highest(model), strict=True)):
        middle, base = LANES_TOP + (n + 0.5) * pitch, LANES_TOP + (n + 1) * pitch - 3
        heights = [round(level * (pitch - 6) / max(1, top)) for level in line]
        yield say(6, middle + 4, one["name"], colours["muted"])
        yield say(CHART_LEFT - 8, middle + 4, text.amount(line[index], one), "", BOLD + END)
        yield say(WIDTH - 6, middle + 4, f"of {text.amount(top, one)}", colours["muted"], END)
        past = _stairs(model, heights, base, 0, index)
        yield path(f"{past}V{base:g}H{CHART_LEFT}z", MAPPED, colours["accent"], ' fill-opacity="0.3"')
        yield path(_stairs(model, heights, base, index, len(heights) - 1), "none", EDGE)
        marks.append((now - 3, base - heights[index] - 3))
    yield path(f"M{now} {LANES_TOP}v{6 * LANE}", "none", colours["accent"], THICK)
    yield path(squares(marks, 6, 6), colours["fg"])


def _across(model: PlayerModel, index: int) -> int:
    return CHART_LEFT + index * (CHART_RIGHT - CHART_LEFT) // max(1, len(model["steps"]) - 1)


def _stairs(model: PlayerModel, heights: Sequence[int], base: float, first: int, last: int) -> str:
    """A line from frame to frame: a level holds until the next frame."""
    x = _across(model, first)
    line = f"M{x} {base - heights[first]:g}"
    for n in range(first + 1, last + 1):
        if heights[n] != heights[n - 1] or n == last:
            line += f"h{_across(model, n) - x}v{heights[n - 1] - heights[n]}"
            x = _across(model, n)
    return line


SIGNS: Final = {"good": "✓", "open": "○", "bad": "✗"}


def _verdicts(model: PlayerModel, moment: Moment) -> Iterator[str]:
    """All of them where there is room; else the bad ones, how many are open, how many hold."""
    named = [
        f"{SIGNS[verdict]} {one['name']}" + (f": {word or verdict}" if verdict == "bad" else "")
        for one, (verdict, word) in zip(model["properties"], moment.verdicts, strict=True)
    ]
    if sum(7.6 * len(words) + 12 for words in named) > WIDTH:
        kinds = [verdict for verdict, _ in moment.verdicts]
        named = [words for words, kind in zip(named, kinds, strict=True) if kind == "bad"]
        named.append(f"{SIGNS['open']} {kinds.count('open')} open")
        named.append(f"{SIGNS['good']} {kinds.count('good')} hold")
    x = 6.0
    for words in named:
        yield say(x, 516, words)
        x += len(words) * 7.6 + 12
