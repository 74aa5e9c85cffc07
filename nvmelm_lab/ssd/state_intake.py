"""A controller state on its way in, part by part: which of its bytes have come, and what they are.

Parts may come in any order and overlap, what comes later counts; a byte that never came is found when the state is
to be committed.  What a state means is not known here.  Source: Base 2.1, section 5.1.17.1.3.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.controller_state import HEADER_BYTES, stated_sizes
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import Refused

MAX_STATE_BYTES = 1 << 20
"""Longest controller state that an SSD of the kit takes in."""


@dataclass(frozen=True, slots=True)
class StateIntake:
    """What has come: `data` from byte 0 on, of which the spans ``(first, behind)`` in `received` were sent."""

    data: bytes = b""
    received: tuple[tuple[int, int], ...] = ()

    def with_part(self, offset: int, part: bytes) -> StateIntake:
        """The same with one part more.

        Refused with Invalid Field when `offset` is no dword or lies behind the state's end, as far as a header has
        come that says where that is.
        """
        behind = offset + len(part)
        if offset & 3 or offset > self._size() or behind > MAX_STATE_BYTES:
            raise Refused(Status.INVALID_FIELD)
        data = bytearray(self.data.ljust(behind, b"\0"))
        data[offset:behind] = part
        return StateIntake(bytes(data), _joined((*self.received, (offset, behind))))

    def whole(self) -> bytes:
        """All that has come; Refused with Invalid Field when something before the state's end has not."""
        if not self._has(HEADER_BYTES) or not self._has(self._size()):
            raise Refused(Status.INVALID_FIELD)
        return self.data

    def _has(self, behind: int) -> bool:
        return bool(self.received) and self.received[0][0] == 0 and self.received[0][1] >= behind

    def _size(self) -> int:
        """How long the state is by its header; without one that can be read, as long as any may be."""
        if not self._has(HEADER_BYTES):
            return MAX_STATE_BYTES
        try:
            return stated_sizes(self.data).total
        except InputError:
            return MAX_STATE_BYTES


def _joined(spans: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """The same bytes in the fewest spans, in order; an empty one says nothing."""
    joined: list[tuple[int, int]] = []
    for first, behind in sorted(span for span in spans if span[0] < span[1]):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], behind)
        else:
            joined.append((first, behind))
    return tuple(joined)
