"""Scales of a figure's panel: what stands where on the page, and at which values there are lines.

Places are px, y downwards, as on every page of `figures`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

from nvmelm_lab.views.figures import Said, Trace, points
from nvmelm_lab.views.palette import EDGE

STEPS: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Linear:
    """A scale on which `low` is at the px `start`, and `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value is."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int) -> list[int]:
        """Up to `most` whole values at even distances, 0 among them if it is on the scale."""
        step = next(
            factor * 10**power
            for power in range(16)
            for factor in STEPS
            if (self.high - self.low) / (factor * 10**power) <= most - 1
        )
        return list(range(ceil(self.low / step) * step, floor(self.high) + 1, step))


@dataclass(frozen=True, slots=True)
class Log:
    """A scale from 10 to the `low` to 10 to the `high`."""

    low: int
    high: int
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value above 0 is."""
        return self.start + (log10(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[int]:
        """The powers of ten on it."""
        return [10**power for power in range(self.low, self.high + 1)]


def log_scale(values: Iterable[int], start: float, end: float) -> Log:
    """The scale of whole powers of ten that holds all values above 0."""
    seen = [log10(value) for value in values if value > 0] or [0.0]
    low = floor(min(seen))
    return Log(low, max(low + 1, ceil(max(seen))), start, end)


def across(heights: Sequence[float], left: float, right: float) -> Trace:
    """A thin line at each height."""
    # A gap where there is no number: so one trace holds many lines.
    lines = [place for y in heights for place in ((left, y), (right, y), (None, None))]
    return points(lines, "lines", line={"color": EDGE, "width": 0.5})


def upright(places: Sequence[float], top: float, bottom: float) -> Trace:
    """A thin line at each place from the left."""
    lines = [place for x in places for place in ((x, top), (x, bottom), (None, None))]
    return points(lines, "lines", line={"color": EDGE, "width": 0.5})


def beside(
    values: Sequence[int], at: Callable[[float], float], x: float, words: Callable[[int], str], ink: str
) -> list[Said]:
    """The words of values to the left of a panel that begins at `x`."""
    return [(x - 8, at(value), words(value), "middle left", ink) for value in values]


def below(
    values: Sequence[int], at: Callable[[float], float], y: float, words: Callable[[int], str], ink: str
) -> list[Said]:
    """The words of values below a panel that ends at `y`."""
    return [(at(value), y + 4, words(value), "bottom center", ink) for value in values]
