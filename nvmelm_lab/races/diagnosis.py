"""What went wrong, read from an account: the LBA that differs, or who waits for what, and the entry that is missing.

Each diagnosis is a few sentences for people who are new to NVMe: what is so, why it came to that, what would be right.
Steps are named by the number of their line, from 1 on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nvmelm_lab.races.account import Account, Change, Entry, Span, Way
from nvmelm_lab.races.follow import property_of
from nvmelm_lab.runs import sentences
from nvmelm_lab.runs.content import DESTINATION, SOURCE

_LBA: Final = re.compile(r"\bLBA (\d+): (source|destination) has ")


@dataclass(frozen=True, slots=True)
class Version:
    """What an LBA holds: by name, who wrote it, and in which step (0: it was there before)."""

    name: str
    writer: str
    step: int


@dataclass(frozen=True, slots=True)
class Block:
    """The LBA that differs: what the guest was promised, and what is found where the guest runs now."""

    lba: int
    place: str
    promised: Version
    found: Version


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What went wrong.

    finding
        In a sentence.
    block
        The LBA that differs; None where the failure is not about one.
    entry
        What became of the entry of the Migration Queue that should have told of the change; "" where there is none to
        look for.
    why
        How it came to that, a sentence each.
    advice
        What would be right.
    """

    finding: str
    block: Block | None
    entry: str
    why: tuple[str, ...]
    advice: str


def diagnose(told: Account, sentence: str) -> Diagnosis:
    """What went wrong in an execution of which the oracle says `sentence`."""
    found = _LBA.search(sentence)
    if found is not None:
        return _of_block(told, int(found[1]), found[2])
    return _OTHERS.get(property_of(sentence), _plainly)(told, sentence)


# -- an LBA differs ----------------------------------------------------------------------------------------


def _of_block(told: Account, lba: int, place: str) -> Diagnosis:
    side = DESTINATION if place == "destination" else SOURCE
    changes = [change for change in told.changes if change.span.covers(lba)]
    promised = next((change for change in reversed(changes) if change.command is not None), None)
    found = next((change for change in reversed(changes) if change.side == side), None)
    block = Block(lba, place, _version(promised), _version(found, empty=side == DESTINATION))
    finding = (
        f"LBA {lba} holds {block.found.name} at the {place}; the guest was promised {block.promised.name}"
    )
    if found is not None and found.command is None and found.controller == told.roles.there:
        return Diagnosis(finding, block, "", *_earlier_command(told, found))
    if promised is None:
        return Diagnosis(finding, block, "", *_never_copied(told, lba, found))
    if promised.side == DESTINATION:
        return Diagnosis(finding, block, *_overwritten(told, lba, promised, found))
    return Diagnosis(finding, block, *_behind(told, lba, promised, found))


def _version(change: Change | None, *, empty: bool = False) -> Version:
    if change is None:
        return (
            Version("nothing", "nobody ever copied it", 0)
            if empty
            else Version("v0", "there before the run", 0)
        )
    through = f", through Ctlr {change.controller}"
    who = f"written by {change.who}{through}" if change.command is not None else f"brought by {change.who}"
    return Version(change.version, who, change.span.line + 1)


Reasons = tuple[str, tuple[str, ...], str]
"""What became of the entry, how it came to that, what would be right."""


def _earlier_command(told: Account, found: Change) -> tuple[tuple[str, ...], str]:
    """The VMM had used the guest's controller at the destination itself, and a command of that came late."""
    there, step = told.roles.there, found.span.line + 1
    why = f"a command that the VMM had given to Ctlr {there} before the move was carried out only in step {step}"
    return (
        why,
    ), f"End what Ctlr {there} was given before: delete its queues, or reset it, before the last copies."


def _never_copied(told: Account, lba: int, found: Change | None) -> tuple[tuple[str, ...], str]:
    if found is None:
        why = f"LBA {lba} was there before the run, no command changed it, and no copy brought it over"
        return (why,), "See to it that the first copy takes all LBAs that hold data."
    return (f"{found.who} changed it in step {found.span.line + 1}, though the guest did not",), _ONLY_COPIES


_ONLY_COPIES: Final = "Nobody but copies may change the destination before the guest runs there."


