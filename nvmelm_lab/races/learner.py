"""VMMs that learners write: from ``async def migrate(vm, source, destination, tasks)`` to what a search can run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.tasks import Desk, Tasks
from nvmelm_lab.host.verbs import Destination, Source, Vm, verbs_of
from nvmelm_lab.races.scenario import Vmm

Migrate = Callable[[Vm, Source, Destination, Tasks], Coroutine[Any, Any, None]]
"""What a learner writes."""


def vmm_of(migrate: Migrate) -> Vmm:
    """The VMM that `migrate` is: it begins when the destination is prepared.

    Raises InputError, in the run, when `migrate` comes to its end and the VM has not moved.
    """

    async def vmm(migration: Migration) -> None:
        desk = Desk(migration)
        await desk.lead(desk.program, migrate(*verbs_of(desk)))
        if not migration.move.has_moved:
            raise InputError(
                "migrate has ended, but the VM still runs at the source; start it at the destination"
            )

    return vmm
