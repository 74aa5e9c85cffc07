"""How much the processors of a host have to do, beside what the guest does itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class HostWork:
    """What it costs a host to learn of a guest's changes: steps of its software, and their time in ns."""

    steps: int = 0
    ns: int = 0

    def add(self, steps: int, ns: int) -> None:
        """That much more."""
        self.steps += steps
        self.ns += ns
