"""Names for people: who an actor is, what its step does, what that touches, what somebody waits for.

A run knows actors like ``Y.sq1#2``, labels like ``Ctlr Y executed Write LBA 3`` and cells like ``("log", "Y")``;
learners know "Ctlr Y, command 1", "execute Write LBA 3" and "whether Y is logged".  The words are the same for a step
that is pending and for one in a trace.  Only words live here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvmelm_lab.nvme import AdminOpcode, IoOpcode
from nvmelm_lab.runs.attribution import Command, Role

if TYPE_CHECKING:
    from nvmelm_lab.engine import Touches
    from nvmelm_lab.engine.cells import Key
    from nvmelm_lab.runs.events import Events

VERBS: Final[Mapping[str, str]] = {
    "asks": "ask",
    "begins": "begin",
    "carries": "carry",
    "chooses": "choose",
    "deletes": "delete",
    "disables": "disable",
    "ended": "end",
    "executed": "execute",
    "fetches": "fetch",
    "looks": "look",
    "pauses": "pause",
    "posted": "post",
    "puts": "put",
    "reads": "read",
    "reports": "report",
    "rings": "ring",
    "serves": "serve",
    "starts": "start",
    "submits": "submit",
    "takes": "take",
    "waits": "wait",
    "writes": "write",
}
"""Verbs of the steps' labels, as labels have them and as one who is told what to do has them."""

