"""The granularity of Get LBA Status as a trade-off: one namespace, what is reported of it, and what that costs.

`picture` and `words` say the same of one granularity; `GranularityExplorer` is a slider over them.  What is shown was
asked of emulated SSDs by `nvmelm_lab.lessons.granularity`.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

import ipywidgets as widgets

from nvmelm_lab.lessons.granularity import Survey, Surveys
from nvmelm_lab.sizes import in_words
from nvmelm_lab.views.model import State
from nvmelm_lab.views.owner import answer_while_a_cell_runs
from nvmelm_lab.views.palette import COPYING, EDGE, LIGHT, LOOKS, Colours
from nvmelm_lab.views.standby import show
from nvmelm_lab.views.svg import BOLD, END, MIDDLE, THEMED, boxes, page, path, say, squares

WIDTH, HEIGHT = 840, 456
COLUMNS: Final = 64
CELL: Final = 12
LEFT: Final = 62
MAP_TOP: Final = 70
BAND: Final = 14
"""Px of the strip below a row of LBAs, which shows what is reported of them."""

ROW: Final = CELL + BAND + 10
TIB_BLOCKS: Final = 1 << 28
"""LBAs of 4 KiB in a TiB."""


def words(found: Surveys, survey: Survey) -> str:
    """Every fact of the picture: what is there, what is reported of it, and each granularity in a line."""
    ranges = ", ".join(_range(*each) for each in survey.ranges)
    return "\n".join(
        [
            _headline(found, survey),
            _cost(found, survey),
            f"Reported: {ranges}.",
            f"Mapped: {', '.join(_range(*each) for each in _runs(found.mapped))}; all else is deallocated.",
            f"Unreadable, and yet mapped: {', '.join(_range(*each) for each in _runs(found.unreadable)) or 'none'}.",
            *(_line(found, each) for each in found.surveys),
        ]
    )


def _headline(found: Surveys, survey: Survey) -> str:
    granules = f"Granularity {_lbas(survey.granularity)}"
    count = len(survey.ranges)
    return f"{granules}: Get LBA Status reports {count} range{'s' * (count != 1)}, {_lbas(survey.copied)} to copy."


def _cost(found: Surveys, survey: Survey) -> str:
    needless = found.needless(survey)
    memory = in_words(-(-TIB_BLOCKS // survey.granularity) // 8)
    extra = (
        f"Of these, {needless} {'is' if needless == 1 else 'are'} deallocated: copied for nothing"
        if needless
        else "None of these is copied for nothing"
    )
    return f"{extra}. The SSD keeps one bit a granule: {found.bits(survey)} here, {memory} for 1 TiB of 4 KiB LBAs."


def _line(found: Surveys, survey: Survey) -> str:
    return (
        f"{survey.granularity:>4} LBAs a granule: {survey.copied} copied, {found.needless(survey)} for nothing, "
        f"{len(survey.ranges)} descriptors, {found.bits(survey)} bits"
    )


def _lbas(number: int) -> str:
    return f"{number} LBA{'s' * (number != 1)}"


def _range(slba: int, blocks: int) -> str:
    return f"{slba}" if blocks == 1 else f"{slba}-{slba + blocks - 1}"


def _runs(lbas: frozenset[int]) -> list[tuple[int, int]]:
    """Sorted LBAs as runs: first and count."""
    runs: list[list[int]] = []
    for lba in sorted(lbas):
        if runs and sum(runs[-1]) == lba:
            runs[-1][1] += 1
        else:
            runs.append([lba, 1])
    return [(slba, blocks) for slba, blocks in runs]


# --- the picture ---------------------------------------------------------------------------------------------


def picture(found: Surveys, survey: Survey, colours: Colours) -> str:
    """The namespace, what is reported of it, and the price of each granularity, as an SVG."""
    rows = -(-found.blocks // COLUMNS)
    charts = MAP_TOP + rows * ROW + 34
    parts = [
        say(6, 20, _headline(found, survey), "", f'{BOLD} font-size="15"'),
        say(6, 40, _cost(found, survey), colours["fg"]),
        *_map(found, survey, colours),
        *_legend(MAP_TOP + rows * ROW + 4, colours),
        *_charts(found, survey, charts, colours),
    ]
    return page(WIDTH, max(HEIGHT, charts + 190), _headline(found, survey), parts, colours)


def _corner(lba: int) -> tuple[int, int]:
    return LEFT + lba % COLUMNS * CELL, MAP_TOP + lba // COLUMNS * ROW


def _map(found: Surveys, survey: Survey, colours: Colours) -> Iterator[str]:
    states: dict[State, list[tuple[float, float]]] = {}
    for lba in range(found.blocks):
        there = State.UNREADABLE if lba in found.unreadable else State.MAPPED
        states.setdefault(there if lba in found.mapped else State.DEALLOCATED, []).append(_corner(lba))
    for row in range(-(-found.blocks // COLUMNS)):
        x, y = _corner(row * COLUMNS)
        yield say(x - 8, y + 11, f"{row * COLUMNS}", colours["muted"], END)
    for state, corners in sorted(states.items()):
        yield boxes(state, corners, CELL, CELL)
    yield path(_borders(found.blocks, survey.granularity), "none", colours["fg"], ' stroke-width="1.5"')
    for slba, blocks in survey.ranges:
        yield from _reported(slba, blocks, found)


def _borders(blocks: int, granularity: int) -> str:
    """A line at each granule's edge, through the LBAs and the strip below them."""
    lines = []
    for lba in range(0, blocks, granularity):
        x, y = _corner(lba)
        lines.append(f"M{x} {y - 2}v{CELL + BAND + 2}")
        if (lba + granularity) % COLUMNS == 0:
            lines.append(f"M{x + CELL * min(granularity, COLUMNS)} {y - 2}v{CELL + BAND + 2}")
    return "".join(lines)


