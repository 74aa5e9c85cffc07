"""Migrations to be judged: one lab, a guest that does what it is told, a way of migrating, and the verdict."""

from collections.abc import Callable, Iterable
from itertools import chain, takewhile

from nvmelm_lab.engine import Schedule
from nvmelm_lab.host.move import Method, Move, Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.oracle import Verdict

BLOCKS = 16
KINDS = {
    "r": OperationKind.READ,
    "w": OperationKind.WRITE,
    "t": OperationKind.TRIM,
    "z": OperationKind.ZEROES,
    "u": OperationKind.UNCORRECTABLE,
}


def commands(words: str, *, start_ns: int = 0, gap_ns: int = 20_000) -> list[Operation]:
    """Operations of one block each, such as ``"w3 r3"``, one every `gap_ns`."""
    return [
        Operation(KINDS[word[0]], int(word[1:]), 1, start_ns + n * gap_ns)
        for n, word in enumerate(words.split())
    ]


BUSY = commands(" ".join(f"w{n % BLOCKS}" for n in range(1000)))
"""Writes that would go on for longer than any migration takes."""


def judged(
    way: Callable[[Move], Method],
    before: Iterable[Operation],
    after: Iterable[Operation] = (),
    *,
    beside: str = "w0 r0 w1 r1",
    plan: Plan | None = None,
    schedule: Schedule | None = None,
    slowest_ns: int = 0,
) -> Verdict:
    """What the oracle says of a guest, migrated `way`, that runs `before` until it has moved and then `after`.

    What it wrote over there would hide what was lost on the way, so `before` ends as soon as it runs again.
    """
    guests = (
        GuestSpec(blocks=(BLOCKS,), filled=BLOCKS, depth=4),
        GuestSpec("neighbour", "Z", "I", (8,), filled=4),
    )
    lab = Lab(LabSpec(guests=guests, granularity=1, chunk=4))
    lab.begin(schedule)
    oracle = lab.oracle("guest")
    method = way(lab.move("guest", plan or Plan(rounds=2, downtime_budget_ns=0)))
    here = takewhile(lambda _: method.progress.started_at < 0, before)
    lab.run_workload("guest", chain(here, after))
    lab.run_workload("neighbour", commands(beside, gap_ns=100_000))
    vmm = lab.engine.spawn("VMM", method.run())
    lab.engine.run()
    assert vmm.done.level, "the migration got stuck"
    return oracle.judge(method.progress.failure, slowest_ns=slowest_ns)


def broken(verdict: Verdict) -> dict[str, str]:
    """The properties that did not hold, and what was found."""
    assert verdict.good == (not verdict.broken)
    return {each.name: each.word for each in verdict.broken}
