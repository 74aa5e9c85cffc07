"""Making a summary while a run goes on: an observer of its effects that takes a frame from time to time.

It follows one guest's namespace and never looks into a device.  A frame is taken when a step begins after its time
has come, so it shows how things stood between two steps; always so after a phase began, a round ended or a VM was
paused or started.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from nvmelm_lab.engine import MOST_FRAMES, MOST_TILES, Engine, Frame, Summary, pack_runs
from nvmelm_lab.runs.follower import TAKERS, Effect, Follower
from nvmelm_lab.runs.roles import Roles

COUNTERS: Final = (
    "guest writes",
    "copied",
    "behind",
    "rounds",
    "overflows",
    "downtime",
    "head",
    "tail",
)
"""Levels of a frame: commands of the guest that changed data and were acknowledged; LBAs written at the destination
by copies; LBAs that changed and were not copied since; rounds; how often the Migration Queue was full; ns that the VM
stood still; head and tail of the Migration Queue, which are slots."""

FIRST_INTERVAL_NS, FIRST_INTERVAL_STEPS = 20_000, 16
"""How far apart frames are at first; the interval grows with the run."""

_WRITES: Final = frozenset(("write", "trim", "zeroes", "uncorrectable"))


class Summarizer:
    """Summarizes what happens in `engine` from now on, as seen from the guest of `roles`.

    most_tiles, most_frames
        Tiles of a map at most, of which each is as many LBAs as that takes, a power of two; and frames at most.
    """

    def __init__(
        self, engine: Engine, roles: Roles, *, most_tiles: int = MOST_TILES, most_frames: int = MOST_FRAMES
    ) -> None:
        tile = 1 << (-(-roles.blocks // most_tiles) - 1).bit_length()
        self._engine = engine
        self._follower = Follower(roles, tile, self._look)
        self.roles = self._follower.roles
        self._timed = engine.now >= 0
        interval = FIRST_INTERVAL_NS if self._timed else FIRST_INTERVAL_STEPS
        self._summary = Summary(self._about(), COUNTERS, self._follower.content.tiles, interval, most_frames)
        self._writes = self._rounds = self._overflows = 0
        self._stood_ns = 0
        self._paused_ns = -1
        self._is_over = False
        # The last step that was told of, and when it was.
        self._step, self._now = -1, engine.now
        self._words: list[tuple[Any, ...]] = [("begin",)]
        self._wanted = False
        self._take_frame()
        self._due = interval
        for word, note in _OWN.items():
            engine.observe(word, self._observer(note), frequent=True)
        for word, follow in TAKERS.items():
            engine.observe(word, self._following(follow), frequent=True)

    def so_far(self) -> Summary:
        """The summary up to now."""
        self._take_frame()
        self._summary.about.update(slots=self._follower.slots, cdqid=self._follower.cdqid)
        return self._summary

    def finish(self) -> Summary:
        """The summary, to which nothing comes any more."""
        self._is_over = True
        return self.so_far()

    # -- observing -----------------------------------------------------------------------------------------

    def _observer(self, note: Callable[[Summarizer, Effect], None]) -> Callable[[Effect], None]:
        def observe(effect: Effect) -> None:
            if not self._is_over:
                self._look()
                note(self, effect)

        return observe

    def _following(self, follow: Callable[[Follower, Effect], None]) -> Callable[[Effect], None]:
        follower = self._follower

        def observe(effect: Effect) -> None:
            if not self._is_over:
                follow(follower, effect)

        return observe

    def _look(self) -> None:
        """Something is about to change: take a frame first when this is another step, and it is time for one."""
        step = self._engine.step_index
        if step == self._step:
            return
        now = self._engine.now
        when = now if self._timed else step
        if when >= self._due or self._wanted:
            self._take_frame()
            interval = self._summary.interval
            self._due = (when // interval + 1) * interval
        self._step, self._now = step, now
        self._follower.next_step()

    def _acknowledged(self, effect: Effect) -> None:
        self._writes += effect[2] in _WRITES and self.roles.is_guest(effect[1])

    def _phase(self, effect: Effect) -> None:
        self._words.append(("phase", effect[1]))
        self._wanted = True

    def _round(self, effect: Effect) -> None:
        self._rounds = effect[1]
        self._wanted = True

    def _queue_full(self, effect: Effect) -> None:
        self._overflows += self._follower.is_ours(effect[1], effect[2])

    def _vm(self, effect: Effect) -> None:
        if effect[1] != self.roles.guest:
            return
        self._wanted = True
        if effect[2] == "paused":
            self._words.append(("paused",))
            self._paused_ns = self._now
        else:
            self._words.append(("running", self.roles.is_at_destination(effect[3])))
            self._stood_ns, self._paused_ns = self._downtime(), -1

    # -- frames --------------------------------------------------------------------------------------------

    def _take_frame(self) -> None:
        """How things stand after the last step; no frame where they stand as in the one before."""
        self._wanted = False
        maps = tuple(pack_runs(runs) for runs in self._follower.content.news())
        frame = Frame(self._now, self._step, tuple(self._words), self._levels(), maps)
        self._words.clear()
        before = self._summary.frames[-1] if self._summary.frames else None
        if before is None or frame.words or any(maps) or frame.counters != before.counters:
            self._summary.add(frame)

    def _levels(self) -> tuple[int, ...]:
        """The counters, in their order."""
        at = self._follower
        return (
            self._writes, at.copied, at.content.behind, self._rounds, self._overflows,
            self._downtime(), at.head, at.tail,
        )  # fmt: skip

    def _downtime(self) -> int:
        standing = self._now - self._paused_ns if self._timed and self._paused_ns >= 0 else 0
        return self._stood_ns + standing

    def _about(self) -> dict[str, Any]:
        """What a reader has to know of the run; the Migration Queue is known only later."""
        roles = self.roles
        return {
            "guest": roles.guest,
            "here": roles.here,
            "there": roles.there,
            "blocks": roles.blocks,
            "block_bytes": roles.block_bytes,
            "tile": self._follower.content.tile,
            "timed": self._timed,
        }


_OWN: Final[dict[str, Callable[[Summarizer, Effect], None]]] = {
    "acknowledged": Summarizer._acknowledged,
    "phase": Summarizer._phase,
    "round": Summarizer._round,
    "queue full": Summarizer._queue_full,
    "vm": Summarizer._vm,
}
"""Words of the effects that a summary counts or marks itself."""
