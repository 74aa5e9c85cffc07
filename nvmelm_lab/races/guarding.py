"""The reference VMM on rungs that have something more in them: what it guards against, and how."""

from __future__ import annotations

from nvmelm_lab.errors import InputError
from nvmelm_lab.host import provision, recovery
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import Cns
from nvmelm_lab.nvme.identify_lists import unpack_controller_list
from nvmelm_lab.races.scenario import Scenario, Vmm, recovering, reference


def guarding(scenario: Scenario) -> Vmm:
    """The VMM that is right on `scenario`."""
    if scenario.fault:
        return recovering
    if scenario.partner:
        return refuses_shared_namespaces
    return resets_first if scenario.before else reference


async def resets_first(migration: Migration) -> None:
    """Ends all that the destination's controller was told before, then migrates.

    Bringing it online anew resets it (Base 2.1, section 8.2.6.3): its commands end, its queues are gone, and a state
    can be set.  Nothing is copied before that: a late command would overwrite it.
    """
    there = migration.move.destination
    await provision.bring_online(there.driver, there.cntlid)
    await reference(migration)


async def refuses_shared_namespaces(migration: Migration) -> None:
    """Migrates no namespace that another controller may write: its changes are not logged for this one."""
    await recovery.attempt(migration.move, _unless_shared(migration), migration.go_back, migration.go_on)


async def _unless_shared(migration: Migration) -> None:
    here = migration.move.source
    for nsid in migration.move.nsids:
        others = [n for n in await _attached(here.driver, nsid) if n not in (1, here.cntlid)]
        if others:
            raise InputError(
                f"namespace {nsid} is attached to the controllers {others} too, whose changes are not logged"
            )
    await reference(migration)


async def _attached(driver: Driver, nsid: int) -> list[int]:
    """The controllers that a namespace is attached to (Identify, CNS 12h)."""
    buffer = driver.pages.buffer(PAGE_BYTES)
    sqe = commands.identify(0, Cns.ATTACHED_CONTROLLERS, *buffer.prp(PAGE_BYTES), nsid=nsid)
    await driver.command("Identify (attached controllers)", sqe)
    return list(unpack_controller_list(driver.space.read(buffer.address, PAGE_BYTES)))
