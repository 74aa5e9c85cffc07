"""Telling an execution: from its trace to an account.

The steps at points of choice make lines; the others add to what is known of blocks and entries.  What a step is
called is said in `lines.py` and in `runs/sentences.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from nvmelm_lab.engine import StepRecord, Trace
from nvmelm_lab.nvme import (
    AdminOpcode,
    Feature,
    IoOpcode,
    MigrationReceiveSelect,
    unpack_mqe,
)
from nvmelm_lab.nvme.structs import MQE
from nvmelm_lab.races.account import Account, Change, Entry, Line, Span, Way
from nvmelm_lab.races.follow import Point
from nvmelm_lab.races.lines import Part, words_of_line
from nvmelm_lab.races.names import Names
from nvmelm_lab.runs import sentences
from nvmelm_lab.runs.attribution import Command, Role, command_name
from nvmelm_lab.runs.content import SOURCE
from nvmelm_lab.runs.events import Events
from nvmelm_lab.runs.roles import roles_of


class Told(NamedTuple):
    """One step: the errand that it serves, in whose lane and by whom, and what it adds to the line."""

    errand: tuple[Any, ...]
    lane: str
    who: str
    part: Part


def account(trace: Trace, points: Sequence[Point]) -> Account:
    """The account of the execution that `trace` holds, whose points of choice are given."""
    teller = _Teller(trace, points)
    for step, record in enumerate(trace.steps):
        teller.take(step, record)
    return teller.end()


class _Teller:
    """Goes through a trace once, and keeps the line that is being told."""

    def __init__(self, trace: Trace, points: Sequence[Point]) -> None:
        self.roles = roles_of(trace.steps[0].effects, "guest")
        self.events = Events(self.roles)
        self._names = Names(self.events)
        self.account = Account(self.roles, self._names)
        self._points = {point.step: index for index, point in enumerate(points)}
        self._versions: list[list[Any]] = []
        self._step = -1
        self._lines: list[Line] = []
        self._telling: list[Told] = []
        self._prepared: list[int] = []
        self._is_logging = False
        self._taken: list[int] = []
        self._first = -1

    def take(self, step: int, record: StepRecord) -> None:
        """One more step."""
        self._step = step
        self.events.take(record)
        self._versions = self.events.news()["versions"]
        point = self._points.get(step)
        if point is not None and self._is_preparing(record):
            self._prepared.append(point)
        elif point is not None or record.kind in _ALSO_TOLD:
            self._add(_SCENES.get(record.kind, _Teller._other)(self, record), point)
        for effect in record.effects:
            self._note(effect)
            if effect[0] == "fault":
                happens = record.label.partition("; then ")[2] or effect[2]
                self._add(Told(("fault", step), "VMM", "Fault:", Part("plain", happens)), None)

    def end(self) -> Account:
        """The account, when all steps were taken."""
        self._taken += self._prepared
        self._flush()
        acting = dict.fromkeys(line.lane for line in self._lines)
        usual = [lane for lane in self._names.lanes() if lane in acting]
        self.account.lines = tuple(self._lines)
        # Behind those of every migration whoever else takes part in this one: a partner on the namespace, say.
        self.account.lanes = (*usual, *(lane for lane in acting if lane not in usual))
        return self.account

    # -- lines ---------------------------------------------------------------------------------------------

    def _add(self, told: Told, point: int | None) -> None:
        if self._telling and told.errand != self._telling[0].errand:
            self._flush()
        if not self._telling:
            self._first = self._step
        self._telling.append(told)
        self._last = self._step
        if point is not None:
            self._taken += [*self._prepared, point]
            self._prepared = []

    def _is_preparing(self, record: StepRecord) -> bool:
        """Whether the step only brings a command of the VMM on its way, or back: what comes of it is told."""
        if record.kind not in _PLUMBING or self.roles.is_guest(record.actor):
            return False
        name = next((effect[4] for effect in record.effects if effect[0] == "fetched"), "")
        command = self.events.commands.named(name) if name else self._names.command(record.actor)
        return command is None or (command.role in (Role.ADMIN, Role.COPY) and command.status <= 0)

    def _flush(self) -> None:
        if self._telling:
            errand, lane, who, _ = self._telling[0]
            text, note = words_of_line([told.part for told in self._telling])
            steps = self._first, self._last
            self._lines.append(Line(lane, who, text, note, str(errand), tuple(self._taken), steps))
        self._telling, self._taken = [], []

    def _of_guest(self, record: StepRecord) -> Told:
        commands = self.events.commands
        if record.kind == "reap":
            about, word = self.events.reaped, "read"
            outcome = "it failed" if any(command.status for command in about) else ""
        else:
            about, word, outcome = list(commands.on_the_way.get(record.actor, ())), "asked", ""
        if record.kind == "doorbell":
            commands.rung(record.actor)
        cids = tuple(command.sqe.cid for command in about)
        what = " and ".join(map(_number if word == "read" else _title, about))
        return Told((word, *cids), "Guest", "Guest", Part(record.kind, what, outcome))

    def _submits(self, record: StepRecord) -> Told:
        if self.roles.is_guest(record.actor):
            return self._of_guest(record)
        sqe = next((effect[4] for effect in record.effects if effect[0] == "submitted"), b"")
        if not sqe or self._names.lane(record.actor) != "VMM":
            return self._other(record)
        name = AdminOpcode(sqe[0]).name.replace("_", " ").title()
        errand = "drain" if sqe[0] == AdminOpcode.SET_FEATURES else f"{name} of {record.actor}"
        return Told((errand,), "VMM", "VMM", Part("plain", f"submits {name}"))

    def _in_controller(self, record: StepRecord) -> Told:
        fetched = next((effect[4] for effect in record.effects if effect[0] == "fetched"), "")
        command = self.events.commands.named(fetched) if fetched else self._names.command(record.actor)
        if command is None:
            return self._other(record)
        return _TELLERS.get(command.role, _Teller._for_vmm)(self, record, command)

    def _for_guest(self, record: StepRecord, command: Command) -> Told:
        errand = ("guest", command.controller, command.sqe.cid)
        ctlr = f"Ctlr {command.controller}"
        outcome = ""
        about = _number(command)
        if record.kind == "execute":
            outcome = self._changed_to(command)
            about = about if outcome else _title(command)
        elif record.kind == "entry":
            slots = [str(effect[3]) for effect in record.effects if effect[0] == "entry"]
            outcome = f"entry in slot {', '.join(slots)}" if slots else "no entry"
        elif record.kind == "complete" and command.status > 0:
            outcome = "with an error"
        return Told(errand, ctlr, ctlr, Part(record.kind, about, outcome))

    def _changed_to(self, command: Command) -> str:
        """What a command of the guest made of its LBAs: ``LBA 0 is v1, not logged``."""
        if not self._versions:
            return ""
        said = [
            f"{sentences.place(slba, blocks)} is {version}" for _, slba, blocks, version, _ in self._versions
        ]
        told = self._is_logging or command.controller != self.roles.here
        return ", ".join(said) + ("" if told else ", not logged")

    def _for_copy(self, record: StepRecord, command: Command) -> Told:
        who = _upper(command.who)
        sort = _COPIES.get(command.sqe.opcode, "copy write")
        place = sentences.place(*command.span) if command.span is not None else "blocks"
        return Told(("copy", who, command.span), "Copy tasks", who, Part(sort, place, self._read(record)))

    def _read(self, record: StepRecord) -> str:
        """Which versions a copy has read or written."""
        found = [str(version) for _, _, _, version, _ in self._versions]
        for effect in record.effects:
            if effect[0] == "read":
                found += [self._version_here(lba) for lba in range(effect[3], effect[3] + len(effect[4]))]
        return " and ".join(dict.fromkeys(found))

    def _version_here(self, lba: int) -> str:
        """The version of an LBA at the source."""
        changes = self.account.changes
        found = (each.version for each in reversed(changes) if each.side == SOURCE and each.span.covers(lba))
        return next(found, "v0")

    def _for_vmm(self, record: StepRecord, command: Command) -> Told:
        ctlr = f"Ctlr {command.controller}"
        base = command_name(record.actor)
        errand = (_GROUPS.get((command.sqe.opcode, command.select), base),)
        if command.controller == self.roles.mmc_there and command.sqe.opcode == AdminOpcode.MIGRATION_SEND:
            errand = ("arrive",)
        if record.kind in ("entry", "marker"):
            slots = [effect[3] for effect in record.effects if effect[0] == "entry"]
            text = f"posts the marker in slot {slots[0]}" if slots else "posts no marker"
            return Told(errand, ctlr, ctlr, Part("plain", text))
        if record.kind == "complete":
            return Told(errand, ctlr, ctlr, Part("plain", f"completes {sentences.name_of(command)}"))
        text, _, note = self._done(command).partition(": ")
        return Told(errand, ctlr, ctlr, Part("plain", text.removeprefix(f"{ctlr} "), note))

    def _done(self, command: Command) -> str:
        """What it means that an admin command was executed, in a sentence with a note behind a colon."""
        names = self.roles.names.get(command.controller, {})
        facts = sentences.facts_of(command, command.controller, names)
        facts |= {"source": self.roles.here, "reported": self.events.reported}
        if command.sqe.opcode == AdminOpcode.TRACK_SEND:
            facts["target"] = self.events.target
        words = sentences.words_of(command)
        return _PRESENT.get(words.done, words.done).format_map(facts)

    def _poll(self, record: StepRecord) -> Told:
        found = next((effect for effect in record.effects if effect[0] == "consumed"), None)
        if found is None:
            return Told(("drain",), "VMM", "VMM", Part("empty", str(self.events.slot)))
        mqe = unpack_mqe(MQE.pack(*found[4:]))
        said = sentences.entry_words(0 if mqe.blocks else mqe.esa, mqe.blocks, mqe.slba, mqe.deallocated)
        return Told(("drain",), "VMM", "VMM", Part("entry read", str(found[3]), said))

    def _vm(self, record: StepRecord) -> Told:
        _, _, state, *door = next(effect for effect in record.effects if effect[0] == "vm")
        text = sentences.PAUSE
        if state != "paused":
            moved = self.roles.is_at_destination(door[0])
            text = sentences.started(self.roles.there if moved else "")
        said, _, note = text.removeprefix("VMM ").partition(": ")
        return Told((self._step,), "VMM", "VMM", Part("plain", said, note))

    def _memory(self, record: StepRecord) -> Told:
        moved = next((effect for effect in record.effects if effect[0] == "memory moved"), None)
        what = f"sends {sentences.count(moved[1], 'page')} of" if moved else "cannot send"
        return Told((self._step,), "VMM", "VMM", Part("plain", f"{what} the guest's memory over the link"))

    def _other(self, record: StepRecord) -> Told:
        """A step that has no scene of its own, in the words of its label."""
        lane, who = self._names.lane(record.actor), self._names.who(record.actor).partition(",")[0]
        text = record.label
        for subject in (who, who.lower(), *_SUBJECTS):
            text = text.removeprefix(f"{subject} ")
        return Told((record.actor, record.kind), lane, who, Part("plain", text))

    # -- facts ---------------------------------------------------------------------------------------------

    @property
    def _line(self) -> int:
        """Index of the line that is being told."""
        return max(0, len(self._lines) - (not self._telling))

    def _note(self, effect: tuple[Any, ...]) -> None:
        found, word = self.account, effect[0]
        if word == "entry":
            found.entries.append(Entry(self._line, self._step, effect[3], unpack_mqe(effect[4])))
        elif word == "consumed":
            self._consumed(effect[3])
        elif word == "read":
            command = self.events.commands.named(effect[5])
            if command is not None and command.role is Role.COPY:
                found.looks.append(Span(self._line, self._step, effect[3], len(effect[4])))
        elif word in ("wrote", "changed"):
            self._changed(effect[5] if word == "wrote" else effect[3])
            if word == "wrote":
                self._changed_aside(effect)
        elif word in _ON_THE_WAY:
            self._on_the_way(word, effect)
        else:
            if word in _LOGGING:
                self._is_logging = word == "logging" and bool(effect[4])
            found.happened.setdefault(word, []).append((self._line, effect))

    def _changed_aside(self, effect: tuple[Any, ...]) -> None:
        """Somebody else than the guest and the VMM has written to the guest's namespace."""
        _, ssd, nsid, slba, stamps, name = effect
        command = self.events.commands.named(name)
        if (
            command is None
            or command.role is not Role.ASIDE
            or (ssd, nsid) != (self.roles.ssd_here, self.roles.nsid)
        ):
            return
        span = Span(self._line, self._step, slba, len(stamps))
        who = f"{command.who}'s {sentences.commands_of([command])}"
        version = f"data of {command.who}"
        self.account.changes.append(Change(span, SOURCE, version, command, command.controller, who, False))

    def _consumed(self, slot: int) -> None:
        entries = self.account.entries
        for at in range(len(entries) - 1, -1, -1):
            each = entries[at]
            if each.slot == slot and each.read_by < 0:
                entries[at] = Entry(each.line, each.step, slot, each.mqe, self._line, self._step)
                return

    def _on_the_way(self, word: str, effect: tuple[Any, ...]) -> None:
        """A command of the guest has come further."""
        if word == "submitted":
            waiting = (
                self.events.commands.awaited(effect[1], effect[3]) if effect[1] == self.roles.guest else None
            )
            if waiting is not None:
                self.account.ways.append(Way(waiting, self._line))
            return
        if word == "reaped":
            if effect[1] == self.roles.guest:
                for command in self.events.reaped:
                    self._way(command).read = self._line
            return
        carried_out = self.events.commands.named(effect[4] if word == "fetched" else effect[3])
        if carried_out is None or carried_out.role is not Role.GUEST:
            return
        if word == "fetched":
            self._way(carried_out).fetched.append((self._line, effect[1]))
        else:
            self._way(carried_out).completed.append((self._line, effect[1], effect[4]))

    def _way(self, command: Command) -> Way:
        found = next((way for way in self.account.ways if way.command is command), None)
        if found is None:
            found = Way(command, -1)
            self.account.ways.append(found)
        return found

    def _changed(self, name: str) -> None:
        command = self.events.commands.named(name)
        if command is None:
            return
        is_guests = command.role is Role.GUEST
        who = f"the guest's {sentences.commands_of([command])}" if is_guests else _upper(command.who)
        logged = self._is_logging and command.controller == self.roles.here
        for side, slba, blocks, version, _ in self._versions:
            span = Span(self._line, self._step, slba, blocks)
            mine = command if is_guests else None
            self.account.changes.append(Change(span, side, version, mine, command.controller, who, logged))


