"""On which SSDs a counterexample fails: the least set of freedoms of the standard that it needs.

An SSD that differs in one freedom is tried with the same order first, and with every order that matters where that
one does not fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from nvmelm_lab.races.case import Case
from nvmelm_lab.races.explorer import Explorer
from nvmelm_lab.races.follow import follow, property_of
from nvmelm_lab.ssd import FREEDOMS, Habits

MOST_EXECUTIONS = 400
"""Executions that are spent on an SSD before it is left open whether it is safe there."""


@dataclass(frozen=True, slots=True)
class Freedoms:
    """On which SSDs the property breaks.

    needs
        What the SSD must do for it, in words; empty: nothing but what the kit's own does.
    safe
        What an SSD does on which it does not break, in words, each alone.
    unknown
        What an SSD does of which that could not be found out, in words.
    """

    needs: tuple[str, ...]
    safe: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        if self.needs:
            said = f"It fails only with an SSD that {' and '.join(self.needs)}"
            said += f"; not if it {', or '.join(self.safe)}." if self.safe else "."
        elif self.safe:
            said = f"It fails with every SSD but one that {', or '.join(self.safe)}."
        else:
            said = "It fails whatever the SSD does where the standard leaves it a choice."
        if self.unknown:
            said += f" Not known for an SSD that {', or '.join(self.unknown)}."
        return said


def freedoms_of(case: Case, order: Sequence[str], sentence: str) -> Freedoms:
    """The least set of freedoms under which `case` breaks what `sentence` says."""
    wanted = property_of(sentence)
    case, needs = _least(case, order, wanted)
    habits = case.scenario.habits
    safe, unknown = [], []
    for freedom in FREEDOMS:
        mine = getattr(habits, freedom.name)
        for option in freedom.options:
            if option in (mine, getattr(Habits(), freedom.name)):
                continue
            fails = _fails(_with(case, freedom.name, option), order, wanted)
            if fails is None:
                unknown.append(WORDS[freedom.name, option])
            elif not fails:
                safe.append(WORDS[freedom.name, option])
    return Freedoms(tuple(WORDS[name, getattr(habits, name)] for name in needs), tuple(safe), tuple(unknown))


def _least(case: Case, order: Sequence[str], wanted: str) -> tuple[Case, list[str]]:
    """The case with as few habits other than the kit's own as it needs, and the names of those."""
    own, needs = Habits(), []
    for name in (each.name for each in fields(Habits)):
        if getattr(case.scenario.habits, name) == getattr(own, name):
            continue
        usual: Any = getattr(own, name)
        if _fails(_with(case, name, usual), order, wanted):
            case = _with(case, name, usual)
        else:
            needs.append(name)
    return case, needs


def _with(case: Case, name: str, option: str) -> Case:
    habits = replace(case.scenario.habits, **{name: option})
    return replace(case, scenario=replace(case.scenario, habits=habits))


def _fails(case: Case, order: Sequence[str], wanted: str) -> bool | None:
    """Whether the property breaks in some order; None where the search was cut short."""
    build = case.worlds()
    if property_of(follow(build, order).sentence) == wanted:
        return True
    explorer = Explorer(build)
    for _ in range(MOST_EXECUTIONS):
        if explorer.advance(1):
            return _has(explorer, wanted)
        if _has(explorer, wanted):
            return True
    return None


def _has(explorer: Explorer, wanted: str) -> bool:
    return any(property_of(sentence) == wanted for sentence in explorer.found.failures)


WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("first_entry", "with the first change"): "posts the first entry with the first change",
    ("first_entry", "marker at once"): "posts a marker when logging starts",
    ("entry_order", "entry first"): "posts an entry before the completion of its command",
    ("entry_order", "completion first"): "posts an entry after the completion of its command",
    ("entry_order", "open"): "may post an entry after the completion of its command",
    ("deallocation_flag", "flagged"): "flags deallocations in its entries",
    ("deallocation_flag", "as a change"): "tells of a deallocation as of any change",
    ("no_change", "logged"): "logs what changes nothing",
    ("no_change", "not logged"): "does not log what changes nothing",
    ("ranges", "an entry each"): "posts an entry for each range",
    ("ranges", "merged"): "merges ranges that follow each other into one entry",
    ("start_logging", "at once"): "logs at once",
    ("start_logging", "after commands in flight"): "completes Track Send after the commands in flight",
    ("reset_resumes", "either controller"): "ends a suspension at a reset of either controller",
    ("reset_resumes", "own controller"): "ends a suspension at a reset of that controller alone",
    ("queue_limit", "Not Enough Resources"): "answers one queue too many with Not Enough Resources",
    ("queue_limit", "Invalid Field"): "answers one queue too many with Invalid Field",
    ("tracking_resources", "ample"): "can track all of memory",
    ("tracking_resources", "scarce"): "can track little of memory",
    ("tracking_lengths", "any"): "tracks ranges of any length",
    ("tracking_lengths", "powers of two"): "tracks ranges of lengths that are powers of two",
    ("tracking_report", "as asked for"): "reports memory as finely as it was asked",
    ("tracking_report", "coarser"): "reports memory more coarsely than it was asked",
    ("abort", "what is not executed"): "aborts what is not executed yet",
    ("abort", "never"): "never aborts anything",
    ("whole_namespace", "a range"): "gives the range of a whole namespace",
    ("whole_namespace", "all LBs"): "says that all logical blocks changed",
    ("scan_result", "tracked"): "remembers what a scan found",
    ("scan_result", "forgotten"): "forgets what a scan found",
    ("suspend_marker", "before the completion"): "posts the marker before Suspend completes",
    ("suspend_marker", "after the completion"): "posts the marker after Suspend completed",
    ("stop_marker", "before the completion"): "posts the marker before Track Send completes",
    ("stop_marker", "after the completion"): "posts the marker after Track Send completed",
    ("queue_identifiers", "lowest free"): "gives the lowest free queue identifier",
    ("queue_identifiers", "counting on"): "gives each queue a new identifier",
    ("lba_status_end", "told"): "says where Get LBA Status ends",
    ("lba_status_end", "not told"): "does not say where Get LBA Status ends",
    ("queue_feature", "512 bytes"): "transfers 512 bytes for Get Features 21h",
    ("queue_feature", "8 bytes"): "transfers 8 bytes for Get Features 21h",
    ("do_not_retry", "set"): "sets Do Not Retry",
    ("do_not_retry", "clear"): "leaves Do Not Retry clear",
    ("aggregation", "an entry a command"): "posts an entry for each command",
    ("aggregation", "several commands"): "tells of several commands in one entry",
}
"""What an SSD does that has taken this option, as the end of "an SSD that"."""
