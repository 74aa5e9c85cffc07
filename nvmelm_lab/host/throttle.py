"""Processors that get less than all of the time: what is taken away, and what that adds up to.

Hypervisors slow a guest down whose migration does not converge (auto-converge): they take its virtual processors
away for a growing share of the time.  So does the VMM here, in virtual time; who is slowed finds its own pace in
`guest.py`.  Where no clock runs there is no time to take away, and a throttle changes nothing but its `percent`:
schedules without a clock let a guest be as slow as it can be anyway.
"""

from __future__ import annotations

MOST = 99
"""Percent that can be taken away; the guest always goes on."""

FIRST, STEP = 20, 10
"""Percent that are taken away at first, and that are added when this does not help."""

SLICE_NS = 100_000
"""How long a slowed guest idles until it looks again whether it is still slowed, in virtual ns."""


def next_percent(percent: int) -> int:
    """What to take away when `percent` does not help."""
    return percent + STEP if percent else FIRST


class Throttle:
    """Of one VM.

    percent
        Share of its processors' time that is taken away now: 0 to `MOST`.
    taken_ns
        What had been taken away when `percent` last changed; all there is while it is 0.
    """

    __slots__ = ("_since", "percent", "taken_ns")

    def __init__(self) -> None:
        self.percent = 0
        self.taken_ns = 0
        self._since = 0

    def set(self, percent: int, now: int) -> None:
        """Take away `percent` from the virtual time `now` on."""
        self.taken_ns, self._since, self.percent = self.taken(now), now, percent

    def taken(self, now: int) -> int:
        """What has been taken away until `now`, in whole ns."""
        return self.taken_ns + (now - self._since) * self.percent // 100

    def look_again(self, now: int, left: int) -> int:
        """When to look again for who still needs `left` ns of processor time at `now`."""
        return now + min(SLICE_NS, -(-left * 100 // (100 - self.percent)))