_COPY: Final = re.compile(r"copy \S+ \d+\.(\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Something that a step touches, in words, and where a picture shows it.

    side
        ``source``, ``destination`` (their LBAs), ``slot`` (of the Migration Queue), or "" for what is no cell of these;
        `number` is the LBA or slot.
    """

    words: str
    side: str = ""
    number: int = -1


class Names:
    """The names in the run that `events` follows."""

    def __init__(self, events: Events) -> None:
        self.roles = events.roles
        self._events = events

    # -- who -----------------------------------------------------------------------------------------------

    def lanes(self) -> tuple[str, ...]:
        """The lanes of a picture of the run, from top to bottom."""
        roles = self.roles
        ctlrs = (roles.here, roles.mmc_here, roles.mmc_there, roles.there)
        here, mmc, there, last = (f"Ctlr {name}" for name in ctlrs)
        return "Guest", here, mmc, "VMM", "Copy tasks", there, last

    def lane(self, actor: str) -> str:
        """The lane in which an actor acts."""
        if self.roles.is_guest(actor):
            return "Guest"
        controller = self._controller(actor)
        if controller:
            return f"Ctlr {controller}"
        if self.roles.is_aside(actor):
            # Another VM, such as one that shares the namespace.
            return actor.split()[0].capitalize()
        return "Copy tasks" if _COPY.fullmatch(actor) else "VMM"

    def who(self, actor: str) -> str:
        """An actor by its name for people: ``Ctlr Y, command 1``, ``Ctlr X, for copy task 1``, ``Guest``, ``VMM``."""
        controller = self._controller(actor)
        if not controller:
            copy = _COPY.fullmatch(actor)
            return f"Copy task {copy[1]}" if copy else self.lane(actor)
        command = self.command(actor)
        if command is None:
            return f"Ctlr {controller}"
        if command.role is Role.GUEST:
            return f"Ctlr {controller}, command {command.sqe.cid}"
        return f"Ctlr {controller}, for {'the VMM' if command.is_admin else command.who}"

    def command(self, actor: str) -> Command | None:
        """The command that an actor of a controller carries out, if it is one that was told of."""
        return self._events.commands.named(actor)

    def _controller(self, actor: str) -> str:
        """The controller whose actor this is; "" for none."""
        name, dot, _ = actor.partition(".sq")
        return name if dot else ""

    # -- what ----------------------------------------------------------------------------------------------

    def step(self, actor: str, label: str) -> str:
        """What a step does, as one would tell its actor to do it: ``execute Write LBA 3``, ``pause the VM``."""
        words = label.split()
        for place, word in enumerate(words):
            if word in VERBS:
                said = " ".join((VERBS[word], *words[place + 1 :]))
                return self._for_people(actor, said)
        return label

    def chip(self, actor: str, label: str) -> str:
        """The same in a word or two: ``W 3``, ``log on``, ``pause``."""
        words = self.step(actor, label)
        for pattern, short in _SHORT:
            words, found = pattern.subn(short, words)
            if found:
                break
        for name, letter in _LETTERS:
            words = words.replace(name, letter)
        return words

    def _for_people(self, actor: str, said: str) -> str:
        vm = f" {self.roles.guest}"
        said = said.removesuffix(vm) + " the VM" if said.endswith(vm) else said
        command = self.command(actor)
        if command is not None and command.is_admin:
            said = said.replace("the controller", f"Ctlr {self._target(command)}", 1)
            return said.replace("user data changes", f"what Ctlr {self._target(command)} changes")
        return said

    def _target(self, command: Command) -> str:
        names = self.roles.names.get(command.controller, {})
        cntlid = command.sqe.cdw11 & 0xFFFF
        if command.sqe.opcode == AdminOpcode.TRACK_SEND:
            return self.roles.here
        return names.get(cntlid, f"with CNTLID {cntlid}")

    def waits_for(self, signal: str) -> str:
        """What a signal stands for, by its name: ``the completion of Track Send``, ``copy task 1``."""
        number, _, who = signal.removeprefix("completion ").partition(" on ")
        command = self._events.commands.awaited(who, int(number)) if number.isdecimal() else None
        if command is not None:
            return f"the completion of {self.title(command)}"
        copy = _COPY.fullmatch(signal)
        return f"copy task {copy[1]}" if copy else signal

    def title(self, command: Command) -> str:
        """A command by its name: ``Write LBA 3``, ``Track Send``."""
        known: type[AdminOpcode] | type[IoOpcode] = AdminOpcode if command.is_admin else IoOpcode
        try:
            words = known(command.sqe.opcode).name.replace("_", " ").title()
        except ValueError:
            return f"a command with opcode {command.sqe.opcode:02X}h"
        for plain, term in _TERMS.items():
            words = words.replace(plain, term)
        if command.is_admin or command.span is None:
            return words
        slba, blocks = command.span
        return f"{words} LBA {slba}" + (f"–{slba + blocks - 1}" if blocks > 1 else "")

    # -- where ---------------------------------------------------------------------------------------------

    def places(self, touches: Touches) -> tuple[Place, ...]:
        """What a step touches that a learner has to think of, what it changes first."""
        reads, writes = touches
        found = (self._place(key) for key in (*writes, *reads))
        return tuple(dict.fromkeys(place for place in found if place is not None))

    def _place(self, key: Key) -> Place | None:
        if not isinstance(key, tuple):
            return None
        match key:
            case ("lba", ssd, _, int(lba)):
                side = self._side(ssd)
                return Place(f"LBA {lba} at the {side}", side, lba)
            case ("allocated", ssd, *_):
                return Place(f"what is allocated at the {self._side(ssd)}")
            case ("log", str(ctlr)):
                return Place(f"whether {ctlr} is logged") if ctlr == self.roles.here else None
            case ("gate", str(gate)):
                return Place(self._gate(gate))
            case ("state", str(ctlr)):
                return Place(f"the state of {ctlr}")
            case ("slot", _, int(position)):
                slot = position % (self._events.follower.slots or position + 1)
                return Place(f"MQ slot {slot}", "slot", slot)
            case (("tail" | "head") as end, _):
                return Place(f"the {end} of the MQ")
        return None

    def _side(self, ssd: object) -> str:
        return "source" if ssd == self.roles.ssd_here else "destination"

    def _gate(self, name: str) -> str:
        fetch = name.removeprefix("fetch of ")
        return f"whether {fetch} fetches" if fetch != name else "whether the VM runs"


_SHORT: Final = tuple(
    (re.compile(pattern), short)
    for pattern, short in (
        (r"execute Controller Data Queue: create.*", "create MQ"),
        (r"execute Controller Data Queue: delete.*", "delete MQ"),
        (r"execute Track Send: start.*", "log on"),
        (r"execute Track Send: stop.*", "log off"),
        (r"execute Migration Send: (suspend|resume) Ctlr (\S+).*", r"\1 \2"),
        (r"execute Migration Send: set Ctlr (\S+?)'s state.*", r"set state \1"),
        (r"execute Migration Receive: get Ctlr (\S+?)'s state.*", r"get state \1"),
        (r"execute Set Features 21h.*", "move head"),
        (r"execute Get LBA Status.*", "LBA status"),
        (r"post the marker.*", "marker"),
        (r"post the entry for", "entry"),
        (r"post the completion of", "done"),
        (r"read the completion of", "reap"),
        (r"ring the doorbell.*", "doorbell"),
        (r"fetch a command.*", "fetch"),
        (r"look at slot (\d+).*", r"look \1"),
        (r"(pause|start) the VM", r"\1 VM"),
        (r"choose .*: ", ""),
        (r"execute ", ""),
    )
)
"""Steps in full, and in a word or two."""

_LETTERS: Final = (
    ("Write Zeroes LBA ", "zero "),
    ("Write Uncorrectable LBA ", "mark "),
    ("Write LBA ", "write "),
    ("Read LBA ", "read "),
    ("Deallocate LBA ", "free "),
)
"""I/O commands in a word."""

_TERMS: Final[Mapping[str, str]] = {"Lba": "LBA", "Io": "I/O", "Cq": "CQ", "Sq": "SQ", "Nvm": "NVM"}
"""Words of the standard that are no words of the language."""
