"""The watcher: follows a run, step by step, by the effects of its trace, and gives its board.

Nothing here looks into a device, and nothing decides who goes next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from nvmelm_lab.engine import StepRecord
from nvmelm_lab.nvme import AdminOpcode, EntrySpecial, Mqe, unpack_mqe
from nvmelm_lab.races.board import Board, Cell, Property, Queue, Side, Slot, Told
from nvmelm_lab.runs import sentences
from nvmelm_lab.runs.attribution import LOOKING, Command, Role, command_name
from nvmelm_lab.runs.content import DESTINATION, SOURCE
from nvmelm_lab.runs.events import Events
from nvmelm_lab.runs.roles import Roles
from nvmelm_lab.runs.stakes import NAMES, Verdict

MOST_CELLS: Final = 9
"""LBAs that are shown; a scenario of a race has no more."""

MOST_SLOTS: Final = 9
"""Slots of the Migration Queue that are shown; of a larger one, those around its ends."""


@dataclass(slots=True)
class _Change:
    """The last change of an LBA at the source: by which command, whether it was logged then, and its entry."""

    command: str
    logged: bool


@dataclass(slots=True)
class _Entry:
    """What a slot of the Migration Queue holds."""

    slot: int
    phase: int
    words: str
    short: str
    is_read: bool = False


@dataclass(slots=True)
class Watcher:
    """Follows a run, step by step, and gives its board."""

    roles: Roles
    events: Events = field(init=False)
    _versions: dict[tuple[int, int], str] = field(default_factory=dict)
    _changes: dict[int, _Change] = field(default_factory=dict)
    _slots: dict[int, _Entry] = field(default_factory=dict)
    _entry_of: dict[str, _Entry] = field(default_factory=dict)
    _on_the_way: dict[tuple[int, int], Command] = field(default_factory=dict)
    _copied: dict[int, str] = field(default_factory=dict)
    _verdicts: dict[int, tuple[Verdict, str]] = field(default_factory=dict)
    _logging: str = ""
    _paused: bool = False
    _serves: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.events = Events(self.roles)
        self._serves.add(self.roles.here)
        for lba in range(len(self.roles.held)):
            self._versions[SOURCE, lba] = "v0"

    def take(self, record: StepRecord) -> None:
        """One more step of the trace."""
        self.events.take(record)
        for effect in record.effects:
            taker = _TAKERS.get(effect[0])
            if taker is not None:
                taker(self, record, effect)
        news = self.events.news()
        for side, slba, blocks, name, _ in news["versions"]:
            for lba in range(slba, slba + blocks):
                self._versions[side, lba] = str(name)
        for which, verdict, word in news["verdicts"]:
            self._verdicts[which] = (verdict, str(word))

    # -- what happens --------------------------------------------------------------------------------------

    def _submitted(self, _record: StepRecord, effect: tuple[Any, ...]) -> None:
        _, who, qid, cid, _ = effect
        command = self.events.commands.awaited(who, cid)
        if command is None:
            return
        if command.role is Role.GUEST and qid:
            self._on_the_way[qid, cid] = command
        if command.sqe.opcode == AdminOpcode.TRACK_SEND and command.is_admin:
            self._logging = "Track Send is under way: nothing is promised before it completes"

    def _changed(self, _record: StepRecord, effect: tuple[Any, ...]) -> None:
        name = effect[5] if effect[0] == "wrote" else effect[3]
        command = self.events.commands.named(name)
        if command is None:
            return
        if command.role is Role.GUEST:
            self._on_the_way.pop((command.qid, command.sqe.cid), None)
        for slba, blocks in self._ranges(effect):
            for lba in range(slba, slba + blocks):
                if effect[1] == self.roles.ssd_here:
                    self._changes[lba] = _Change(name, self.events.follower.content.watched)
                elif command.role is not Role.GUEST:
                    self._copied.pop(lba, None)

    def _ranges(self, effect: tuple[Any, ...]) -> Iterator[tuple[int, int]]:
        if effect[0] == "wrote":
            if effect[2] == self.roles.nsid:
                yield effect[3], len(effect[4])
            return
        for nsid, slba, blocks, _ in effect[4]:
            if nsid == self.roles.nsid:
                yield slba, blocks

    def _read(self, _record: StepRecord, effect: tuple[Any, ...]) -> None:
        _, ssd, nsid, slba, stamps, name = effect
        command = self.events.commands.named(name)
        if ssd != self.roles.ssd_here or nsid != self.roles.nsid or command is None:
            return
        if command.role is Role.COPY:
            for lba in range(slba, slba + len(stamps)):
                self._copied[lba] = self._versions.get((SOURCE, lba), "v0")

    def _completed(self, _record: StepRecord, effect: tuple[Any, ...]) -> None:
        command = self.events.commands.named(effect[3])
        if command is not None and command.role is Role.GUEST:
            self._on_the_way.pop((command.qid, command.sqe.cid), None)
        if command is not None and command.is_admin and command.sqe.opcode == AdminOpcode.TRACK_SEND:
            self._logging = "" if effect[4] else "promised: each change gets an entry"

    def _entry(self, record: StepRecord, effect: tuple[Any, ...]) -> None:
        _, mmc, cdqid, slot, raw = effect
        if not self.events.follower.is_ours(mmc, cdqid):
            return
        mqe = unpack_mqe(raw)
        words = sentences.entry_words(mqe.esa, mqe.blocks, mqe.slba, mqe.deallocated)
        name = command_name(record.actor)
        entry = _Entry(slot, mqe.phase, words, _short(mqe))
        self._slots[slot] = entry
        if mqe.blocks:
            self._entry_of[name] = entry

    def _consumed(self, _record: StepRecord, effect: tuple[Any, ...]) -> None:
        if self.events.follower.is_ours(effect[1], effect[2]) and effect[3] in self._slots:
            self._slots[effect[3]].is_read = True

    def _vm(self, _record: StepRecord, effect: tuple[Any, ...]) -> None:
        if effect[1] == self.roles.guest:
            self._paused = effect[2] == "paused"

    def _suspended(self, _record: StepRecord, effect: tuple[Any, ...]) -> None:
        self._serves.discard(effect[1])

    def _resumed(self, _record: StepRecord, effect: tuple[Any, ...]) -> None:
        self._serves.add(effect[1])

    # -- what is to be seen --------------------------------------------------------------------------------

    def board(self) -> Board:
        """The run as it stands."""
        content = self.events.follower.content
        wrong = tuple(lba for lba, _ in content.wrong()) if content.settled else ()
        return Board(
            cells=tuple(self._cell(lba) for lba in range(min(self.roles.blocks, MOST_CELLS))),
            blocks=self.roles.blocks,
            queue=self._queue(),
            logging=self._logging_words(),
            controllers=self._controllers(),
            vm=self._vm_words(),
            properties=tuple(
                Property(name, *self._verdicts.get(which, ("open", ""))) for which, name in enumerate(NAMES)
            ),
            is_moved=content.settled,
            wrong=wrong,
        )

    def _cell(self, lba: int) -> Cell:
        content, change = self.events.follower.content, self._changes.get(lba)
        here, there = (
            Side(self._versions.get((side, lba), ""), content.state(side, lba))
            for side in (SOURCE, DESTINATION)
        )
        command = self.events.commands.named(change.command) if change is not None else None
        entry = self._entry_of.get(change.command) if change is not None else None
        return Cell(
            lba,
            here,
            there,
            coming=self._coming(lba),
            copied=self._copied.get(lba, ""),
            writer="" if command is None else f"command {command.sqe.cid}",
            told=_told(change, entry),
            slot=-1 if entry is None else entry.slot,
        )

    def _coming(self, lba: int) -> str:
        numbers = [str(command.sqe.cid) for command in self._on_the_way.values() if _changes(command, lba)]
        if not numbers:
            return ""
        now = self._versions.get((SOURCE, lba), "v0").split(",")[0]
        after = f"v{int(now[1:]) + len(numbers)}" if now[1:].isdecimal() else "a change"
        return f"{after} on its way (command {', '.join(numbers)})"

    def _queue(self) -> Queue:
        follower = self.events.follower
        if not follower.slots:
            return Queue()
        shown = range(follower.slots)
        if follower.slots > MOST_SLOTS:
            first = max(0, min(follower.head - 2, follower.slots - MOST_SLOTS))
            shown = range(first, first + MOST_SLOTS)
        return Queue(tuple(map(self._slot, shown)), follower.slots, follower.head, follower.tail)

    def _slot(self, number: int) -> Slot:
        entry = self._slots.get(number)
        if entry is None:
            return Slot(number, 0, "", "", "empty")
        state: Literal["read", "waits"] = "read" if entry.is_read else "waits"
        return Slot(number, entry.phase, entry.words, entry.short, state)

    def _logging_words(self) -> str:
        here, follower = self.roles.here, self.events.follower
        if follower.content.watched:
            return f"Ctlr {here} is logged; {self._logging or 'each change gets an entry'}"
        if not follower.slots:
            return f"Ctlr {here} is not logged: there is no Migration Queue"
        return f"Ctlr {here} is not logged" + (f"; {self._logging}" if "under way" in self._logging else "")

    def _controllers(self) -> str:
        flying, roles = len(self.events.in_flight), self.roles
        here = f"Ctlr {roles.here} " + ("serves the guest" if roles.here in self._serves else "is suspended")
        if flying:
            here += f", {sentences.count(flying, 'command')} in flight"
        there = f"Ctlr {roles.there} " + ("serves it" if roles.there in self._serves else "stands by")
        return f"{here}; {there}"

    def _vm_words(self) -> str:
        if self._paused:
            return "The VM is paused"
        return "The VM runs at the " + ("destination" if self.events.follower.content.settled else "source")


def _short(mqe: Mqe) -> str:
    if mqe.blocks:
        return sentences.place(mqe.slba, mqe.blocks)
    return _MARKERS.get(mqe.esa, "no range")


_MARKERS: Final[Mapping[int, str]] = {
    EntrySpecial.FIRST: "begins",
    EntrySpecial.STOPPED: "stopped",
    EntrySpecial.SUSPENDED: "suspend",
    EntrySpecial.FULL: "full",
}


def _told(change: _Change | None, entry: _Entry | None) -> Told:
    if change is None:
        return "same"
    if entry is not None:
        return "read" if entry.is_read else "waits"
    return "no entry yet" if change.logged else "not logged"


def _changes(command: Command, lba: int) -> bool:
    if command.sqe.opcode in LOOKING or command.span is None:
        return False
    return command.span[0] <= lba < command.span[0] + command.span[1]


_TAKERS: Final = {
    "submitted": Watcher._submitted,
    "wrote": Watcher._changed,
    "changed": Watcher._changed,
    "read": Watcher._read,
    "completed": Watcher._completed,
    "entry": Watcher._entry,
    "consumed": Watcher._consumed,
    "vm": Watcher._vm,
    "suspended": Watcher._suspended,
    "resumed": Watcher._resumed,
}
