"""Two runs of the same few commands as one model: one that breaks a promise, and one, told apart by few steps, that
keeps it.  Plain data; nothing here draws.

Both are played from one place, row by row.  They are alike up to the first step that differs; from there on, steps
that they have in common stand in one row, and where one has steps that the other has not, the other rests.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple, TypedDict

from nvmelm_lab.engine import Actor, RunToBlock, Trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.races import World
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.explain import Explanation
from nvmelm_lab.races.shrink import Counterexample
from nvmelm_lab.races.walk import Walk
from nvmelm_lab.views import text
from nvmelm_lab.views.check import check
from nvmelm_lab.views.frames import About, player_model
from nvmelm_lab.views.lanes import GUEST, VMM
from nvmelm_lab.views.model import Phase, PlayerModel, State, Step
from nvmelm_lab.views.reel import cut
from nvmelm_lab.views.replay import at

NAMES: Final = ("Failing run", "Repaired run")
"""What the two are called, the failing one first."""

STAGES: Final = ("The same steps", "From here on different", "A promise is broken")

_SLOT: Final = re.compile(r"slot \d+")

ENDS: Final = "everybody ends"
_ENDS_SENTENCE: Final = "Guest and VMM come to the end of what they do."


class PairModel(TypedDict):
    """Two runs side by side.

    `runs` are player models, the failing one first.  `rows` holds for each row the indices of the two steps that have
    been taken by then.  `differs` is the first row that is not the same in both (its number is that of the step, too),
    `breaks` the one in which the failing run breaks a promise; `lba` is what is at stake, and `stages` are the parts of
    the pair, as the player has phases.
    """

    title: str
    token: str
    names: Sequence[str]
    runs: Sequence[PlayerModel]
    rows: Sequence[Sequence[int]]
    differs: int
    breaks: int
    lba: int
    stages: Sequence[Phase]


class Play(NamedTuple):
    """One execution: what is run, and the order of its decisions (a `Walk` follows them, then goes on by itself)."""

    case: Case
    order: Sequence[str]


def pair_of_counterexample(found: Counterexample, told: Explanation) -> PairModel:
    """A counterexample beside the same with a deciding race the other way round.

    Where no reversal helps, because the VMM or the SSD is wrong whatever the order, it stands beside the reference VMM
    on a right SSD.  InputError when nothing breaks in it.
    """
    failing, title = (
        Play(found.case, told.order),
        f"{told.broken[0].upper()}{told.broken[1:]}: {told.scenario}",
    )
    if told.repaired:
        return pair_of(failing, Play(found.case, told.repaired), title=title, token=told.token)
    right = Play(replace(found.case, defect="", source=""), ())
    return pair_of(
        failing, right, title=title, token=told.token, names=(NAMES[0], "Run of the reference VMM")
    )


def pair_of(
    failing: Play, repaired: Play, *, title: str = "", token: str = "", names: Sequence[str] = NAMES
) -> PairModel:
    """Both executions, run anew and set side by side.

    Raises InputError when the first breaks no promise, when the second breaks one, or when an order cannot be walked.
    """
    films = [_film(play, title, token) for play in (failing, repaired)]
    if not films[0][1]:
        raise InputError("the run that should fail keeps every promise: give an order that breaks one")
    if films[1][1]:
        raise InputError(f"the run that should be repaired breaks a promise, too: {films[1][1]}")
    return pair_model(films[0][0], films[1][0], names)


def pair_model(
    failing: Mapping[str, Any], repaired: Mapping[str, Any], names: Sequence[str] = NAMES
) -> PairModel:
    """Two player models of the same namespace side by side; title and token are those of the failing one.

    Raises InputError when a model cannot be played, or when they are not two runs of one thing.
    """
    runs = check(failing), check(repaired)
    if runs[0]["blocks"] != runs[1]["blocks"] or "counters" in runs[0] or "counters" in runs[1]:
        raise InputError("two runs are shown side by side step by step, of one namespace; these are not")
    rows, differs, wrong = _rows(*runs), _first_difference(*runs), _breaks(runs[0])
    breaks = next(row for row, (step, _) in enumerate(rows) if step == wrong)
    firsts = (0, differs, breaks if breaks > differs else None)
    return {
        "title": runs[0]["title"],
        "token": runs[0]["token"],
        "names": names,
        "runs": runs,
        "rows": rows,
        "differs": differs,
        "breaks": breaks,
        "lba": _at_stake(runs[0]),
        "stages": [{"name": name, "first": first} for name, first in zip(STAGES, firsts, strict=True)],
    }


def describe(pair: PairModel, row: int) -> list[str]:
    """Every fact of both pictures in a row (from 0), one line each."""
    if not 0 <= row < len(pair["rows"]):
        raise InputError(f"row {row}: these two runs have rows 0 to {len(pair['rows']) - 1}")
    lines = []
    for which, (name, run) in enumerate(zip(pair["names"], pair["runs"], strict=True)):
        lines += [f"{name}, {_doing(pair, row, which)}:", *text.describe(run, pair["rows"][row][which])]
    return lines


def _doing(pair: PairModel, row: int, which: int) -> str:
    """Whether it takes a step of its own in this row."""
    rows = pair["rows"]
    if row and rows[row][which] == rows[row - 1][which]:
        return "which takes no step here"
    return "the same step" if row < pair["differs"] else "its step"


def summary(pair: PairModel, row: int) -> str:
    """The pair in a few lines, then both runs in a row (from 0)."""
    same = f"Steps 1 to {pair['differs']} are the same. " if pair["differs"] else ""
    return "\n".join(
        [
            f"{pair['title']}: a failing and a repaired run, side by side",
            f"{same}From step {pair['differs'] + 1} on they differ; the failing run breaks a promise at its step "
            f"{pair['rows'][pair['breaks']][0] + 1}.",
            *describe(pair, row),
            *(f"{name} in the end: {_end(pair, n)}" for n, name in enumerate(pair["names"])),
            *([f"Token: {pair['token']}"] if pair["token"] else []),
        ]
    )


def _end(pair: PairModel, which: int) -> str:
    run = pair["runs"][which]
    return text.describe(run, len(run["steps"]) - 1)[-1].removeprefix("Properties: ")


# --- making films ----------------------------------------------------------------------------------------------


def _film(play: Play, title: str, token: str) -> tuple[PlayerModel, str]:
    """The player's model of one execution, and what went wrong in it ("": nothing)."""
    world, trace = play.case.world(), Trace()
    world.begin(Walk(play.order), trace=trace)
    world.engine.run()
    world.engine.use(RunToBlock())
    who, stuck = _stuck(world)
    verdict = world.verdict()
    judged = world.oracle.judge(world.migration.progress.failure) if not stuck else None
    holds = {each.name: each.holds for each in judged.properties} if judged is not None else {}
    model = player_model(trace, About(title=title or play.case.scenario.name, token=token, holds=holds))
    _add_ending(model, who, stuck)
    return model, verdict


