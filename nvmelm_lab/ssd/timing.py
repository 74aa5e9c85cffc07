"""How long an SSD takes, in integer ns, for the schedule `Timed`.  No other module holds such a number."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of one SSD, in ns, and the width of its back end.

    The defaults are those of a small enterprise drive: 4 channels, reads of 60 us, writes into a buffer.
    """

    fetch: int = 700
    post: int = 500
    admin: int = 8_000
    read: int = 60_000
    write: int = 12_000
    deallocate: int = 9_000
    flush: int = 20_000
    sanitize: int = 2_000_000
    per_kib: int = 300
    channels: int = 4
