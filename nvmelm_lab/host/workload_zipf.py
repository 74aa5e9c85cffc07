"""Which extent comes next when few are hot and many are cold: Zipf's law in integer arithmetic.

The table has a row for each of the hottest ranks and then one for every range of about 1.5 % more ranks, so
its size grows with the logarithm of the namespace: 2^28 LBAs need some 1 800 rows.  No floats, no row per
LBA.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from math import gcd
from random import Random

SINGLE_RANKS = 1024
"""So many of the hottest ranks have a row of their own."""
GROWTH = 64
"""Past those, a row covers one GROWTH-th of the ranks before it."""
WEIGHT = 1 << 32
"""Weight of rank 1; rank r weighs WEIGHT // r."""
DRAW_BITS = 30
"""The weights are scaled to this many bits, so that one small draw finds a row."""


def zipf_rows(ranks: int) -> list[tuple[int, int]]:
    """First rank (from 1) and width of each row of the table over ``ranks`` ranks."""
    rows = [(rank, 1) for rank in range(1, min(ranks, SINGLE_RANKS) + 1)]
    first = SINGLE_RANKS + 1
    while first <= ranks:
        width = min(first // GROWTH, ranks + 1 - first)
        rows.append((first, width))
        first += width
    return rows


def zipf_weight(first: int, width: int) -> int:
    """Weight of one row: its width times the weight of the rank in its middle (exact for a width of 1)."""
    return WEIGHT * 2 * width // (2 * first + width - 1)


def scatter(slots: int) -> int:
    """A multiplier that spreads neighbouring ranks over the whole namespace: near the golden section of
    ``slots``, and coprime to it, so that ``rank * multiplier % slots`` meets every slot once.
    """
    multiplier = max(1, slots * 618 // 1000)
    while gcd(multiplier, slots) != 1:
        multiplier += 1
    return multiplier


def zipf_slots(slots: int, random: Random) -> Iterator[int]:
    """Draws slots (0 .. slots - 1) without end; the r-th hottest comes about 1/r as often as the hottest.
    Which slots are hot is fixed by one draw from ``random`` at the first.
    """
    rows = zipf_rows(slots)
    weights = list(accumulate(zipf_weight(first, width) for first, width in rows))
    ends = [(weight << DRAW_BITS) // weights[-1] for weight in weights]
    multiplier, origin = scatter(slots), random.randrange(slots)
    bits = random.getrandbits
    while True:
        rank, width = rows[bisect_right(ends, bits(DRAW_BITS))]
        if width > 1:
            rank += bits(32) * width >> 32
        yield (rank * multiplier + origin) % slots
