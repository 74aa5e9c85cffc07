"""Following one guest's namespace through a run: what its effects did to blocks and to the Migration Queue.

A film hands over the effects of a trace, a summary those that it observes; both see the same states.  Whose
command it was is told by the controller that fetched it.  Nothing here knows words or pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from nvmelm_lab.nvme import SQE, IoOpcode
from nvmelm_lab.runs.content import DESTINATION, NOTHING, SOURCE, UNREADABLE, Content
from nvmelm_lab.runs.roles import Roles

Effect = tuple[Any, ...]
Span = tuple[int, int]
"""``(SLBA, LBAs)``."""

VALUES: Final[Mapping[str, int]] = {"zeroes": 0, "uncorrectable": UNREADABLE, "deallocated": NOTHING}
"""What a change that is not a Write leaves in each block."""


class Follower:
    """The namespace of `roles` as it stands, in tiles of `tile` LBAs.

    roles
        Those given, without what the source held at the start.
    slots, cdqid, head, tail
        The Migration Queue that tells of the guest, 0 slots before there is one; `head` and `tail` are slots.
    copied
        LBAs that were written at the destination by others than the guest, again and again included.
    before_change
        Called before each change of what can be seen, when it is still as it was.
    """

    def __init__(self, roles: Roles, tile: int = 1, before_change: Callable[[], None] | None = None) -> None:
        self.roles = replace(roles, held=())
        self.content = Content(roles.blocks, roles.held, tile)
        self.slots = self.cdqid = self.head = self.tail = 0
        self.copied = 0
        self._before_change = before_change if before_change is not None else _nothing
        self._queue: tuple[str, int] | None = None
        self._was_reset = ""
        self._guests = frozenset((roles.guest, *roles.neighbours))
        self._own = frozenset((roles.here, roles.there))
        self._aside = frozenset().union(*roles.neighbours.values())
        # Reads of the source that were submitted, by queue, until their doorbell; commands of copies by name; and
        # Reads whose blocks have not arrived yet.
        self._submitted: dict[int, list[Span]] = {}
        self._spans: dict[str, Span] = {}
        self._copies: dict[Span, int] = {}

    def next_step(self) -> None:
        """The effects that follow are those of another step."""
        self._was_reset = ""

    def take(self, effect: Effect) -> None:
        """One more effect."""
        taker = TAKERS.get(effect[0])
        if taker is not None:
            taker(self, effect)

    # -- the Migration Queue -------------------------------------------------------------------------------

    def is_ours(self, mmc: str, cdqid: int) -> bool:
        """Whether this is the queue that tells of the guest that is looked at."""
        return self._queue == (mmc, cdqid)

    def _queue_created(self, effect: Effect) -> None:
        _, mmc, cdqid, slots, target = effect
        if target == self.roles.here:
            self._before_change()
            self._queue = mmc, cdqid
            self.slots, self.cdqid = slots, cdqid
            self.head = self.tail = 0

    def _queue_deleted(self, effect: Effect) -> None:
        if self.is_ours(effect[1], effect[2]):
            self._before_change()
            self.head = self.tail
            self.content.watched = False

    def _logging(self, effect: Effect) -> None:
        if self.is_ours(effect[1], effect[2]):
            self.content.watched = effect[4]

    def _entry(self, effect: Effect) -> None:
        if self.is_ours(effect[1], effect[2]):
            self._before_change()
            self.tail = (effect[3] + 1) % self.slots

    def _head(self, effect: Effect) -> None:
        if self.is_ours(effect[1], effect[2]):
            self._before_change()
            self.head = effect[3]

    # -- copies under way ----------------------------------------------------------------------------------

    def _submitted_read(self, effect: Effect) -> None:
        _, who, qid, _, raw = effect
        if not qid or raw[0] != _READ or who in self._guests or who.startswith("shim "):
            return
        span = self._span(raw)
        if span is not None:
            self._submitted.setdefault(qid, []).append(span)

    def _doorbell(self, effect: Effect) -> None:
        _, controller, _, qid, _, _ = effect
        if controller == self.roles.mmc_here and qid in self._submitted and effect[2] == "SQ":
            self._before_change()
            for span in self._submitted.pop(qid):
                self._copies[span] = self._copies.get(span, 0) + 1
                self.content.copy_begins(*span)

    def _fetched(self, effect: Effect) -> None:
        _, controller, qid, _, name, raw = effect
        if qid and raw[0] in _RANGED and controller in (self.roles.mmc_here, self.roles.mmc_there):
            span = self._span(raw)
            if span is not None:
                self._spans[name] = span

    def _completed(self, effect: Effect) -> None:
        _, _, _, name, status, _ = effect
        span = self._spans.pop(name, None)
        if status and span is not None:
            self._copy_ends(span)

    def _copy_ends(self, span: Span) -> None:
        """The blocks of a Read have arrived, or never will."""
        under_way = self._copies.pop(span, 0)
        if under_way:
            self._before_change()
            self.content.copy_ends(*span)
        if under_way > 1:
            self._copies[span] = under_way - 1

    def _span(self, raw: bytes) -> Span | None:
        """The LBAs that an SQE names, as far as they are some that are looked at."""
        sqe = SQE.unpack(raw)
        slba, blocks = sqe[_CDW11] << 32 | sqe[_CDW10], (sqe[_CDW12] & 0xFFFF) + 1
        if sqe[_NSID] != self.roles.nsid or slba + blocks > self.roles.blocks:
            return None
        return slba, blocks

    # -- blocks --------------------------------------------------------------------------------------------

    def _wrote(self, effect: Effect) -> None:
        _, ssd, nsid, slba, stamps, name = effect
        if nsid == self.roles.nsid and self._changed(ssd, slba, stamps, name):
            self.copied += len(stamps)

    def _otherwise_changed(self, effect: Effect) -> None:
        _, ssd, word, name, changes = effect
        for nsid, slba, blocks, _ in changes:
            if nsid == self.roles.nsid:
                self._changed(ssd, slba, (VALUES[word],) * blocks, name)

    def _changed(self, ssd: str, slba: int, values: Sequence[int], name: str) -> bool:
        """New values in some LBAs; gives whether they were copied."""
        side = SOURCE if ssd == self.roles.ssd_here else DESTINATION
        controller = name.partition(".")[0]
        if controller in self._aside:
            return False
        self._before_change()
        if controller in self._own or side == SOURCE:
            self.content.guest_changed(side, slba, values)
            return False
        self._copy_ends((slba, len(values)))
        self.content.copied(slba, values)
        return True

    def _namespace_deleted(self, effect: Effect) -> None:
        _, ssd, nsid = effect
        if ssd == self.roles.ssd_there and nsid == self.roles.nsid:
            self._before_change()
            self.content.lose_destination()

    # -- who runs ------------------------------------------------------------------------------------------

    def _reset(self, effect: Effect) -> None:
        self._before_change()
        self._was_reset = effect[1]

    def _resumed(self, effect: Effect) -> None:
        self._before_change()
        # A reset ends the suspension, but what it leaves does not run.
        if effect[1] == self.roles.there and self._was_reset != effect[1]:
            self._settle()

    def _vm(self, effect: Effect) -> None:
        if effect[1] != self.roles.guest or effect[2] != "running":
            return
        self._before_change()
        if self.roles.is_at_destination(effect[3]):
            self._settle()
        elif self.content.settled:
            self.content.unsettle()

    def _settle(self) -> None:
        if not self.content.settled:
            self.content.settle()


def _nothing() -> None:
    """Nobody wants to know."""


_READ: Final = int(IoOpcode.READ)
_RANGED: Final = frozenset(
    map(int, (IoOpcode.READ, IoOpcode.WRITE, IoOpcode.WRITE_ZEROES, IoOpcode.WRITE_UNCORRECTABLE))
)
_NSID, _CDW10, _CDW11, _CDW12 = 3, 9, 10, 11

TAKERS: Final[Mapping[str, Callable[[Follower, Effect], None]]] = {
    "queue created": Follower._queue_created,
    "queue deleted": Follower._queue_deleted,
    "logging": Follower._logging,
    "entry": Follower._entry,
    "head": Follower._head,
    "submitted": Follower._submitted_read,
    "doorbell": Follower._doorbell,
    "fetched": Follower._fetched,
    "completed": Follower._completed,
    "wrote": Follower._wrote,
    "changed": Follower._otherwise_changed,
    "namespace deleted": Follower._namespace_deleted,
    "reset": Follower._reset,
    "resumed": Follower._resumed,
    "vm": Follower._vm,
}
"""Words of the effects that matter, and what becomes of each."""