def _reported(slba: int, blocks: int, found: Surveys) -> Iterator[str]:
    """A range of the answer below its LBAs: filled where it is worth it, striped where it is copied for nothing."""
    for first in range(slba, slba + blocks):
        x, y = _corner(first)
        top = y + CELL + 2
        if first in found.mapped:
            yield path(squares([(x, top)], CELL, BAND - 4), COPYING)
        else:
            yield path(
                f"M{x + 1} {top + 9}l8-8M{x + 7} {top + 9}l5-5M{x} {top + 4}l3-3",
                "none",
                LOOKS[State.COPYING][1],
            )
    outline = LOOKS[State.COPYING][1]
    for first in range(slba - slba % COLUMNS, slba + blocks, COLUMNS):
        begin, end = max(slba, first), min(slba + blocks, first + COLUMNS)
        x, y = _corner(begin)
        strip = squares([(x + 0.5, y + CELL + 2.5)], (end - begin) * CELL - 1, BAND - 5)
        yield path(strip, "none", outline, ' stroke-width="1.5"')


def _legend(y: float, colours: Colours) -> Iterator[str]:
    x = 6.0
    for state, word in (
        (State.DEALLOCATED, "deallocated"),
        (State.MAPPED, "mapped"),
        (State.UNREADABLE, "unreadable: mapped too"),
    ):
        yield boxes(state, [(x, y)], 12, 12)
        yield say(x + 17, y + 11, word)
        x += 36 + 6.6 * len(word)
    yield path(squares([(x, y + 1)], 24, 10), COPYING, LOOKS[State.COPYING][1])
    yield say(x + 30, y + 11, "reported, copied")
    x += 150
    yield path(
        f"M{x + 1} {y + 10}l8-8M{x + 8} {y + 10}l8-8M{x + 15} {y + 10}l8-8", "none", LOOKS[State.COPYING][1]
    )
    yield path(squares([(x, y + 1)], 24, 10), "none", LOOKS[State.COPYING][1])
    yield say(x + 30, y + 11, "copied for nothing")
    x += 156
    yield path(f"M{x} {y - 1}v14", "none", colours["fg"], ' stroke-width="1.5"')
    yield say(x + 7, y + 11, "edge of a granule")


# --- what it costs -------------------------------------------------------------------------------------------

CHART, BETWEEN, BAR_HEIGHT = 256, 30, 104


