"""Explaining a counterexample: plain values that the story, the figure, the player and an exported page are made of.

Nothing here is drawn or formatted; what an explanation holds goes to JSON as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from nvmelm_lab.engine import Trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import OperationKind
from nvmelm_lab.oracle import PROPERTIES
from nvmelm_lab.races import token
from nvmelm_lab.races.account import Account
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import DEFECTS
from nvmelm_lab.races.diagnosis import Block, diagnose
from nvmelm_lab.races.follow import Run, follow, property_of
from nvmelm_lab.races.freedom import freedoms_of
from nvmelm_lab.races.reversal import Reversal, deciding
from nvmelm_lab.races.shrink import Counterexample
from nvmelm_lab.races.teller import account
from nvmelm_lab.races.walk import actor_of
from nvmelm_lab.runs.sentences import count, place

if TYPE_CHECKING:
    from nvmelm_lab.engine.cells import Key

MOST_RACES = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story.

    lane
        Index into the explanation's lanes.
    who, text
        Together a sentence.
    note
        What that means, for who has the room to say so; "" for nothing.
    points
        The points of choice that it took, as indices into the order; empty for what no other could tell of.
    trace
        Numbers of its first and last step in the trace that `Counterexample.order` gives.
    """

    lane: int
    who: str
    text: str
    note: str
    points: tuple[int, ...]
    trace: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Race:
    """Two steps whose order decides.

    name
        ``A``, ``B``, ``C``.
    first, second
        Numbers of steps, from 1 on; 0 for what never came.
    about
        What they race for, in words: ``LBA 0 at the source``.
    text
        What would have been, in a sentence.
    order
        Decisions with which the second comes first, and nothing breaks.
    """

    name: str
    first: int
    second: int
    about: str
    text: str
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an execution breaks a property.

    scenario
        Its name; `setting` says in a sentence what happens in it.
    broken, promise
        The property's name, and what it promises.
    sentence
        What was found, in a sentence.
    lanes, steps, races
        The story.
    block
        The LBA that differs, both versions and their writers; None where it is not about one.
    entry
        What became of the entry that should have told of the change; "" where there is none to look for.
    why, advice
        How it came to that, and what would be right, in sentences.
    freedoms
        On which SSDs it fails, in a sentence.
    token, order, repaired
        The execution as a line of text, its decisions, and those of one in which nothing breaks (empty: none is known).
    """

    scenario: str
    setting: str
    broken: str
    promise: str
    sentence: str
    lanes: tuple[str, ...]
    steps: tuple[Step, ...]
    races: tuple[Race, ...]
    block: Block | None
    entry: str
    why: tuple[str, ...]
    advice: str
    freedoms: str
    token: str
    order: tuple[str, ...]
    repaired: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """The explanation as JSON values."""
        return asdict(self)


def explain(found: Counterexample) -> Explanation:
    """Why it fails.  InputError when it does not."""
    build = found.case.worlds()
    trace = Trace()
    run = follow(build, found.order, trace)
    if not run.sentence:
        raise InputError(f"in this order nothing breaks in the scenario {found.case.scenario.name!r}")
    told = account(trace, run.points)
    diagnosis = diagnose(told, run.sentence)
    races = tuple(_races(told, run, deciding(build, run, trace)))
    broken = property_of(run.sentence)
    return Explanation(
        scenario=found.case.scenario.name,
        setting=_setting(found.case),
        broken=broken,
        promise=PROPERTIES.get(broken, _PROMISES.get(broken.partition(" ")[2], "")),
        sentence=diagnosis.finding,
        lanes=told.lanes,
        steps=tuple(
            Step(told.lanes.index(line.lane), line.who, line.text, line.note, line.points, line.steps)
            for line in told.lines
        ),
        races=races,
        block=diagnosis.block,
        entry=diagnosis.entry,
        why=diagnosis.why,
        advice=_advice(found.case, diagnosis.advice),
        freedoms=freedoms_of(found.case, run.order, run.sentence).sentence,
        token=token.encode(found.case, run.order),
        order=run.order,
        repaired=races[0].order if races else (),
    )


# -- races -------------------------------------------------------------------------------------------------


def _races(told: Account, run: Run, reversals: Sequence[Reversal]) -> Iterator[Race]:
    """The races that a reader should look at, the most telling first."""
    telling = [each for each in reversals if not _is_postponed(run, each)]
    seen = set()
    for reversal in telling or reversals:
        lines = told.line_of(reversal.first), told.line_of(reversal.second) if reversal.second >= 0 else -1
        if lines in seen:
            continue
        seen.add(lines)
        yield _race(told, run, reversal, chr(ord("A") + len(seen) - 1))
        if len(seen) == MOST_RACES:
            return


def _is_postponed(run: Run, reversal: Reversal) -> bool:
    """Whether the guest or a controller merely comes too late to go on: then all happens after the move."""
    cells = _cells(run, reversal)
    return not cells or all(key[0] == "gate" for key in cells if isinstance(key, tuple))


def _cells(run: Run, reversal: Reversal) -> list[Key]:
    """What the two steps race for."""
    first, second = run.points[reversal.first], run.points[reversal.second]
    if reversal.second < 0:
        return sorted(first.reads | first.writes, key=repr)
    both = first.writes & (second.reads | second.writes) | first.reads & second.writes
    return sorted(both, key=repr)


def _race(told: Account, run: Run, reversal: Reversal, name: str) -> Race:
    places = told.names.places(((), tuple(_cells(run, reversal))))
    about = places[0].words if places else "what both touch"
    first = told.line_of(reversal.first) + 1
    if reversal.second >= 0:
        second = told.line_of(reversal.second) + 1
        text = f"Had step {second} come before step {first}, nothing would have broken."
    else:
        second = 0
        who = told.names.who(actor_of(reversal.decision))
        would = told.names.step(actor_of(reversal.decision), reversal.does)
        text = f"Before step {first} {who} could have gone: {would}. Then nothing would have broken."
    return Race(name, first, second, about, text, reversal.order)


def _advice(case: Case, advice: str) -> str:
    """What would be right; where the firmware is wrong, the VMM need not change."""
    defect = DEFECTS.get(case.defect)
    if defect is None or defect.kind != "firmware":
        return advice
    return f"The SSD's firmware, not the VMM. {defect.title}"


# -- words -------------------------------------------------------------------------------------------------


def _setting(case: Case) -> str:
    """What happens in a scenario, in a sentence."""
    scenario = case.scenario
    asked = [f"{_OPERATIONS[each.kind]} {place(each.slba, each.blocks)}" for each in scenario.operations()]
    depth = f", up to {scenario.depth} at a time" if scenario.depth > 1 else ""
    fault = f"; it meets the fault {scenario.fault}" if scenario.fault else ""
    lbas = count(scenario.blocks, "LBA")
    return f"The guest does {', then '.join(asked)}{depth}; its namespace has {lbas}{fault}."


_OPERATIONS: Final = {
    OperationKind.WRITE: "Write",
    OperationKind.TRIM: "Deallocate",
    OperationKind.ZEROES: "Write Zeroes",
    OperationKind.UNCORRECTABLE: "Write Uncorrectable",
    OperationKind.READ: "Read",
}

_PROMISES: Final = {
    "never ends": "Every command of the guest completes, and the migration comes to an end.",
    "failed": "The migration goes through, and the guest's commands succeed.",
}
"""What is promised where a run does not come to its end: guest or VMM, then one of these."""
