"""Two runs side by side in one row as a still picture (SVG): the failing one left and above, the repaired one right and
below, as in the live view (`js/pair.js`).
"""

from collections import Counter
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from nvmelm_lab.views import text
from nvmelm_lab.views.model import PlayerModel
from nvmelm_lab.views.pair import PairModel
from nvmelm_lab.views.palette import EDGE, INK, LIGHT, LOOKS, Colours
from nvmelm_lab.views.replay import Moment, at, story
from nvmelm_lab.views.still import SIGNS, mark
from nvmelm_lab.views.svg import BOLD, MIDDLE, THICK, boxes, page, path, say, squares

WIDTH: Final = 840
HEIGHT: Final = 540
HALF: Final = 404
LINE_CHARS: Final = 54
MOST_LBAS: Final = 9

LANES_LEFT, LANE, STRIP = 136, 18, 24
LANES_TOP: Final = (288, 288 + 6 * LANE + STRIP)
MARK: Final = 12

_PARTING: Final = "different from here on"
_PARTING_PX: Final = 160
"""Room for it in a wide typeface."""

RISK: Final = "#B84E00"
"""Words and lines that warn; stands out from the light and from the dark page by 3:1, and as text where it is bold."""


def pair_svg(pair: PairModel, row: int, colours: Colours = LIGHT) -> str:
    """Both runs in a row (from 0) as an SVG of 840 x 540 px, in the given colours."""
    moments = [at(run, step) for run, step in zip(pair["runs"], pair["rows"][row], strict=True)]
    parts = [say(6, 20, pair["title"], "", BOLD + ' font-size="14"')]
    for which, moment in enumerate(moments):
        parts += _half(pair, which, moment, colours)
        parts += _lanes(pair, which, row, moment, colours)
    parts += _strip(pair, row, colours)
    return page(WIDTH, HEIGHT, f"{pair['title']}: a failing and a repaired run", parts, colours)


# --- what stands of one run ------------------------------------------------------------------------------------


def _half(pair: PairModel, which: int, moment: Moment, colours: Colours) -> Iterator[str]:
    run, left = pair["runs"][which], 6 + which * (WIDTH - 12 - HALF)
    yield say(left, 46, f"{SIGNS['good' if which else 'bad']} {pair['names'][which]}", "", BOLD)
    for n, line in enumerate(wrap(text.sentence(run, moment.index), LINE_CHARS)[:3]):
        yield say(left, 66 + 17 * n, line, "", ' font-size="13"')
    yield from _holdings(run, moment, left, colours)
    for n, line in enumerate(wrap(text.story_line(story(run, moment, pair["lba"])), LINE_CHARS + 6)[:2]):
        yield say(left, 236 + 16 * n, line, colours["muted"])
    bad = [
        f"{SIGNS['bad']} {one['name']}" + (f": {word}" if word else "")
        for one, (verdict, word) in zip(run["properties"], moment.verdicts, strict=True)
        if verdict == "bad"
    ]
    kinds = Counter[str](verdict for verdict, _ in moment.verdicts)
    rest = [
        f"{SIGNS[verdict]} {kinds[verdict]} {word}"
        for verdict, word in (("open", "open"), ("good", "hold"))
        if kinds[verdict]
    ]
    yield say(left, 276, " · ".join([*bad, *rest]), "", BOLD if bad else "")


TOPS: Final = (136, 162)
CELL, LABELS, SLOT = 22, 84, 20


