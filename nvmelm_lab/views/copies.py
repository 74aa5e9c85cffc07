"""Whether a migration converged: what each of its copies brought over, against the stop rule.  Plain facts and words.

`convergence_text` is the text twin of the figure that `convergence_figure` draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from nvmelm_lab.runs import Outcome
from nvmelm_lab.views.text import duration, grouped


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a migration.

    name
        ``Initial copy``, ``Round 1`` and so on, or ``Suspend`` for the copy while the VM stands still.
    blocks, left
        LBAs that it brought up to date, deallocated ones included, and LBAs that had changed when it was over: the
        work of the next copy (-1: no copy followed).
    ns
        How long it took, in virtual ns; -1 where no clock ran.  The phases around it count for the first and last.
    throttle
        Percent of its processors' time that were taken from the VM meanwhile.
    """

    name: str
    blocks: int
    left: int
    ns: int
    throttle: int


def copies(outcome: Outcome) -> list[Copy]:
    """The copies that a migration finished, in their order."""
    done = list(_done(outcome))
    following = [*(blocks for _, blocks, *_ in done[1:]), -1]
    return [
        Copy(name, blocks, left, ns, throttle)
        for (name, blocks, ns, throttle), left in zip(done, following, strict=False)
    ]


def _done(outcome: Outcome) -> Iterator[tuple[str, int, int, int]]:
    # One that ended early was in the phase before the last, which cleans up.
    phases = outcome.phases[:-2] if outcome.failure else outcome.phases
    took = {phase.name: phase.end_ns - phase.start_ns if phase.start_ns >= 0 else -1 for phase in phases}
    if "Initial copy" in took:
        yield "Initial copy", outcome.initial_blocks, took["Initial copy"], 0
    rounds = zip(outcome.round_blocks, outcome.round_ns, outcome.round_throttle, strict=True)
    for number, (blocks, ns, throttle) in enumerate(rounds, 1):
        yield f"Round {number}", blocks, ns, throttle
    if "Suspend" in took:
        yield "Suspend", outcome.final_blocks, took["Suspend"], 0


def is_timed(outcome: Outcome) -> bool:
    """Whether a clock ran."""
    return all(phase.start_ns >= 0 for phase in outcome.phases)


def findings(outcome: Outcome) -> tuple[str, str]:
    """Two sentences: whether it converged, and at what cost."""
    return _whether(outcome), _cost(outcome)


def _whether(outcome: Outcome) -> str:
    budget = duration(outcome.run.downtime_budget_ns)
    if outcome.failure:
        return f"It ended early: {outcome.failure}."
    if outcome.run.method == "stop":
        return "Stop-and-copy: there are no rounds, everything is copied while the VM stands still."
    if not outcome.round_ns:
        return "No rounds were allowed: all that changed during the initial copy waited for the suspended VM."
    expected, rounds = duration(outcome.round_ns[-1]), _counted(outcome.rounds, "round")
    if outcome.round_ns[-1] <= outcome.run.downtime_budget_ns:
        return f"It converged in {rounds}: the last copy would take {expected}, and the budget is {budget}."
    return f"It did not converge in {rounds}: the last copy would still take {expected}, and the budget is {budget}."


def _cost(outcome: Outcome) -> str:
    words = [f"Copied while the VM stood still: {_lbas(outcome.final_blocks)}"]
    if outcome.failure:
        words = ["The guest goes on at the source"]
    elif is_timed(outcome):
        words.append(f"downtime {duration(outcome.downtime_ns)}, memory and state included")
    else:
        words.append("no clock ran, so the stop rule looked at how long the blocks need to cross the link")
    if most := max(outcome.round_throttle, default=0):
        words.append(f"the VM was slowed down by up to {most} %")
    if outcome.overflows:
        words.append(f"the Migration Queue filled up {_counted(outcome.overflows, 'time')}")
    return "; ".join(words) + "."


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"


def _lbas(number: int) -> str:
    return f"{grouped(number)} LBA{'s' * (number != 1)}"


def told(copy: Copy) -> str:
    """One copy in words."""
    took = f" in {duration(copy.ns)}" if copy.ns >= 0 else ""
    slowed = f", the VM slowed down by {copy.throttle} %" if copy.throttle else ""
    changed = f"; changed meanwhile: {_lbas(copy.left)}" if copy.left >= 0 else ""
    return f"{copy.name}: {_lbas(copy.blocks)}{took}{slowed}{changed}"


def convergence_text(outcome: Outcome) -> str:
    """The figure's facts in words: what came of it, the stop rule, and one line a copy."""
    rule = f"Stop rule: suspend when a round took no longer than {duration(outcome.run.downtime_budget_ns)}"
    return "\n".join(
        [*findings(outcome), f"{rule}, or after round {outcome.run.rounds}.", *map(told, copies(outcome))]
    )