def _upper(who: str) -> str:
    return who[:1].upper() + who[1:]


def _number(command: Command) -> str:
    return f"command {command.sqe.cid}"


def _title(command: Command) -> str:
    return sentences.commands_of([command])


_PRESENT: Final[Mapping[str, str]] = {
    "Ctlr {ctrl} logs: from now on each change through Ctlr {target} gets an entry": (
        "Ctlr {ctrl} logs Ctlr {target} from now on: each change gets an entry"
    ),
    "Ctlr {ctrl} gave Ctlr {target} that state: the guest's queues, as they stood": (
        "Ctlr {ctrl} gives Ctlr {target} the state: the guest's queues, as they stood"
    ),
    "Ctlr {ctrl} created the Migration Queue: a ring in the VMM's memory": (
        "Ctlr {ctrl} creates the Migration Queue: a ring in the VMM's memory"
    ),
    "Ctlr {ctrl} deleted the Migration Queue": "Ctlr {ctrl} deletes the Migration Queue",
    "Ctlr {ctrl} stopped logging Ctlr {target}": "Ctlr {ctrl} stops logging Ctlr {target}",
    "Ctlr {ctrl} handed out {length} bytes of the state of Ctlr {target}": (
        "Ctlr {ctrl} hands out the state of Ctlr {target}"
    ),
}
"""What the player says of an admin command that is done -> the same as it is done, short enough for one line."""