def _holdings(run: PlayerModel, moment: Moment, left: float, colours: Colours) -> Iterator[str]:
    """The LBAs at the source and at the destination with their versions, and the slots of the queue."""
    lbas = range(min(run["blocks"], MOST_LBAS))
    pitch = min(76, (HALF - LABELS) // len(lbas))
    touched = run["steps"][moment.index].get("lbas")
    yield say(left, 130, "LBA", colours["muted"])
    for side, name in enumerate(("Source", "Destination")):
        yield say(left, TOPS[side] + 16, name)
    for lba in lbas:
        x = left + LABELS + lba * pitch
        told = story(run, moment, lba)
        yield say(x, 130, str(lba), colours["muted"])
        for side, (states, version) in enumerate(
            ((moment.source, told.source), (moment.destination, told.destination))
        ):
            yield boxes(states[lba // moment.grain], [(x, TOPS[side])], min(CELL, pitch - 20), CELL)
            short = "–" if version == "none yet" else version.partition(",")[0]
            yield say(x + min(CELL, pitch - 20) + 4, TOPS[side] + 16, short)
            if touched is not None and touched[0] <= lba < touched[0] + touched[1]:
                around = squares([(x - 2, TOPS[side] - 2)], min(CELL, pitch - 20) + 4, CELL + 4)
                yield path(around, "none", colours["fg"], THICK)
    yield from _slots(run, moment, left, colours)


def _slots(run: PlayerModel, moment: Moment, left: float, colours: Colours) -> Iterator[str]:
    slots = run["queue"]["slots"]
    room = min(slots, (HALF - LABELS - 90) // SLOT)
    first = 0 if slots <= room else moment.head
    used = (moment.tail - moment.head) % slots
    yield say(left, 206, "Queue")
    for n in range(room):
        slot = (first + n) % slots
        ahead = (slot - moment.head) % slots
        fill, line, ink = ("none", EDGE, colours["muted"]) if ahead >= used else _waiting(ahead)
        x = left + LABELS + n * SLOT
        yield path(squares([(x + 0.5, 192.5)], SLOT - 3, SLOT - 3), fill, line)
        yield say(x + SLOT / 2 - 1, 205, str(moment.tags[slot]), ink, MIDDLE)
        ends = ("H" if slot == moment.head else "") + ("T" if slot == moment.tail else "")
        yield say(x + SLOT / 2 - 1, 222, ends, "", BOLD + MIDDLE)
    yield say(left + LABELS + room * SLOT + 4, 206, f"{used} of {slots - 1} used")


def _waiting(ahead: int) -> tuple[str, str, str]:
    fill, line, _ = LOOKS[2 if ahead else 1]
    return fill, line, INK if ahead else "#FFFFFF"


# --- lanes -----------------------------------------------------------------------------------------------------


def _columns(pair: PairModel, row: int) -> tuple[int, int, float]:
    """The first row on show, the row behind the last, and the px from one to the next."""
    room, rows = (WIDTH - LANES_LEFT) // 16, len(pair["rows"])
    first = max(0, min(row - room // 2, rows - room))
    end = min(rows, first + room)
    return first, end, min(24, (WIDTH - LANES_LEFT) / (end - first))


def _lanes(pair: PairModel, which: int, row: int, moment: Moment, colours: Colours) -> Iterator[str]:
    run, top = pair["runs"][which], LANES_TOP[which]
    first, end, pitch = _columns(pair, row)
    now = LANES_LEFT + (row - first + 0.5) * pitch
    rows = pair["rows"]
    own = [n for n in range(first, end) if not n or rows[n][which] != rows[n - 1][which]]
    yield path(f"M{now:g} {top}v{LANE * len(run['lanes'])}", "none", colours["accent"], THICK)
    for lane, name in enumerate(run["lanes"]):
        acts = row in own and lane == run["steps"][moment.index]["lane"]
        yield say(
            6,
            top + (lane + 0.5) * LANE + 4,
            name,
            "" if acts else colours["muted"],
            BOLD if acts else "",
        )
    marks: dict[int | str, list[tuple[float, float]]] = {"plain": [], "later": []}
    for n in own:
        step = run["steps"][rows[n][which]]
        corner = (
            LANES_LEFT + (n - first + 0.5) * pitch - MARK / 2,
            top + (step["lane"] + 0.5) * LANE - MARK / 2,
        )
        marks.setdefault("later" if n > row else mark(step), []).append(corner)
        if n == row:
            yield path(
                squares([(corner[0] - 2, corner[1] - 2)], MARK + 4, MARK + 4), "none", colours["fg"], THICK
            )
    later = [(x + 1, y + 1) for x, y in marks.pop("later")]
    yield path(squares(later, MARK - 2, MARK - 2), "none", EDGE)
    yield path(squares(marks.pop("plain"), MARK, MARK), colours["muted"])
    yield from (boxes(int(state), corners, MARK, MARK) for state, corners in marks.items())
    if first < pair["differs"] < end or pair["differs"] == first:
        x = LANES_LEFT + (pair["differs"] - first) * pitch
        yield path(
            f"M{x:g} {top}v{LANE * len(run['lanes'])}", "none", RISK, THICK + ' stroke-dasharray="6 3"'
        )


def _strip(pair: PairModel, row: int, colours: Colours) -> Iterator[str]:
    first, end, pitch = _columns(pair, row)
    base = LANES_TOP[1] - 8
    yield say(6, base, "▲ failing · ▼ repaired", "", BOLD)
    failing, repaired = (step + 1 for step in pair["rows"][row])
    number = f"{failing}" if failing == repaired else f"{failing} / {repaired}"
    now = LANES_LEFT + (row - first + 0.5) * pitch
    yield say(min(now, WIDTH - 6 - 4 * len(number)), base, number, colours["accent"], BOLD + MIDDLE)
    if not first <= pair["differs"] < end:
        return
    line = LANES_LEFT + (pair["differs"] - first) * pitch
    around = min(now, WIDTH - 6 - 4 * len(number)) - 4 * len(number) - 6, now + 4 * len(number) + 6
    starts = (line + 4, line - 4 - _PARTING_PX, around[1], around[0] - _PARTING_PX)
    fitting = (
        x
        for x in starts
        if x >= LANES_LEFT and x + _PARTING_PX <= WIDTH and (x + _PARTING_PX <= around[0] or x >= around[1])
    )
    yield say(next(fitting, LANES_LEFT), base, _PARTING, RISK, BOLD)
