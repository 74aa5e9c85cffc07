"""The access patterns behind the built-in workloads: iterators of operations, endless except for idle.

All take the same four: size of the namespace in LBAs, seed, writes per second, LBAs per I/O.  Times are
regular, in whole ns; places come from the pattern's own random stream.  ``workloads.py`` names the patterns
and checks the numbers that they get.
"""

from collections.abc import Iterator
from itertools import count, cycle

from nvmelm_lab.engine.streams import stream
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.workload_zipf import zipf_slots

READ, WRITE, TRIM = OperationKind.READ, OperationKind.WRITE, OperationKind.TRIM
ZEROES, FLUSH = OperationKind.ZEROES, OperationKind.FLUSH

SECOND_NS = 1_000_000_000

MIX = (READ,) * 14 + (WRITE,) * 12 + (TRIM,) * 3 + (ZEROES,) * 2 + (FLUSH,)
"""Of 32 operations of the mixed workload, so many of each kind; any is drawn with 5 bits."""
MIX_WRITES = MIX.count(WRITE) + MIX.count(ZEROES)

LOAD_BY_HOUR = (12, 8, 6, 5, 5, 8, 16, 35, 62, 85, 95, 100, 90, 88, 96, 98, 92, 80, 66, 58, 50, 40, 28, 18)
"""Load of a day's hours from midnight, in percent of the busiest."""
HOUR_NS_PER_BLOCK = 100
"""A compressed hour lasts so long for each LBA of the namespace: the day then takes about as long as copying
the namespace twice at 3 GB/s, and it matters at which hour a migration begins."""
SHORTEST_HOUR_NS = 1_000_000


def sequential(blocks: int, seed: int, writes_per_second: int, blocks_per_io: int) -> Iterator[Operation]:
    """Writes from the first LBA to the last, then again from the first.  Draws no random numbers."""
    gap = SECOND_NS // writes_per_second
    for number, (slba, size) in enumerate(_laps(0, blocks, blocks_per_io)):
        yield Operation(WRITE, slba, size, number * gap)


def uniform(blocks: int, seed: int, writes_per_second: int, blocks_per_io: int) -> Iterator[Operation]:
    """Writes that fall on every place equally often."""
    last = blocks - blocks_per_io
    gap = SECOND_NS // writes_per_second
    slots = _slots(blocks, blocks_per_io)
    bits = stream(seed, "workload/uniform").getrandbits
    for at_ns in count(0, gap):
        slba = (bits(48) * slots >> 48) * blocks_per_io
        yield Operation(WRITE, slba, blocks_per_io if slba <= last else blocks - slba, at_ns)


def zipf(blocks: int, seed: int, writes_per_second: int, blocks_per_io: int) -> Iterator[Operation]:
    """Writes of which the hottest places take most: the r-th hottest is hit 1/r as often as the hottest."""
    last = blocks - blocks_per_io
    gap = SECOND_NS // writes_per_second
    places = zipf_slots(_slots(blocks, blocks_per_io), stream(seed, "workload/zipf"))
    for at_ns, place in zip(count(0, gap), places, strict=False):
        slba = place * blocks_per_io
        yield Operation(WRITE, slba, blocks_per_io if slba <= last else blocks - slba, at_ns)


def mixed(blocks: int, seed: int, writes_per_second: int, blocks_per_io: int) -> Iterator[Operation]:
    """Reads, writes, deallocations, Write Zeroes and flushes on the same hot and cold places."""
    last = blocks - blocks_per_io
    gap = SECOND_NS * MIX_WRITES // (len(MIX) * writes_per_second)
    places = zipf_slots(_slots(blocks, blocks_per_io), stream(seed, "workload/mixed/places"))
    bits = stream(seed, "workload/mixed/kinds").getrandbits
    for at_ns in count(0, gap):
        kind = MIX[bits(5)]
        if kind is FLUSH:
            yield Operation(FLUSH, 0, 0, at_ns)
            continue
        slba = next(places) * blocks_per_io
        yield Operation(kind, slba, blocks_per_io if slba <= last else blocks - slba, at_ns)


def ai_training(blocks: int, seed: int, writes_per_second: int, blocks_per_io: int) -> Iterator[Operation]:
    """Rounds of: read on in the data set (the first three quarters of the namespace), write a checkpoint in
    one burst to that half of the rest that does not hold the last one, flush, rest.  Of a round's time,
    reading takes two parts, the burst one, resting one.  Draws no random numbers.
    """
    gap = SECOND_NS // writes_per_second
    first = blocks - max(1, blocks // 4)
    middle = (first + blocks) // 2
    data_set = _laps(0, max(first, 1), blocks_per_io)
    at_ns = 0
    for start, end in cycle([(first, middle), (middle, blocks)]):
        burst = _slots(max(end - start, 1), blocks_per_io)
        for _ in range(2 * burst):
            slba, size = next(data_set)
            yield Operation(READ, slba, size, at_ns)
            at_ns += gap
        for slba in range(start, end, blocks_per_io):
            yield Operation(WRITE, slba, min(blocks_per_io, end - slba), at_ns)
            at_ns += gap
        yield Operation(FLUSH, 0, 0, at_ns)
        at_ns += burst * gap


def diurnal(blocks: int, seed: int, writes_per_second: int, blocks_per_io: int) -> Iterator[Operation]:
    """As many reads as writes on hot and cold places, following the load of a day that begins at midnight;
    ``writes_per_second`` is the rate of the busiest hour.
    """
    last = blocks - blocks_per_io
    hour_ns = max(SHORTEST_HOUR_NS, blocks * HOUR_NS_PER_BLOCK)
    places = zipf_slots(_slots(blocks, blocks_per_io), stream(seed, "workload/diurnal"))
    at_ns, hour_end = 0, 0
    for load in cycle(LOAD_BY_HOUR):
        hour_end += hour_ns
        gap = max(1, SECOND_NS * 100 // (2 * writes_per_second * load))
        while at_ns < hour_end:
            for kind in (READ, WRITE):
                slba = next(places) * blocks_per_io
                yield Operation(kind, slba, blocks_per_io if slba <= last else blocks - slba, at_ns)
                at_ns += gap


def idle(blocks: int, seed: int, writes_per_second: int, blocks_per_io: int) -> Iterator[Operation]:
    """Nothing at all: what a migration costs by itself."""
    return iter(())


def _slots(blocks: int, blocks_per_io: int) -> int:
    """How many places an I/O can begin at; the last I/O may be shorter than the others."""
    return (blocks + blocks_per_io - 1) // blocks_per_io


def _laps(start: int, end: int, blocks_per_io: int) -> Iterator[tuple[int, int]]:
    """First LBA and count of each I/O that walks from ``start`` to ``end``, round and round."""
    while True:
        for slba in range(start, end, blocks_per_io):
            yield slba, min(blocks_per_io, end - slba)