_ALSO_TOLD: Final = frozenset(("memory",))
"""Local steps that a story cannot do without."""

_PLUMBING: Final = frozenset(("submit", "doorbell", "fetch", "complete", "reap", "ask", "link"))

_LOGGING: Final = frozenset(("logging", "queue full", "queue deleted"))
"""Effects after which changes are logged, or are not any more."""

_ON_THE_WAY: Final = frozenset(("submitted", "fetched", "completed", "reaped"))

_SUBJECTS: Final = ("the VMM", "the guest", "guest")

_COPIES: Final[Mapping[int, str]] = {
    IoOpcode.READ: "copy read",
    IoOpcode.DATASET_MANAGEMENT: "copy deallocate",
    IoOpcode.WRITE_ZEROES: "copy zeroes",
    IoOpcode.WRITE_UNCORRECTABLE: "copy uncorrectable",
}

_GROUPS: Final[Mapping[tuple[int, int], str]] = {
    (AdminOpcode.SET_FEATURES, Feature.CONTROLLER_DATA_QUEUE): "drain",
    (AdminOpcode.MIGRATION_RECEIVE, MigrationReceiveSelect.GET_STATE): "get state",
}
"""Admin commands that serve an errand which is longer than one of them."""

_TELLERS: Final[Mapping[Role, Callable[[_Teller, StepRecord, Command], Told]]] = {
    Role.GUEST: _Teller._for_guest,
    Role.ASIDE: _Teller._for_guest,
    Role.COPY: _Teller._for_copy,
}

_SCENES: Final[Mapping[str, Callable[[_Teller, StepRecord], Told]]] = {
    "submit": _Teller._submits,
    "doorbell": _Teller._submits,
    "reap": _Teller._submits,
    "fetch": _Teller._in_controller,
    "execute": _Teller._in_controller,
    "entry": _Teller._in_controller,
    "marker": _Teller._in_controller,
    "complete": _Teller._in_controller,
    "poll": _Teller._poll,
    "pause": _Teller._vm,
    "start": _Teller._vm,
    "memory": _Teller._memory,
}
"""Kind of a step -> how it is told."""