def _stuck(world: World) -> tuple[str, str]:
    """Who does not come to an end, and a sentence about it; both "" if everybody does."""
    for actor in world.actors:
        if actor.error is not None:
            return actor.name, f"{_title(actor.name)} gives up: {actor.error}"
    # The VMM first: while it waits, nobody lets the guest go on.
    for actor in reversed(world.actors):
        if not actor.done.level:
            return actor.name, _held(actor)
    return "", ""


def _held(actor: Actor) -> str:
    """At what an actor stands that never goes on."""
    at = actor.kind.describe(actor.subject).removeprefix(f"{actor.name} ")
    if at.startswith("waits for "):
        return f"{_title(actor.name)} waits for ever for {at.removeprefix('waits for ')}"
    return f"{_title(actor.name)} is held for ever where it {at}"


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


def _add_ending(model: PlayerModel, who: str, words: str) -> None:
    """Whether everybody comes to an end, as one more promise; whoever does not gets a last frame, to tell of it."""
    which, steps = len(model["properties"]), list(model["steps"])
    model["properties"] = [*model["properties"], {"name": ENDS, "sentence": _ENDS_SENTENCE}]
    if words:
        lane = GUEST if who == "guest" else VMM
        steps.append({"t": steps[-1]["t"] + 1, "lane": lane, "actor": _title(who), "text": cut(words, 100)})
    last = steps[-1].copy()
    last["verdicts"] = [*last.get("verdicts", ()), [which, "bad" if words else "good", ""]]
    model["steps"] = [*steps[:-1], last]


# --- what is to be seen in both --------------------------------------------------------------------------------


def _first_difference(one: PlayerModel, other: PlayerModel) -> int:
    for index, (step, beside) in enumerate(zip(one["steps"], other["steps"], strict=False)):
        if _deed(step) != _deed(beside):
            return index
    if len(one["steps"]) == len(other["steps"]):
        raise InputError("these two runs are the same, step by step; there is nothing to compare")
    return min(len(one["steps"]), len(other["steps"]))


def _rows(one: PlayerModel, other: PlayerModel) -> list[list[int]]:
    """For each row the steps that both have taken by then."""
    deeds = [[_deed(step) for step in run["steps"]] for run in (one, other)]
    # Of its own the matcher would let the first difference slide to where more of the rest is alike.
    same = _first_difference(one, other)
    rows = [[index, index] for index in range(same)]
    at_one = at_other = max(0, same - 1)
    matcher = SequenceMatcher(None, deeds[0][same:], deeds[1][same:], autojunk=False)
    for _, here, here_end, there, there_end in matcher.get_opcodes():
        for turn in range(max(here_end - here, there_end - there)):
            at_one = same + here + turn if here + turn < here_end else at_one
            at_other = same + there + turn if there + turn < there_end else at_other
            rows.append([at_one, at_other])
    return rows


def _deed(step: Step) -> tuple[Any, ...]:
    """What tells a step from another one; the slot of an entry does not."""
    return step["lane"], step["actor"], _SLOT.sub("slot", step["text"]), tuple(step.get("lbas") or ())


def _breaks(model: PlayerModel) -> int:
    """The first step that breaks a promise; the last one where none says so."""
    for index, step in enumerate(model["steps"]):
        if any(verdict == "bad" for _, verdict, _ in step.get("verdicts", ())):
            return index
    return len(model["steps"]) - 1


def _at_stake(model: PlayerModel) -> int:
    """The LBA that the failing run is about: one that is lost in the end, else the first that the guest changes."""
    moment = at(model, len(model["steps"]) - 1)
    lost = moment.destination.find(State.LOST)
    if lost >= 0:
        return lost * moment.grain
    changed = (version for step in model["steps"] for version in step.get("versions", ()) if version[0] == 0)
    return int(next(changed, (0, 0))[1])


__all__ = [
    "NAMES",
    "PairModel",
    "Play",
    "describe",
    "pair_model",
    "pair_of",
    "pair_of_counterexample",
    "summary",
]