def _overwritten(told: Account, lba: int, promised: Change, found: Change | None) -> Reasons:
    """The guest changed it at the destination, and somebody changed it after that."""
    entry = f"none: changes through Ctlr {promised.controller}, at the destination, are logged by nobody"
    why = [f"the guest runs at the destination, and changed LBA {lba} there in step {promised.span.line + 1}"]
    if found is not None and found is not promised:
        read = _look_before(told, lba, found)
        old = f", which it had read in step {read.line + 1}" if read is not None else ""
        why.append(f"in step {found.span.line + 1} {found.who} wrote the older {found.version} over it{old}")
    return entry, tuple(why), "Let every copy end before the destination's controller is resumed."


def _behind(told: Account, lba: int, promised: Change, found: Change | None) -> Reasons:
    """The guest changed it at the source, and the destination does not have that."""
    step = promised.span.line + 1
    if not promised.logged:
        return _not_logged(told, lba, promised)
    entry = _entry_of(told, lba, promised)
    if entry is None:
        return (
            f"none, though Ctlr {promised.controller} was logged when LBA {lba} changed in step {step}",
            (f"the SSD told nobody that LBA {lba} changed in step {step}",),
            "Firmware has to log every change: an entry that covers each LBA of the command.",
        )
    posted = f"posted in step {entry.line + 1}, into slot {entry.slot}"
    if entry.step < promised.span.step and entry.read_by >= 0 and entry.read_at < promised.span.step:
        return (
            f"{posted}, and read in step {entry.read_by + 1}: both before the change",
            (f"the copy that followed the entry could not see what came only in step {step}",),
            "Firmware may post an entry only once Reads return what it tells of.",
        )
    if entry.read_by < 0:
        return (
            f"{posted}; the VMM never read it",
            (f"the VMM does not know that LBA {lba} changed in step {step}",),
            "After the suspend, read the Migration Queue up to its marker, and copy what the entries say.",
        )
    return _told_in_vain(told, lba, promised, found, entry, posted)


def _told_in_vain(
    told: Account, lba: int, promised: Change, found: Change | None, entry: Entry, posted: str
) -> Reasons:
    """The VMM read the entry; what did it make of it?"""
    read = f"{posted}; read in step {entry.read_by + 1}"
    copies = [
        change
        for change in told.changes
        if change.side == DESTINATION and change.command is None and change.span.covers(lba)
    ]
    after = [copy for copy in copies if copy.span.step > entry.read_at]
    full = told.first("queue full")
    if not after and full >= 0:
        return (
            read,
            (f"the queue filled up in step {full + 1}; after that the VMM did not copy LBA {lba} again",),
            "After 'full' begin anew: log again, copy what is allocated, deallocate the rest at the destination.",
        )
    if not after:
        return (
            read,
            (f"the VMM did not copy LBA {lba} after step {entry.read_by + 1}",),
            "Bring over every LBA that an entry names: copy it, or deallocate it.",
        )
    right = next((copy for copy in after if copy.version == promised.version), None)
    last = after[-1]
    if right is not None and found is not None:
        seen = _look_before(told, lba, last)
        old = f", which it had read in step {seen.line + 1}," if seen is not None else ""
        return (
            read,
            (
                f"{right.who} brought {right.version} in step {right.span.line + 1}",
                f"in step {last.span.line + 1} {last.who} wrote the older {last.version}{old} over it",
            ),
            "Two copies of one LBA must not be under way at once: wait for the first before the second begins.",
        )
    seen = _look_before(told, lba, last)
    when = f", which it had read in step {seen.line + 1}" if seen is not None else ""
    return (
        read,
        (f"in step {last.span.line + 1} {last.who} wrote {last.version}{when}: not what the entry told of",),
        "Read an LBA only after its entry was read: what was read before may be out of date.",
    )