def _charts(found: Surveys, survey: Survey, top: float, colours: Colours) -> Iterator[str]:
    """Three charts with a bar for each granularity: LBAs to copy, descriptors, bits."""
    kinds: Sequence[tuple[str, Callable[[Survey], int], Callable[[Survey], int]]] = (
        ("LBAs to copy", lambda one: one.copied, lambda _: len(found.mapped)),
        ("Descriptors in the answer", lambda one: len(one.ranges), lambda one: len(one.ranges)),
        ("Bits that the SSD keeps", found.bits, found.bits),
    )
    for number, (title, whole, useful) in enumerate(kinds):
        left = 6 + number * (CHART + BETWEEN)
        yield say(left, top + 12, title, "", BOLD)
        yield from _bars(found, survey, (left, top + 20), (whole, useful), colours)
    rule = "LBAs a granule: the SSD decides, and tells it as TLBAAG."
    yield say(6, top + 174, f"{rule} The hollow part of a bar is copied for nothing.", colours["muted"])


def _bars(
    found: Surveys,
    survey: Survey,
    corner: tuple[float, float],
    values: tuple[Callable[[Survey], int], Callable[[Survey], int]],
    colours: Colours,
) -> Iterator[str]:
    (left, top), (whole, useful) = corner, values
    most, pitch = max(map(whole, found.surveys)), CHART / len(found.surveys)
    base = top + 18 + BAR_HEIGHT
    yield path(f"M{left} {base:g}h{CHART}", "none", EDGE)
    for number, each in enumerate(found.surveys):
        now = each is survey
        x, high = left + number * pitch + 4, whole(each) * BAR_HEIGHT / most
        good = useful(each) * BAR_HEIGHT / most
        outline = f' stroke-width="{3 if now else 1}"'
        yield path(
            squares([(x, base - high)], pitch - 8, high), "none", colours["accent"] if now else EDGE, outline
        )
        fill = LOOKS[State.MAPPED][0] if now else EDGE
        yield path(squares([(x + 2, base - good)], pitch - 12, good), fill)
        weight = BOLD if now else ""
        ink = colours["fg"] if now else colours["muted"]
        yield say(x + pitch / 2 - 4, base - high - 6, str(whole(each)), ink, MIDDLE + weight)
        yield say(x + pitch / 2 - 4, base + 16, str(each.granularity), ink, MIDDLE + weight)


# --- the slider ----------------------------------------------------------------------------------------------


class GranularityExplorer:
    """One namespace, and a slider for the granularity of its SSD; show it as the last line of a cell.

    surveys
        What was asked and answered.
    widget
        What is displayed, for putting it into other widgets.
    """

    def __init__(self, surveys: Surveys, granularity: int) -> None:
        self.surveys = surveys
        now = surveys.at(granularity)
        self._slider = widgets.SelectionSlider(
            options=[(str(each.granularity), each.granularity) for each in surveys.surveys],
            value=now.granularity,
            continuous_update=True,
            description="LBAs a granule",
            style={"description_width": "110px"},
            layout={"width": "560px", "max_width": "100%"},
        )
        self._picture = widgets.HTML()
        self._slider.observe(lambda _: self._show(), "value")
        self._show()
        self.widget = widgets.VBox([self._slider, self._picture])
        answer_while_a_cell_runs(self._slider)

    @property
    def granularity(self) -> int:
        """Where the slider stands; setting it moves the slider.  InputError for one that was not asked for."""
        return int(self._slider.value)

    @granularity.setter
    def granularity(self, value: int) -> None:
        self._slider.value = self.surveys.at(value).granularity

    @property
    def survey(self) -> Survey:
        """What was answered at the granularity that is shown."""
        return self.surveys.at(self.granularity)

    def _show(self) -> None:
        told = escape(words(self.surveys, self.survey), quote=True)
        drawn = picture(self.surveys, self.survey, THEMED)
        self._picture.value = f'<div style="max-width:{WIDTH}px" aria-label="{told}">{drawn}</div>'

    def __repr__(self) -> str:
        return words(self.surveys, self.survey)

    def _repr_svg_(self) -> str:
        return picture(self.surveys, self.survey, LIGHT)

    def _ipython_display_(self) -> None:
        show(self.widget, repr(self), self._repr_svg_())
