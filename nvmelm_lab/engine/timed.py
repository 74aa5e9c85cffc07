"""The schedule with a clock: the run is a discrete-event simulation in integer ns."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from nvmelm_lab.engine.step import UNTIL

if TYPE_CHECKING:
    from nvmelm_lab.engine.core import Actor, Engine


class Timed:
    """A step starts when its actor and the resource that it needs are free, and acts at its end.

    Steps that end at the same ns happen in the order of their actors' names.  Choices take their first option:
    the habit of the device.
    """

    __slots__ = ("_heap", "now")

    def __init__(self) -> None:
        self.now = 0
        self._heap: list[tuple[int, str, Actor]] = []

    def bind(self, engine: Engine) -> None:
        """Nothing to keep: the clock is all there is."""

    def offer(self, actor: Actor) -> None:
        """Reserve the resource and note when the step will act."""
        kind = actor.kind
        uses = kind.uses
        if uses is not None:
            resource, busy, latency = uses(actor.subject)
            start = resource.free_at
            if start < self.now:
                start = self.now
            resource.free_at = start + busy
            end = start + busy + latency
        elif kind.shares is not None:
            end = self.now
            for resource, busy, latency in kind.shares(actor.subject):
                resource.free_at = max(resource.free_at, self.now) + busy
                end = max(end, resource.free_at + latency)
            end += kind.takes
        elif kind is UNTIL:
            end = max(self.now, actor.subject)
        else:
            end = self.now + kind.takes
        heappush(self._heap, (end, actor.name, actor))

    def next(self) -> Actor | None:
        """The actor whose step ends first."""
        while self._heap:
            end, _, actor = heappop(self._heap)
            if not actor.stopped:
                self.now = end
                return actor
        return None

    def choose(self, actor: Actor, name: str, options: int) -> int:
        """The habit."""
        return 0