def _not_logged(told: Account, lba: int, promised: Change) -> Reasons:
    step, here = promised.span.line + 1, told.roles.here
    none = f"none: when LBA {lba} changed in step {step},"
    if promised.controller != here:
        return (
            f"{none} it was through Ctlr {promised.controller}, of which no queue tells",
            (f"Track Send asked for the changes through Ctlr {here} alone",),
            "Log every controller that may write to the namespace, or let none but the VM's.",
        )
    full = told.first("queue full")
    moves = [(line + 1, effect[4]) for line, effect in told.happened.get("logging", ())]
    before = [(line, on) for line, on in moves if line <= step]
    if 0 <= full < step:
        return (
            f"{none} the Migration Queue had been full since step {full + 1}",
            ("a full queue ends logging: what changes after that is told to nobody",),
            "At the entry that says 'full', start logging again and copy everything anew.",
        )
    if before and not before[-1][1]:
        return (
            f"{none} logging had ended in step {before[-1][0]}",
            ("what changes after that is told to nobody",),
            "Log until the controller is suspended and nothing is in flight.",
        )
    began = next((line for line, on in moves if on), 0)
    entry = f"{none} Ctlr {here} was not logged yet" + (f" (only from step {began} on)" if began else "")
    if not any(look.covers(lba) for look in told.looks):
        asked = told.first("reported") + 1
        why = f"no copy read LBA {lba}" + (f": the list of step {asked} did not name it" if asked else "")
        return entry, (why,), "What Get LBA Status gives has to name every LBA that holds data."
    return (
        entry,
        (f"LBA {lba} was read for the copy before it changed, and nothing told the VMM to read it again",),
        "Begin to copy only when Track Send has completed: from then on each change gets an entry.",
    )


def _entry_of(told: Account, lba: int, change: Change) -> Entry | None:
    """The entry that tells of a change: the first one behind it, else the last one before."""
    entries = [entry for entry in told.entries if entry.covers(lba)]
    later = next((entry for entry in entries if entry.step >= change.span.step), None)
    others = [each.span.step for each in told.changes if each.command is not None and each.span.covers(lba)]
    if later is not None or len(entries) < len(others):
        return later
    return entries[-1] if entries else None


def _look_before(told: Account, lba: int, write: Change) -> Span | None:
    """When that copy had read the LBA at the source."""
    line = told.lines[write.span.line]
    if write.version.endswith(", deallocated"):
        return None
    looks = [
        look
        for look in told.looks
        if look.covers(lba) and look.step < write.span.step and told.lines[look.line].who == line.who
    ]
    return looks[-1] if looks and looks[-1].line != write.span.line else None


# -- no LBA differs ----------------------------------------------------------------------------------------


def _two_controllers(told: Account, sentence: str) -> Diagnosis:
    here, there = told.roles.here, told.roles.there
    resumed = [(line + 1, effect[1]) for line, effect in told.happened.get("resumed", ())]
    why = [f"Ctlr {name} was resumed in step {line}" for line, name in resumed]
    if here not in (name for _, name in resumed):
        why.insert(0, f"Ctlr {here} was not suspended")
    why.append("both fetch commands from the same queues, and neither knows of the other")
    finding = f"Ctlr {here} and Ctlr {there} both serve the VM"
    return Diagnosis(
        finding,
        None,
        "",
        tuple(why),
        f"Once the state has gone over, resume Ctlr {there} alone: Ctlr {here} stays suspended.",
    )


def _stuck_guest(told: Account, sentence: str) -> Diagnosis:
    """The guest waits for a completion that never comes."""
    waiting = [way for way in told.ways if way.asked >= 0 and way.read < 0]
    why = [word for way in waiting for word in _way(way)]
    for way in told.ways:
        why += [
            f"in step {line + 1} Ctlr {name} fetched a command that the guest never submitted"
            for line, name in way.fetched
            if way.asked < 0
        ]
    advice, because = _of_move(told, waiting)
    why += because
    count = len(waiting)
    finding = f"The guest waits for ever for {sentences.commands_of([way.command for way in waiting])}"
    return Diagnosis(finding if count else sentence, None, "", tuple(why), advice)


