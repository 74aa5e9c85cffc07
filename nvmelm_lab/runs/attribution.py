"""Whose command is whose: a trace told back as commands, each with who submitted it and what it asks for.

A trace speaks of SQEs, doorbells and fetches; this joins them.  Nothing here knows sentences or pictures.
"""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from nvmelm_lab.nvme import SQE, AdminOpcode, IoOpcode, Sqe


class Role(Enum):
    """Whose command it is, as far as a learner is concerned."""

    GUEST = "guest"
    COPY = "copy"
    ADMIN = "admin"
    SHIM = "shim"
    ASIDE = "aside"


COMPLETER: Final = ".completion"
"""What the name of an actor ends with that posts a command's completion while another posts its entries."""

_ERRAND: Final = re.compile(rf"\.marker$|{re.escape(COMPLETER)}$| aborted$")


def command_name(actor: str) -> str:
    """The name of the command for which an actor works: its own, but for one that posts its marker or completion."""
    return _ERRAND.sub("", actor)


@dataclass(slots=True)
class Command:
    """One command of a run.

    who
        The name of the queue pair that it was put into: "guest", "VMM on X", "copy task 2".
    controller
        The controller that fetched it; "" before.
    span
        ``(SLBA, blocks)`` of what it reads or changes, where that is known; None otherwise.
    changed
        Whether it changed blocks of the namespace that is looked at.
    asked, executed
        The frames in which it was handed over and carried out; -1 for none.
    status
        Of its completion; -1 before.
    """

    role: Role
    who: str
    actor: str
    qid: int
    raw: bytes
    sqe: Sqe
    controller: str = ""
    span: tuple[int, int] | None = None
    changed: bool = False
    asked: int = -1
    executed: int = -1
    status: int = -1

    @property
    def select(self) -> int:
        """SEL, FID or action of an admin command: what tells its variants apart."""
        return self.sqe.cdw10 & (0xF if self.sqe.opcode in _SHORT_SELECT else 0xFF)

    @property
    def is_admin(self) -> bool:
        """Whether it went through an admin queue."""
        return self.qid == 0


@dataclass(slots=True)
class Commands:
    """All commands of a run that are under way.

    guest, controllers
        The name of the guest that is looked at, and of its controllers; `neighbours`: names of other guests.
    on_the_way
        Commands by actor, submitted since its last doorbell.
    """

    guest: str
    neighbours: frozenset[str]
    controllers: frozenset[str]
    on_the_way: dict[str, list[Command]] = field(default_factory=dict)
    _visible: dict[tuple[int, bytes], list[Command]] = field(default_factory=dict)
    _fetched: dict[str, Command] = field(default_factory=dict)
    _by_cid: dict[tuple[str, int, int], Command] = field(default_factory=dict)

    def submitted(self, actor: str, who: str, qid: int, cid: int, raw: bytes) -> Command:
        """An SQE was put into a Submission Queue."""
        command = self._make(actor, who, qid, raw)
        self.on_the_way.setdefault(actor, []).append(command)
        self._visible.setdefault((qid, raw), []).append(command)
        self._by_cid[who, qid, cid] = command
        return command

    def rung(self, actor: str) -> list[Command]:
        """The actor rang the doorbell: what it submitted is out of its hands."""
        return self.on_the_way.pop(actor, [])

    def fetched(self, controller: str, qid: int, name: str, raw: bytes) -> Command:
        """A controller took an SQE; the command is called `name` from here on."""
        waiting = self._visible.get((qid, raw))
        command = waiting.pop(0) if waiting else self._make("", self._host_of(controller), qid, raw)
        command.controller = controller
        self._fetched[name] = command
        return command

    def named(self, name: str) -> Command | None:
        """The command that was fetched under this name, or for which an actor of this name works."""
        return self._fetched.get(command_name(name))

    def awaited(self, who: str, cid: int) -> Command | None:
        """The command `cid` of one of `who`'s queues whose completion nobody has read yet."""
        found = (each for (name, _, number), each in self._by_cid.items() if (name, number) == (who, cid))
        return next(found, None)

    def reaped(self, who: str, qid: int, cid: int) -> Command | None:
        """The command whose completion was read."""
        return self._by_cid.pop((who, qid, cid), None)

    def _make(self, actor: str, who: str, qid: int, raw: bytes) -> Command:
        sqe = Sqe._make(SQE.unpack(raw))
        return Command(self._role(who, qid), who, actor, qid, raw, sqe, span=_span(sqe, qid))

    def _host_of(self, controller: str) -> str:
        return self.guest if controller in self.controllers else f"host of {controller}"

    def _role(self, who: str, qid: int) -> Role:
        if who == self.guest:
            return Role.GUEST
        if who in self.neighbours:
            return Role.ASIDE
        if who.removeprefix("shim ") in self.controllers:
            return Role.SHIM
        return Role.COPY if qid else Role.ADMIN


_SHORT_SELECT = frozenset(
    (
        AdminOpcode.VIRTUALIZATION_MANAGEMENT,
        AdminOpcode.NAMESPACE_MANAGEMENT,
        AdminOpcode.NAMESPACE_ATTACHMENT,
    )
)
LOOKING = frozenset((IoOpcode.READ, IoOpcode.COMPARE, IoOpcode.VERIFY))
"""I/O commands that change nothing."""

_RANGED = LOOKING | {IoOpcode.WRITE, IoOpcode.WRITE_ZEROES, IoOpcode.WRITE_UNCORRECTABLE}


def _span(sqe: Sqe, qid: int) -> tuple[int, int] | None:
    """What the SQE alone tells of the LBAs; the ranges of Dataset Management and Copy lie in their buffers."""
    if not qid or sqe.opcode not in _RANGED:
        return None
    return sqe.cdw11 << 32 | sqe.cdw10, (sqe.cdw12 & 0xFFFF) + 1
