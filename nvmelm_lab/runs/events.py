"""What the steps of a trace did to the run: to commands, blocks, the Migration Queue, and what is at stake.

It takes every step's effects, shown or not, and gives what is new for the next frame.  Words for people are
made in `scenes.py`, but for the notes that hang on what is known only here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from nvmelm_lab.engine import StepRecord
from nvmelm_lab.runs import sentences
from nvmelm_lab.runs.attribution import Command, Commands, Role
from nvmelm_lab.runs.content import DESTINATION, SOURCE
from nvmelm_lab.runs.follower import VALUES, Effect, Follower
from nvmelm_lab.runs.roles import Roles
from nvmelm_lab.runs.stakes import Stakes
from nvmelm_lab.runs.versions import Versions


class Events:
    """The run as it stands.

    follower
        What both namespaces hold, and the Migration Queue.
    in_flight
        Names of the guest's commands that were fetched and not yet completed.
    reaped
        Commands whose completions the step at hand read.
    target, reported
        The controller that the Migration Queue tells of, and what Get LBA Status found, in words.
    phases
        Names of the phases that the step at hand began.
    slot
        The slot of the Migration Queue that the VMM reads next.
    set_aside
        Commands that neighbours completed.
    """

    def __init__(self, roles: Roles) -> None:
        self.roles = roles
        own = frozenset((roles.here, roles.there))
        self.commands = Commands(roles.guest, frozenset(roles.neighbours), own)
        self.follower = Follower(roles)
        self.stakes = Stakes()
        self._versions = Versions(roles.held)
        self.in_flight: set[str] = set()
        self.reaped: list[Command] = []
        self.target = roles.here
        self.reported = ""
        self.phases: list[str] = []
        self.set_aside = 0
        # What hangs on a write: nothing while nobody is about to copy, and else what becomes of its entry.
        self._entry_note = ""
        self.slot = 0
        self._shown_head = self._shown_tail = 0
        self._last_read: dict[str, Command] = {}

    def take(self, record: StepRecord) -> None:
        """One more step of the trace."""
        self.reaped, self.phases = [], []
        self.follower.next_step()
        for effect in record.effects:
            self._follow(effect)
            taker = _TAKERS.get(effect[0])
            if taker is not None:
                taker(self, record, effect)

    def _follow(self, effect: Effect) -> None:
        content = self.follower.content
        had_settled = content.settled
        self.follower.take(effect)
        if content.settled and not had_settled:
            self.stakes.moved(content.wrong())

    def news(self) -> dict[str, Any]:
        """What changed since last asked, as keys of a frame."""
        source, destination = self.follower.content.news()
        found: dict[str, Any] = {"source": source, "destination": destination}
        found["versions"] = self._versions.news()
        if self.follower.head != self._shown_head:
            found["head"] = self._shown_head = self.follower.head
        if self.follower.tail != self._shown_tail:
            found["tail"] = self._shown_tail = self.follower.tail
        found["verdicts"] = self.stakes.news()
        return found

    # -- the Migration Queue -------------------------------------------------------------------------------

    def after(self, slot: int) -> int:
        """The slot behind `slot`."""
        return (slot + 1) % self.follower.slots

    def queue_note(self, slot: int) -> str:
        """How full the queue is once `slot` is filled."""
        slots = self.follower.slots
        used = (slot + 1 - self.follower.head) % slots
        full = ": logging ends here" if used == slots - 1 else ""
        return f"{used} of {slots - 1} slots used{full}"

    def logging_note(self, command: Command) -> str:
        """What becomes of the entry of a command that the guest's controller has just carried out."""
        if not command.changed or command.controller != self.roles.here:
            return ""
        return self._entry_note

    def _queue_created(self, _record: StepRecord, effect: Effect) -> None:
        if effect[4] == self.roles.here:
            self.slot = 0

    def _queue_deleted(self, _record: StepRecord, effect: Effect) -> None:
        if self._is_ours(effect):
            self._entry_note = ""

    def _logging_moved(self, _record: StepRecord, effect: Effect) -> None:
        if self._is_ours(effect):
            on = effect[4]
            self._entry_note = "its entry is not posted yet" if on else "not logged: logging was stopped"

    def _queue_full(self, _record: StepRecord, effect: Effect) -> None:
        if self._is_ours(effect):
            self._entry_note = "not logged: the Migration Queue was full"

    def _consumed(self, _record: StepRecord, effect: Effect) -> None:
        if self._is_ours(effect):
            self.slot = self.after(effect[3])

    def _is_ours(self, effect: Effect) -> bool:
        return self.follower.is_ours(effect[1], effect[2])

    # -- commands ------------------------------------------------------------------------------------------

    def _submitted(self, record: StepRecord, effect: Effect) -> None:
        _, who, qid, cid, raw = effect[:5]
        command = self.commands.submitted(record.actor, who, qid, cid, raw)
        if command.role is Role.GUEST:
            self.stakes.submitted(qid, cid)

    def _issued(self, record: StepRecord, effect: Effect) -> None:
        _, _, _, slba, values = effect
        commands = self.commands.on_the_way.get(record.actor)
        if commands and commands[-1].span is None and values:
            commands[-1].span = slba, len(values)

    def _fetched(self, _record: StepRecord, effect: Effect) -> None:
        _, controller, qid, _, name, raw = effect
        if self.commands.fetched(controller, qid, name, raw).role is Role.GUEST:
            self.in_flight.add(name)

    def _completed(self, _record: StepRecord, effect: Effect) -> None:
        _, _, _, name, status, _ = effect
        self.in_flight.discard(name)
        command = self.commands.named(name)
        if command is not None:
            command.status = status

    def _reaped(self, _record: StepRecord, effect: Effect) -> None:
        _, who, qid, cid, _ = effect
        command = self.commands.reaped(who, qid, cid)
        if command is not None:
            self.reaped.append(command)
        if who == self.roles.guest:
            self.stakes.reaped(qid, cid, known=command is not None)
        elif who in self.roles.neighbours:
            self.set_aside += 1

    def _lba_status(self, _record: StepRecord, effect: Effect) -> None:
        _, _, _, ranges, blocks = effect
        self.reported = f"{sentences.count(ranges, 'range')}, {sentences.count(blocks, 'LBA')} in all"

    # -- blocks --------------------------------------------------------------------------------------------

    def copy_begins(self, actor: str, command: Command) -> None:
        """A task asks for blocks of the source."""
        self._last_read[actor] = command

    def last_copy(self, actor: str) -> Command | None:
        """The Read that the task asked for last."""
        return self._last_read.get(actor)

    def _wrote(self, _record: StepRecord, effect: Effect) -> None:
        _, ssd, nsid, slba, stamps, name = effect
        command = self.commands.named(name)
        if command is not None:
            command.span = slba, len(stamps)
        self._changed(ssd, nsid, slba, list(stamps), name)

    def _otherwise_changed(self, _record: StepRecord, effect: Effect) -> None:
        _, ssd, word, name, changes = effect
        command = self.commands.named(name)
        for nsid, slba, blocks, _ in changes:
            self._changed(ssd, nsid, slba, [VALUES[word]] * blocks, name)
        if command is not None and changes:
            first, end = min(c[1] for c in changes), max(c[1] + c[2] for c in changes)
            command.span = first, end - first

    def _changed(self, ssd: str, nsid: int, slba: int, values: list[int], name: str) -> None:
        command = self.commands.named(name)
        if command is None or nsid != self.roles.nsid or command.role is Role.ASIDE:
            return
        command.changed = True
        side = SOURCE if ssd == self.roles.ssd_here else DESTINATION
        if command.role in (Role.GUEST, Role.SHIM):
            writer = f"{command.role.value}, command {command.sqe.cid}"
            self._versions.guest_changed(side, slba, values, writer)
        elif side == SOURCE:
            self._versions.guest_changed(side, slba, values, command.who[:24])
        else:
            self._versions.copied(slba, values, command.who[:24])
        content = self.follower.content
        if content.settled:
            self.stakes.found(content.wrong(range(slba, slba + len(values))))

    # -- who runs ------------------------------------------------------------------------------------------

    def _suspended(self, _record: StepRecord, effect: Effect) -> None:
        if effect[1] == self.roles.here:
            self.stakes.source(runs=False)
        elif effect[1] == self.roles.there:
            self.stakes.destination(runs=False)

    def _resumed(self, record: StepRecord, effect: Effect) -> None:
        if ("reset", effect[1]) in record.effects:
            # A reset ends the suspension, but what it leaves does not run.
            return
        if effect[1] == self.roles.here:
            self.stakes.source(runs=True)
        elif effect[1] == self.roles.there:
            self.stakes.destination(runs=True)

    def _reset(self, _record: StepRecord, effect: Effect) -> None:
        if effect[1] == self.roles.here:
            self.in_flight.clear()
            self.stakes.source_is_reset()
        elif effect[1] == self.roles.there:
            self.stakes.destination(runs=False)

    def _phase(self, _record: StepRecord, effect: Effect) -> None:
        self.phases.append(effect[1])


_TAKERS: Final[Mapping[str, Callable[[Events, StepRecord, Effect], None]]] = {
    "submitted": Events._submitted,
    "issued": Events._issued,
    "fetched": Events._fetched,
    "completed": Events._completed,
    "reaped": Events._reaped,
    "reported": Events._lba_status,
    "wrote": Events._wrote,
    "changed": Events._otherwise_changed,
    "queue created": Events._queue_created,
    "queue deleted": Events._queue_deleted,
    "queue full": Events._queue_full,
    "logging": Events._logging_moved,
    "consumed": Events._consumed,
    "suspended": Events._suspended,
    "resumed": Events._resumed,
    "reset": Events._reset,
    "phase": Events._phase,
}
