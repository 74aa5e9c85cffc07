"""The same guest migrated three ways: while it stands still, over a host shim, with the help of the SSD."""

from dataclasses import replace
from typing import Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.runs import MigrationRun, Outcome, start

METHODS: Final = {"stop": "Stop-and-copy", "shim": "Host shim", "ssd": "SSD-assisted"}
"""The methods by their names in `MigrationRun`, and what people call them."""

SAME_GUEST: Final = MigrationRun(
    blocks=1024,
    workload="mixed",
    seed=7,
    writes_per_second=10_000,
    depth=8,
    granularity=8,
    chunk=16,
    rounds=6,
    downtime_budget_ns=300_000,
    lead_ns=2_000_000,
    after=60,
    neighbour=False,
)
"""A guest that reads and writes, and 4 MiB to migrate: some milliseconds of virtual time."""


def compared(spec: MigrationRun = SAME_GUEST) -> tuple[Outcome, ...]:
    """What comes of each method, in the order of `METHODS`, observed from close by.

    InputError when the run makes no sense, or is one without a clock: then nothing has a duration.
    """
    if spec.schedule[0] != "timed":
        raise InputError(f"the schedule {spec.schedule[0]!r} has no clock to compare by; leave it at 'timed'")
    return tuple(start(replace(spec, method=method), observed=True).finish() for method in METHODS)
