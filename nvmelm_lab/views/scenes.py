"""What each step of a trace means: which of them are shown, in which words, and what they change.

`Scenes` plays a trace once, step by step.  It keeps the commands under way, what both namespaces hold, the
Migration Queue's ends and what is at stake, and lets the reel keep the frames.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from nvmelm_lab.engine import StepRecord
from nvmelm_lab.nvme import (
    MQE,
    AdminOpcode,
    EntrySpecial,
    IoOpcode,
    MigrationSendSelect,
    Mqe,
    layout_of_cqe,
    layout_of_mqe,
    layout_of_sqe,
    unpack_mqe,
)
from nvmelm_lab.runs import sentences
from nvmelm_lab.runs.attribution import LOOKING, Command, Role
from nvmelm_lab.runs.events import Events
from nvmelm_lab.runs.roles import Roles
from nvmelm_lab.views.lanes import COPY, GUEST, MMC, VMM, lane_of
from nvmelm_lab.views.reel import Reel
from nvmelm_lab.views.text import duration


class Scenes:
    """Plays the steps of a trace into `reel`; `events` knows what they did to the run.

    phases
        Name of each phase that was entered -> number of its first frame.
    """

    def __init__(self, roles: Roles, reel: Reel) -> None:
        self.roles = roles
        self.reel = reel
        self.events = Events(roles)
        self._commands = self.events.commands
        self.phases: dict[str, int] = {}
        self._linked: set[str] = set()
        self._paused_at = -1
        self._neighbours_told = False

    def play(self, record: StepRecord) -> None:
        """One more step of the trace."""
        self.events.take(record)
        for phase in self.events.phases:
            self.phases.setdefault(phase, len(self.reel.frames))
        if self.roles.is_aside(record.actor):
            self.reel.set_aside(record)
        elif record.hidden:
            self.reel.fold(record, chained=not self._is_guest(record))
        else:
            _KINDS.get(record.kind, Scenes._other)(self, record)

    # -- showing -------------------------------------------------------------------------------------------

    def _show(self, record: StepRecord, lane: int, actor: str, text: str, **more: Any) -> int:
        """A frame with all that changed since the one before."""
        more["note"] = more.get("note") or self._aside_note()
        chained = not self._is_guest(record)
        return self.reel.show(record, lane, actor, text, chained=chained, **{**self.events.news(), **more})

    def _aside_note(self) -> str:
        """Once, when the migration is as good as over: that others were there all the time."""
        if self._neighbours_told or "Clean up" not in self.phases or not self.events.set_aside:
            return ""
        self._neighbours_told = True
        return f"{sentences.count(self.events.set_aside, 'command')} of neighbours so far"

    def _fold(self, record: StepRecord) -> None:
        self.reel.fold(record, chained=not self._is_guest(record))

    def _is_guest(self, record: StepRecord) -> bool:
        return self.roles.is_guest(record.actor)

    def _by(self, controller: str) -> tuple[int, str]:
        """Lane and name of a controller."""
        return lane_of(self.roles, controller), f"Ctlr {controller}"

    def _about(self, command: Command) -> dict[str, Any]:
        """What a frame says of its command: the LBAs, if they are those that are looked at, and the SQE."""
        layout = layout_of_sqe(command.sqe.opcode, command.is_admin, command.select)
        return {"lbas": self._span(command), "bytes": [layout.name, command.raw.hex()]}

    def _span(self, command: Command) -> list[int] | None:
        if command.span is None:
            return None
        return self._range(command.sqe.nsid, *command.span)

    # -- a command's way -----------------------------------------------------------------------------------

    def _doorbell(self, record: StepRecord) -> None:
        sent, rung = self._commands.rung(record.actor), _effect(record, "doorbell")
        if not sent or not rung:
            # Nothing new, or no controller there to take it.
            self._fold(record)
            return
        controller = rung[1]
        for command in sent:
            command.controller = controller
        _ASKED[sent[0].role](self, record, sent)

    def _guest_asked(self, record: StepRecord, sent: list[Command]) -> None:
        text = f"Guest submits {sentences.commands_of(sent)}, and rings the doorbell"
        sent[-1].asked = self._show(record, GUEST, "Guest", text, **self._about(sent[-1]))

    def _vmm_asked(self, record: StepRecord, sent: list[Command]) -> None:
        command = sent[-1]
        if command.sqe.opcode in sentences.UNTOLD:
            self._fold(record)
            return
        text = sentences.words_of(command).ask.format_map(self._facts(command))
        command.asked = self._show(record, VMM, "VMM", text, **self._about(command))

    def _copy_asked(self, record: StepRecord, sent: list[Command]) -> None:
        command = sent[-1]
        if command.sqe.opcode == IoOpcode.READ:
            self.events.copy_begins(record.actor, command)
        elif record.actor in self._linked:
            self._linked.remove(record.actor)
            self._fold(record)
            return
        text = f"{_title(command.who)} asks Ctlr {command.controller} to {_wish(command)}"
        command.asked = self._show(record, COPY, _title(command.who), text, **self._about(command))

    def _shim_asked(self, record: StepRecord, sent: list[Command]) -> None:
        command = sent[-1]
        text = (
            f"{_title(command.who)} asks Ctlr {command.controller} to {_wish(command)}, as the guest asked it"
        )
        command.asked = self._show(record, VMM, _title(command.who), text, **self._about(command))

    def _fetch(self, record: StepRecord) -> None:
        command = self._commands.named(_effect(record, "fetched")[4])
        if command is None or command.role is not Role.GUEST:
            self._fold(record)
            return
        lane, actor = self._by(command.controller)
        text = f"{actor} fetches {sentences.commands_of([command])}"
        self._show(record, lane, actor, text, **self._about(command))

    def _execute(self, record: StepRecord) -> None:
        command = self._commands.named(record.actor)
        if command is None or (command.is_admin and command.sqe.opcode in sentences.UNTOLD):
            self._fold(record)
            return
        text, note = _DONE[command.role](self, command)
        lane, actor = self._by(command.controller)
        about = self._about(command)
        command.executed = self._show(record, lane, actor, f"{actor} {text}", note=note, **about)
        self._complete_request(command)

    def _guest_done(self, command: Command) -> tuple[str, str]:
        return f"executed {sentences.name_of(command)} for the guest", self.events.logging_note(command)

    def _copy_done(self, command: Command) -> tuple[str, str]:
        note = ""
        span = self._span(command)
        if command.controller == self.roles.mmc_there and span is not None:
            behind = self.events.follower.content.first_behind(*span)
            note = "" if behind is None else f"LBA {behind} has changed meanwhile"
        return f"{sentences.did(command)} for {command.who}", note

    def _vmm_done(self, command: Command) -> tuple[str, str]:
        text = sentences.words_of(command).done.format_map(self._facts(command))
        suspends = (command.sqe.opcode, command.select) == _SUSPEND
        left = len(self.events.in_flight) if command.controller == self.roles.mmc_here else 0
        note = f"{sentences.count(left, 'command')} still in flight" if suspends and left else ""
        return text.removeprefix(f"Ctlr {command.controller} "), note

    def _complete_request(self, command: Command) -> None:
        """The ranges of a deallocation are known only now: tell the frame that asked for it."""
        opcode = command.sqe.opcode
        if command.asked < 0 or opcode != IoOpcode.DATASET_MANAGEMENT or command.role is not Role.COPY:
            return
        asked = self.reel.frames[command.asked]
        asked["lbas"] = self._span(command)
        asked["text"] = f"{_title(command.who)} asks Ctlr {command.controller} to {_wish(command)}"

    def _complete(self, record: StepRecord) -> None:
        _, controller, _, _, status, raw = _effect(record, "completed")
        command = self._commands.named(record.actor)
        if command is None:
            self._fold(record)
            return
        if status and command.executed >= 0:
            self.reel.frames[command.executed]["text"] = sentences.refusal(controller, command, status)
            self.reel.frames[command.executed].pop("note", None)
        text = self._completion_text(command, status)
        if not text:
            self._fold(record)
            return
        lane, actor = self._by(controller)
        note = "it ended with an error" if status else ""
        more = {"lbas": self._span(command), "bytes": _cqe(command, status, raw)}
        self._show(record, lane, actor, f"{actor} {text}", note=note, **more)

    def _completion_text(self, command: Command, status: int) -> str:
        """What the frame of a completion says; "" when it is not worth one."""
        if command.role is Role.GUEST:
            return f"posts the completion of {sentences.commands_of([command])}"
        words = sentences.words_of(command).completed if command.is_admin else ""
        if status or not words:
            return f"posts the completion of {sentences.name_of(command)}" if status else ""
        return words.format_map(self._facts(command)).removeprefix(f"Ctlr {command.controller} ")

    def _reap(self, record: StepRecord) -> None:
        reaped = self.events.reaped
        if not reaped or reaped[0].role is not Role.GUEST:
            self._fold(record)
            return
        text = f"Guest reads the completion of {sentences.commands_of(reaped)}"
        command = reaped[-1]
        promised = command.span is not None and command.sqe.opcode not in LOOKING and not command.status
        note = "acknowledged: now it must not get lost" if promised else ""
        raw = _effects(record, "reaped")[-1][4]
        more = {"lbas": self._span(command), "bytes": _cqe(command, command.status, raw)}
        self._show(record, GUEST, "Guest", text, note=note, **more)

    # -- the Migration Queue -------------------------------------------------------------------------------

    def _entry(self, record: StepRecord) -> None:
        posted = [
            effect
            for effect in _effects(record, "entry")
            if self.events.follower.is_ours(effect[1], effect[2])
        ]
        if not posted:
            self._fold(record)
            return
        command = self._commands.named(record.actor)
        whose = f" of command {command.sqe.cid}" if command and command.role is Role.GUEST else ""
        show: Callable[..., int] = self._show
        for _, mmc, _, slot, raw in posted:
            mqe = unpack_mqe(raw)
            what = f"the entry{whose}" if mqe.blocks else "a marker"
            text = f"Ctlr {mmc} posts {what} in slot {slot}: {_entry_words(mqe)}"
            entry = [slot, mqe.phase, mqe.esa, _MARKS.get(mqe.esa, "")]
            more = {"entry": entry, "note": self.events.queue_note(slot), "tail": self.events.after(slot)}
            show(record, MMC, f"Ctlr {mmc}", text, **more, **self._about_entry(mqe, raw))
            show = self.reel.show_also

    def _about_entry(self, mqe: Mqe, raw: bytes) -> dict[str, Any]:
        lbas = self._range(mqe.nsid, mqe.slba, mqe.blocks)
        return {"lbas": lbas, "bytes": [layout_of_mqe(raw).name, raw.hex()]}

    def _range(self, nsid: int, slba: int, blocks: int) -> list[int] | None:
        """The LBAs, if they are some that are looked at."""
        if not blocks or nsid != self.roles.nsid or slba + blocks > self.roles.blocks:
            return None
        return [slba, blocks]

    def _poll(self, record: StepRecord) -> None:
        found = _effect(record, "consumed")
        if not found:
            text = f"VMM looks at slot {self.events.slot} of the queue: no new entry there"
            self._show(record, VMM, "VMM", text)
            return
        _, _, _, slot, *fields = found
        raw = MQE.pack(*fields)
        mqe = unpack_mqe(raw)
        text = f"VMM reads the entry in slot {slot}: {_entry_words(mqe)}"
        self._show(record, VMM, "VMM", text, **self._about_entry(mqe, raw))

    # -- the rest ------------------------------------------------------------------------------------------

    def _link(self, record: StepRecord) -> None:
        read = self.events.last_copy(record.actor)
        if read is None:
            self._fold(record)
            return
        who = _title(read.who)
        sends = "cannot send" if _effect(record, "not sent") else "sends"
        if sends == "sends":
            self._linked.add(record.actor)
        text = f"{who} {sends} {sentences.place(*read.span or (0, 0))} over the link"
        self._show(record, COPY, who, text, lbas=self._span(read))

    def _memory(self, record: StepRecord) -> None:
        moved = _effect(record, "memory moved")
        sends = f"sends {sentences.count(moved[1], 'page')} of" if moved else "cannot send"
        self._show(record, VMM, "VMM", f"VMM {sends} the guest's memory over the link")

    def _pause(self, record: StepRecord) -> None:
        if _effect(record, "vm")[1] != self.roles.guest:
            self.reel.set_aside(record)
            return
        self._paused_at = record.time
        self._show(record, VMM, "VMM", sentences.PAUSE)

    def _start(self, record: StepRecord) -> None:
        _, name, _, controller = _effect(record, "vm")
        if name != self.roles.guest:
            self.reel.set_aside(record)
            return
        moved = self.roles.is_at_destination(controller)
        timed = self._paused_at >= 0
        note = f"it stood still for {duration(record.time - self._paused_at)}" if timed else ""
        self._show(record, VMM, "VMM", sentences.started(self.roles.there if moved else ""), note=note)

    def _other(self, record: StepRecord) -> None:
        """A step that has no scene of its own: shown when it did something to the run that is looked at."""
        if record.kind in _PREPARING or not record.effects:
            self._fold(record)
            return
        controller, roles = record.actor.split(".", 1)[0], self.roles
        known = (roles.mmc_here, roles.mmc_there, roles.here, roles.there)
        lane, actor = self._by(controller) if controller in known else (VMM, "VMM")
        self._show(record, lane, actor, _title(record.label))

    def _facts(self, command: Command) -> Mapping[str, object]:
        names = self.roles.names.get(command.controller, {})
        facts = sentences.facts_of(command, command.controller, names)
        if command.sqe.opcode == AdminOpcode.TRACK_SEND:
            facts["target"] = self.events.target
        return {**facts, "source": self.roles.here, "reported": self.events.reported}


_SUSPEND: Final = (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.SUSPEND)

_PREPARING: Final = frozenset(("submit", "forward", "choose", "clock", "property", "delete queue"))

_MARKS: Final[Mapping[int, str]] = {
    EntrySpecial.FIRST: "first",
    EntrySpecial.STOPPED: "stopped",
    EntrySpecial.SUSPENDED: "suspended",
    EntrySpecial.FULL: "full",
}

_KINDS: Final[Mapping[str, Callable[[Scenes, StepRecord], None]]] = {
    "doorbell": Scenes._doorbell,
    "fetch": Scenes._fetch,
    "execute": Scenes._execute,
    "complete": Scenes._complete,
    "reap": Scenes._reap,
    "entry": Scenes._entry,
    "marker": Scenes._entry,
    "poll": Scenes._poll,
    "link": Scenes._link,
    "memory": Scenes._memory,
    "pause": Scenes._pause,
    "start": Scenes._start,
}

_ASKED: Final = {
    Role.GUEST: Scenes._guest_asked,
    Role.ADMIN: Scenes._vmm_asked,
    Role.COPY: Scenes._copy_asked,
    Role.SHIM: Scenes._shim_asked,
}
_DONE: Final = {
    Role.GUEST: Scenes._guest_done,
    Role.ADMIN: Scenes._vmm_done,
    Role.COPY: Scenes._copy_done,
    Role.SHIM: Scenes._copy_done,
}


def _effects(record: StepRecord, word: str) -> list[tuple[Any, ...]]:
    return [effect for effect in record.effects if effect[0] == word]


def _effect(record: StepRecord, word: str) -> tuple[Any, ...]:
    """The first effect of that word; empty when there is none."""
    return next((effect for effect in record.effects if effect[0] == word), ())


def _entry_words(mqe: Mqe) -> str:
    return sentences.entry_words(mqe.esa, mqe.blocks, mqe.slba, mqe.deallocated)


def _title(who: str) -> str:
    return who[:1].upper() + who[1:]


def _wish(command: Command) -> str:
    """What a command asks for, as the end of "asks Ctlr X to"."""
    name = sentences.name_of(command)
    return name[:1].lower() + name[1:]


def _cqe(command: Command, status: int, raw: bytes) -> list[str]:
    layout = layout_of_cqe(command.sqe.opcode, command.is_admin and not status, command.select)
    return [layout.name, raw.hex()]
