"""VMMs that learners write: from ``async def migrate(vm, source, destination, tasks)`` to what a search can run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from nvmelm_lab.errors import KitError
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.tasks import Desk, Tasks
from nvmelm_lab.host.verbs import Destination, Source, Vm, verbs_of
from nvmelm_lab.races.learner_sharing import shared_variables
from nvmelm_lab.races.learner_text import ENTRY, FILE, ProgramError, compiled, line_of
from nvmelm_lab.races.learner_watch import INSTRUCTIONS, Watch
from nvmelm_lab.races.scenario import Vmm

Migrate = Callable[[Vm, Source, Destination, Tasks], Coroutine[Any, Any, None]]
"""What a learner writes."""


def vmm_of(migrate: Migrate) -> Vmm:
    """The VMM that `migrate` is: it begins when the destination is prepared.

    Raises ProgramError, in the run, when `migrate` comes to its end and the VM has not moved.
    """

    async def vmm(migration: Migration) -> None:
        desk = Desk(migration)
        await desk.lead(desk.program, migrate(*verbs_of(desk)))
        check_moved(migration)

    return vmm


def compile_vmm(text: str, *, instructions: int = INSTRUCTIONS, tells_deliveries: bool | None = None) -> Vmm:
    """The VMM that the program `text` is: it must define ``async def migrate(vm, source, destination, tasks)``.

    The text is run anew for each execution, so nothing that it keeps is there in the next.  Where its tasks share
    variables, the moments at which they go on are steps that a search tries in every order.

    instructions
        Instructions of the program between two steps after which a loop counts as endless; 0: they are not counted.
    tells_deliveries
        Whether those moments are steps; None: if tasks share variables as far as the text tells.

    Raises ProgramError, here or in the run, for whatever is wrong with the program.
    """
    compiled(text)
    tells = bool(shared_variables(text)) if tells_deliveries is None else tells_deliveries

    async def vmm(migration: Migration) -> None:
        # Only plain values belong to this function: it is part of a world that is put back for each execution.
        await run_in(
            namespace_of(text, instructions),
            text,
            migration,
            instructions=instructions,
            tells_deliveries=tells,
        )

    return vmm


def namespace_of(text: str, instructions: int = 0) -> dict[str, Any]:
    """What the program's text defines.  Raises ProgramError when it ends with an error."""
    namespace: dict[str, Any] = {"__name__": FILE, "__builtins__": __builtins__}
    try:
        Watch(text, instructions=instructions).execute(compiled(text), namespace)
    except ProgramError:
        raise
    except Exception as error:
        raise explained(text, error) from error
    return namespace


async def run_in(
    namespace: dict[str, Any],
    text: str,
    migration: Migration,
    *,
    instructions: int = 0,
    tells_deliveries: bool = False,
) -> None:
    """Run ``migrate`` of a namespace.  Raises ProgramError for whatever it does wrong."""
    desk = Desk(
        migration, send=Watch(text, instructions=instructions).send, tells_deliveries=tells_deliveries
    )
    try:
        program = namespace[ENTRY](*verbs_of(desk))
        if not isinstance(program, Coroutine):
            raise ProgramError(
                "not a migration", f"{ENTRY} gives {type(program).__name__} instead of a coroutine"
            )
        await desk.lead(desk.program, program)
        check_moved(migration)
    except (ProgramError, KitError):
        raise
    except Exception as error:
        raise explained(text, error) from error


def check_moved(migration: Migration) -> None:
    """Raises ProgramError unless the VM runs at the destination."""
    if not migration.move.has_moved:
        message = "migrate has ended, but the VM does not run at the destination; start it: await vm.start(destination)"
        raise ProgramError("moves nothing", message)


def explained(text: str, error: Exception) -> ProgramError:
    """What ended a program, with the line at which it happened."""
    line = line_of(text, error.__traceback__)
    said = " ".join(str(error).split())
    what = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return ProgramError("raises", f"{line} raised {what}" if line else f"it raised {what}", line)
