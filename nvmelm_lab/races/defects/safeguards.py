"""VMMs, and a host, without one of their safeguards: right as long as nothing else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.host import provision, recovery
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.port import Port
from nvmelm_lab.races.scenario import reference

if TYPE_CHECKING:
    from nvmelm_lab.races.scenario import World


class _TellsNothingAgain(Port):
    """Interrupts that came while the VM stood still, or to the other host, are gone."""

    __slots__ = ()

    def replay_interrupts(self) -> None:
        """Replays none."""


def loses_interrupts(world: World) -> None:
    """The VM starts without a look at the completions that lie on its rings."""
    world.migration.vm.port.__class__ = _TellsNothingAgain


async def resets_the_destination_late(migration: Migration) -> None:
    """What the destination's controller was told before is ended just before its state is set, not before the copy."""
    await migration.start_logging()
    await migration.initial_copy()
    await migration.iterate()
    await migration.suspend_and_copy()
    there = migration.move.destination
    await provision.bring_online(there.driver, there.cntlid)
    await migration.move_and_resume()


async def leaves_the_vm_paused(migration: Migration) -> None:
    """Where the migration ends early, the source's controller is resumed, and the VM is forgotten."""
    move = migration.move

    async def go_back() -> None:
        move.is_paused = False
        await migration.go_back()

    await recovery.attempt(move, reference(migration), go_back, migration.go_on)
