"""What a guest was promised about each of its LBAs: the values that a Read may return.

A write that was acknowledged must be found, unless another may have come after it; one that is in flight, or
that failed, may be found or not.  The oracle asks the ledger; nothing here looks at a device.
"""

from __future__ import annotations

from collections.abc import Sequence

UNREADABLE = -1
"""Stands for "a Read ends with an error" among the values of a block."""


class _Candidate:
    """A value that an LBA may have: when its write was submitted, and when it ended (None: in flight)."""

    __slots__ = ("ended", "submitted", "value")

    def __init__(self, value: int, submitted: int, ended: int | None) -> None:
        self.value = value
        self.submitted = submitted
        self.ended = ended


class Reading:
    """A Read in flight, of `blocks` LBAs from `slba` on.

    also
        LBA -> values that it may have had since the Read was submitted, where there were several.
    """

    __slots__ = ("also", "blocks", "slba")

    def __init__(self, slba: int, blocks: int) -> None:
        self.slba = slba
        self.blocks = blocks
        self.also: dict[int, set[int]] = {}


class Ledger:
    """Values of a namespace's LBAs; all start as zeros.

    Ranges are a first LBA and the values of it and those that follow.
    """

    __slots__ = ("_clock", "_open", "_promised", "_readings", "_written")

    def __init__(self) -> None:
        self._clock = 0
        self._readings: list[Reading] = []
        # Most LBAs have exactly one possible value.
        self._promised: dict[int, int] = {}
        # Most others have a single write in flight besides: its value, and when it was submitted.
        self._written: dict[int, tuple[int, int]] = {}
        # The rest are open: all that they may have, the promised value too.
        self._open: dict[int, list[_Candidate]] = {}

    def submitted(self, slba: int, values: Sequence[int]) -> None:
        """A write of `values` was handed to the device: each LBA may now hold the old or the new."""
        self._clock += 1
        for lba, value in enumerate(values, slba):
            if lba in self._open or lba in self._written:
                self._opened(lba).append(_Candidate(value, self._clock, None))
            else:
                self._written[lba] = (value, self._clock)
        if self._readings:
            self._note_for_readings(slba, slba + len(values))

    def acknowledged(self, slba: int, values: Sequence[int]) -> None:
        """The write completed successfully: whatever had ended before it was submitted is overwritten."""
        self._clock += 1
        for lba, value in enumerate(values, slba):
            if self._written.pop(lba, None) is not None:
                self._promised[lba] = value
                continue
            candidates = self._open[lba]
            own = _in_flight(candidates, value)
            own.ended = self._clock
            left = [each for each in candidates if each.ended is None or each.ended > own.submitted]
            if len(left) == 1:
                self._promised[lba] = value
                del self._open[lba]
            else:
                self._open[lba] = left

    def failed(self, slba: int, values: Sequence[int]) -> None:
        """The write ended with an error: both the old and the new value stay possible."""
        self._clock += 1
        for lba, value in enumerate(values, slba):
            _in_flight(self._opened(lba), value).ended = self._clock

    def destroyed(self, lba: int) -> None:
        """The media lost the LBA: a Read of it may fail from now on, until it is written again."""
        self._clock += 1
        candidates = self._open.get(lba) or self._opened_from_promise(lba)
        candidates.append(_Candidate(UNREADABLE, self._clock, self._clock))
        self._note_for_readings(lba, lba + 1)

    def _opened_from_promise(self, lba: int) -> list[_Candidate]:
        if lba not in self._written:
            self._open[lba] = [_Candidate(self._promised.get(lba, 0), 0, 0)]
        return self._opened(lba)

    def _opened(self, lba: int) -> list[_Candidate]:
        """All that an LBA may have, which has more than one possible value."""
        if lba in self._written:
            value, submitted = self._written.pop(lba)
            promised = _Candidate(self._promised.get(lba, 0), 0, 0)
            self._open[lba] = [promised, _Candidate(value, submitted, None)]
        return self._open[lba]

    def allowed(self, lba: int) -> frozenset[int]:
        """The values that a Read of `lba` may return now."""
        if lba in self._open:
            return frozenset(candidate.value for candidate in self._open[lba])
        promised = self._promised.get(lba, 0)
        return frozenset((promised, self._written[lba][0]) if lba in self._written else (promised,))

    def first_broken(self, slba: int, values: Sequence[int]) -> int | None:
        """The first LBA whose value was not promised, or None when all are."""
        promised, opened, written = self._promised, self._open, self._written
        for lba, value in enumerate(values, slba):
            if lba in written or lba in opened:
                if value not in self.allowed(lba):
                    return lba
            elif value != promised.get(lba, 0):
                return lba
        return None

    # -- Reads, which may overtake writes and be overtaken -------------------------------------------------

    def read_submitted(self, slba: int, blocks: int) -> Reading:
        """A Read was handed to the device; it may find whatever is there at any moment until it ends."""
        reading = Reading(slba, blocks)
        if self._open or self._written:
            for lba in range(slba, slba + blocks):
                if lba in self._open or lba in self._written:
                    reading.also[lba] = set(self.allowed(lba))
        self._readings.append(reading)
        return reading

    def read_ended(self, reading: Reading) -> None:
        """The Read has ended."""
        self._readings.remove(reading)

    def may_find(self, reading: Reading, lba: int, value: int) -> bool:
        """Whether the Read, which has ended, may have found `value` in `lba`."""
        return value in self.allowed(lba) or value in reading.also.get(lba, ())

    def first_wrong(self, reading: Reading, values: Sequence[int]) -> int | None:
        """The first LBA of which the Read returned what it may not have found, or None."""
        if self.first_broken(reading.slba, values) is None:
            return None
        return next(
            (lba for lba, value in enumerate(values, reading.slba) if not self.may_find(reading, lba, value)),
            None,
        )

    def _note_for_readings(self, slba: int, end: int) -> None:
        for reading in self._readings:
            for lba in range(max(slba, reading.slba), min(end, reading.slba + reading.blocks)):
                reading.also.setdefault(lba, set()).update(self.allowed(lba))

    def is_busy(self, slba: int, blocks: int) -> bool:
        """Whether a write is in flight on one of the LBAs."""
        lbas = range(slba, slba + blocks)
        if not self._written.keys().isdisjoint(lbas):
            return True
        if not self._open:
            return False
        return any(
            candidate.ended is None for lba in lbas if lba in self._open for candidate in self._open[lba]
        )


def _in_flight(candidates: list[_Candidate], value: int) -> _Candidate:
    return next(each for each in candidates if each.ended is None and each.value == value)
