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


def words_of_line(parts: Sequence[Part]) -> tuple[str, str]:
    """What was done, as the end of a sentence that names who did it; and a note that may follow a colon, or ""."""
    told = _FAMILIES.get(parts[0].sort)
    return (told(parts), "") if told is not None else _each(parts)


def _each(parts: Sequence[Part]) -> tuple[str, str]:
    """Each of them, in the words that it brings: ``suspends Ctlr Y``, and that it fetches no more commands."""
    said = list(dict.fromkeys(part.about for part in parts))
    return "; ".join(said), parts[0].outcome if len(said) == 1 else ""


def _in_controller(parts: Sequence[Part]) -> str:
    """A command of the guest: ``carries out command 1: LBA 0 is v1, entry in slot 0``."""
    sorts = {part.sort for part in parts}
    verbs = [_VERBS[part.sort] for part in parts if part.sort != "entry" or parts[0].sort == "entry"]
    if "execute" in sorts and "complete" in sorts:
        verbs = ["carries out"] if "fetch" in sorts else ["executes"]
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
    if not parts[0].about:
        return "looks for a completion: there is none"
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
    """A look into the Migration Queue: ``reads slot 0 (LBA 0 changed) and slot 1 (Y is suspended)``."""
    read = [part for part in parts if part.sort == "entry read"]
    empty = [part for part in parts if part.sort == "empty"]
    said = []
    if read:
        said.append("reads " + _listed([f"slot {part.about} ({part.outcome})" for part in read]))
    if empty:
        said.append(f"finds slot {empty[-1].about} empty")
    return "; ".join(said)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


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
