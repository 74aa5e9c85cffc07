"""The words of a line: what several steps of one errand come to, said in one go.  Only words live here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Part:
    """What one step contributes: its sort, what it is about, and what came of it."""

    sort: str
    about: str
    outcome: str = ""


def words_of_line(parts: Sequence[Part]) -> str:
    """What was done, as the end of a sentence that names who did it."""
    said = _FAMILIES.get(parts[0].sort, _each)(parts)
    faults = [part.outcome for part in parts if part.sort == "fault"]
    return "; then ".join([said, *faults])


def _each(parts: Sequence[Part]) -> str:
    return "; ".join(dict.fromkeys(_present(part.about) for part in parts if part.about))


def _present(text: str) -> str:
    """What a player says of a step when it is done, as it is done."""
    past = next((each for each in _PRESENT if text.startswith(each)), "")
    return _PRESENT[past] + text.removeprefix(past) if past else text


def _in_controller(parts: Sequence[Part]) -> str:
    """A command of the guest: ``fetches and executes command 1, Write LBA 0: now v1, entry in slot 0``."""
    verbs = [_VERBS[part.sort] for part in parts if part.sort in _VERBS and part.sort != "entry"]
    if parts[0].sort == "entry":
        verbs.insert(0, _VERBS["entry"])
    outcomes = [part.outcome for part in parts if part.outcome]
    outcome = f": {', '.join(outcomes)}" if outcomes else ""
    return f"{_listed(list(dict.fromkeys(verbs)))} {parts[0].about}{outcome}"


def _asked(parts: Sequence[Part]) -> str:
    """The guest hands a command over: ``submits command 1, Write LBA 0``."""
    if all(part.sort == "doorbell" for part in parts):
        return f"rings the doorbell for {parts[0].about}"
    rung = any(part.sort == "doorbell" for part in parts)
    return f"{'submits' if rung else 'puts into its queue'} {parts[0].about}"


def _acknowledged(parts: Sequence[Part]) -> str:
    return f"reads the completion of {parts[0].about}" + (f": {parts[0].outcome}" * bool(parts[0].outcome))


def _copied(parts: Sequence[Part]) -> str:
    """A piece that is copied: ``copies LBA 0 (v0) to the destination``."""
    first, last = parts[0], parts[-1]
    if first.sort == "copy read" and last.sort == "copy write":
        return f"copies {_block(last)} to the destination"
    ends = {
        "copy read": f"reads {_block(first)} at the source",
        "copy write": f"writes {_block(first)} to the destination",
        "copy deallocate": f"deallocates {first.about} at the destination",
        "copy zeroes": f"writes zeros to {first.about} at the destination",
        "copy uncorrectable": f"marks {first.about} as unreadable at the destination",
    }
    if first.sort == last.sort:
        return ends[first.sort]
    return f"{ends[first.sort]}; {_copied(parts[1:])}"


def _block(part: Part) -> str:
    return f"{part.about} ({part.outcome})" if part.outcome else part.about


def _drained(parts: Sequence[Part]) -> str:
    """A look into the Migration Queue: ``reads slots 0 and 1: LBA 0 changed; the controller is suspended``."""
    read = [part for part in parts if part.sort == "entry read"]
    empty = [part for part in parts if part.sort == "empty"]
    said = []
    if read:
        slots = _listed([part.about for part in read])
        what = "; ".join(part.outcome for part in read)
        said.append(f"reads the {'entry in slot' if len(read) == 1 else 'entries in slots'} {slots}: {what}")
    if empty:
        said.append(f"finds slot {empty[-1].about} empty")
    return "; ".join(said)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


_PRESENT: Final[Mapping[str, str]] = {
    "created ": "creates ",
    "deleted ": "deletes ",
    "gave ": "gives ",
    "stopped ": "stops ",
    "attached ": "attaches ",
    "detached ": "detaches ",
    "brought ": "brings ",
    "reset ": "resets ",
    "answered ": "answers ",
    "executed ": "executes ",
    "posted ": "posts ",
}

_VERBS: Final[Mapping[str, str]] = {
    "fetch": "fetches",
    "execute": "executes",
    "entry": "logs",
    "complete": "completes",
}

_FAMILIES: Final[Mapping[str, Callable[[Sequence[Part]], str]]] = {
    **dict.fromkeys(_VERBS, _in_controller),
    "submit": _asked,
    "doorbell": _asked,
    "reap": _acknowledged,
    "copy read": _copied,
    "copy write": _copied,
    "copy deallocate": _copied,
    "copy zeroes": _copied,
    "copy uncorrectable": _copied,
    "entry read": _drained,
    "empty": _drained,
}
"""The sort of a line's first part -> how its parts are said together."""
