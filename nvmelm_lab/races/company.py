"""Who else is there in a scenario: a partner on the same namespace, and what the VMM did at the destination before.

Both come from the talk: a namespace may be shared, and the destination's controller may have served commands of the
VMM's making before the guest's state comes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from nvmelm_lab.engine import do
from nvmelm_lab.host import provision
from nvmelm_lab.host.buffers import Pages
from nvmelm_lab.host.disk import Disk
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.guest import Guest
from nvmelm_lab.host.operation import Operation
from nvmelm_lab.host.port import Port
from nvmelm_lab.lab import GuestSpec, Lab

if TYPE_CHECKING:
    from nvmelm_lab.host.migration import Migration

Vmm = Callable[["Migration"], Coroutine[Any, Any, None]]

PARTNER = GuestSpec("partner", "Z", "I", (1,), depth=1)
"""A VM on a controller of its own, with a namespace of its own that nothing happens to."""

_EARLIER_WRITER = 64


async def arrive(lab: Lab, operations: list[Operation]) -> Guest:
    """The partner's program on the guest's namespace, which is attached to the partner's controller as well.

    Whoever writes it, the namespace has one ledger: what one VM was told is written, all must find.
    """
    guest, partner = lab.guests["guest"], lab.guests[PARTNER.name]
    (disk,) = guest.disks
    (own,) = partner.disks
    cntlid = next(n for n, each in lab.source.controllers.items() if each.name == PARTNER.source)
    await provision.attach(lab.source_driver, disk.nsid, [cntlid])
    shared = Disk(partner.vm.pages, disk.nsid, disk.blocks, disk.block_bytes, writer=own.writer, depth=1)
    shared.ledger = disk.ledger
    program = Guest(
        lab.engine, PARTNER.name, shared, partner.driver.port.queues[1], operations, PARTNER.depth
    )
    partner.programs.append(program)
    return program


async def before(lab: Lab, migration: Migration, operations: list[Operation]) -> Guest:
    """A program that issues commands through the destination's controller, by a driver of the VMM's on it."""
    there, (nsid, blocks) = migration.move.destination, next(iter(migration.move.nsids.items()))
    port = Port(lab.destination_spaces["guest"])
    port.plug(there.controller)
    driver = Driver(lab.engine, f"VMM on {there.name}", port, Pages(port.space))
    await driver.enable()
    queue = await driver.create_queue_pair(4)
    disk = Disk(
        driver.pages, nsid, blocks, lab.spec.block_bytes, writer=_EARLIER_WRITER, depth=len(operations)
    )
    return Guest(lab.engine, driver.name, disk, queue, operations, len(operations))


def behind(program: Guest, operations: list[Operation], vmm: Vmm) -> Vmm:
    """The VMM that submits `operations` at the destination, and then migrates as `vmm` does."""

    async def submits_then_migrates(migration: Migration) -> None:
        for operation in operations:
            await do(program.submit, operation)
            await do(program.queue.ring)
        await vmm(migration)

    return submits_then_migrates
