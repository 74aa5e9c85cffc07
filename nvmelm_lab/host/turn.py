"""Turns: what belongs together is not interleaved with what somebody else does on the same controller."""

from __future__ import annotations

from nvmelm_lab.engine import Engine, Signal


class Turn:
    """One actor at a time is inside ``async with turn``; first come, first served."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._served = Signal(engine, f"the turn at {name}")
        self._taken = 0

    async def __aenter__(self) -> None:
        number, self._taken = self._taken, self._taken + 1
        await self._served.wait(number)

    async def __aexit__(self, *_how: object) -> None:
        self._served.raise_to(self._served.level + 1)