def _of_move(told: Account, waiting: Sequence[Way]) -> tuple[str, list[str]]:
    """What of the move kept completions from the guest: what would be right, and why."""
    here, there = told.roles.here, told.roles.there
    memory, state = told.first("memory moved"), told.first("state taken")
    starts = [line for line, effect in told.happened.get("vm", ()) if effect[2] == "running"]
    if memory >= 0 and any(line > memory for way in waiting for line in _changes_memory(way, here)):
        return (
            "Send the rest of the guest's memory when the VM is paused and nothing is in flight in its controller.",
            [
                f"the guest's memory, and its queues in it, was sent in step {memory + 1}: "
                f"Ctlr {there} looks at queues as they were then"
            ],
        )
    if state >= 0 and any(line > state for way in waiting for line in _changes_state(way, here)):
        return "Take the state when the controller is suspended: then it changes no more.", [
            f"the state of Ctlr {here} was taken in step {state + 1}: "
            f"of what became of its queues later Ctlr {there} does not know"
        ]
    done = [line for way in waiting for line, name, _ in way.completed if name == there]
    if starts and done and min(done) < starts[-1]:
        return "When the VM starts, raise the interrupts that came while it stood still.", [
            f"the completion came in step {min(done) + 1}, while the VM stood still until step {starts[-1] + 1}, "
            "and nobody told the guest of it"
        ]
    return "Let the destination go on where the source has stopped: memory, state, then resume.", []


def _changes_memory(way: Way, here: str) -> list[int]:
    """When the command changed what lies in memory at the source."""
    return [way.asked, *(line for line, name, _ in way.completed if name == here)]


def _changes_state(way: Way, here: str) -> list[int]:
    """When the command changed what the controller at the source knows of its queues."""
    fetched = [line for line, name in way.fetched if name == here]
    return [*fetched, *_changes_memory(way, here)]


def _way(way: Way) -> list[str]:
    """How far a command came, in words."""
    what = sentences.commands_of([way.command])
    said = [f"the guest submitted {what} in step {way.asked + 1}"]
    said += [f"Ctlr {name} fetched it in step {line + 1}" for line, name in way.fetched]
    said += [f"Ctlr {name} completed it in step {line + 1}" for line, name, _ in way.completed]
    if not way.fetched:
        said.append("no controller ever fetched it")
    if way.completed:
        said.append("the guest never finds its completion")
    return said


def _commands_twice(told: Account, sentence: str) -> Diagnosis:
    odd = [way for way in told.ways if len(way.completed) != 1 or way.read < 0 or len(way.fetched) != 1]
    why = tuple(word for way in odd for word in _way(way))
    finding = sentence.partition(": ")[2]
    return Diagnosis(
        finding,
        None,
        "",
        why,
        "A command belongs to the controller that fetched it: it completes there, and once.",
    )


def _stuck_vmm(told: Account, sentence: str) -> Diagnosis:
    """The VMM waits for what never comes."""
    signal = sentence.partition("it waits for ")[2]
    what = told.names.waits_for(signal) if signal else ""
    last = len(told.lines)
    why = (
        (f"after step {last} ({told.lines[-1].who} {told.lines[-1].text}) nobody can go on",) if last else ()
    )
    finding = f"The VMM waits for ever for {what}" if what else sentence
    return Diagnosis(finding, None, "", why, "")


def _left_behind(told: Account, sentence: str) -> Diagnosis:
    """The migration ended early, and the guest is not as it was."""
    finding = sentence.partition(": ")[2].rstrip(".")
    moves = [(line + 1, effect[2]) for line, effect in told.happened.get("vm", ())]
    if not moves or moves[-1][1] != "paused":
        return _plainly(told, finding)
    why = f"the VMM paused the VM in step {moves[-1][0]}, and never started it again"
    advice = "However a migration ends, start the VM where its controller runs."
    return Diagnosis(finding, None, "", (why,), advice)


def _plainly(told: Account, sentence: str) -> Diagnosis:
    last = told.lines[-1] if told.lines else None
    why = (
        () if last is None else (f"the last that happened is step {len(told.lines)}: {last.who} {last.text}",)
    )
    return Diagnosis(sentence.rstrip("."), None, "", why, "")


_OTHERS: Final[Mapping[str, Callable[[Account, str], Diagnosis]]] = {
    "one controller runs": _two_controllers,
    "guest never ends": _stuck_guest,
    "VMM never ends": _stuck_vmm,
    "each command once": _commands_twice,
    "nothing lost on failure": _left_behind,
}
