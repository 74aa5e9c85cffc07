"""A VMM that was started anew after a crash: whether to go on or to undo, from what hypervisor and devices know.

The hypervisor knows where the VM runs, and whether it stands still.  That decides: a VM that runs at the destination
stays there, and the source is tidied up; any other goes on at the source, and the destination is.  What there is to
tidy up the devices say (`leftovers.py`); what the crashed VMM had in its memory is not needed.  One thing is lost for
good: what the Migration Queue told.  So a migration is never taken up in the middle, only from its begin.

The commands that the crashed VMM had under way are left to their end first: the kernel's driver outlives a VMM.
"""

from __future__ import annotations

from nvmelm_lab.engine import do
from nvmelm_lab.host import provision
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.leftovers import attached_to, made_for, migration_queue_of
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.host.memory_tracking import SsdTracking
from nvmelm_lab.host.move import Side
from nvmelm_lab.host.recovery import fence, persist
from nvmelm_lab.host.vm import VirtualMachine
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.status import Status


async def adopt(vm: VirtualMachine, source: Side, destination: Side) -> bool:
    """Bring a migration to an end of which nothing is known; gives whether the VM runs at the destination."""
    for side in (source, destination):
        await _settle(side.driver)
    moved = vm.port.behind is destination.controller
    if not moved:
        await _go_on_at_source(vm, source, destination)
    cdqid = await migration_queue_of(source.driver, source.cntlid)
    if cdqid is not None:
        await source.driver.command("Controller Data Queue (delete)", lm.delete_cdq(0, cdqid))
    if moved:
        await _release_source(source)
    else:
        left = await made_for(destination.driver, destination.cntlid)
        await provision.delete_namespaces(destination.driver, left)
    await _end_tracking(vm, source)
    return moved


async def _end_tracking(vm: VirtualMachine, source: Side) -> None:
    """Let the source's SSD see no longer what its controller writes to the VM's memory; no harm if it did not."""
    controller = ManagedController(source.driver, source.mmc, source.name, source.cntlid, {})
    await SsdTracking(controller, vm.memory).stop()


async def _settle(driver: Driver) -> None:
    """Let end what was submitted through `driver`; SQEs without a doorbell yet are let known."""
    for _, queue in sorted(driver.port.queues.items()):
        if queue.pending:
            await do(queue.ring)
        for pending in list(queue.pending.values()):
            await queue.completion(pending)


async def _go_on_at_source(vm: VirtualMachine, source: Side, destination: Side) -> None:
    await fence(destination.driver, destination.cntlid)
    controller = ManagedController(source.driver, source.mmc, source.name, source.cntlid, {})
    # Whether it is suspended its answer tells.
    await persist(source.driver, controller.resume, Status.CONTROLLER_NOT_SUSPENDED)
    if vm.throttle.percent:
        await vm.slow_down(0)
    if not vm.processors.is_open:
        await vm.start()


async def _release_source(source: Side) -> None:
    await fence(source.driver, source.cntlid)
    for nsid in await attached_to(source.driver, source.cntlid):
        await provision.detach(source.driver, nsid, [source.cntlid])
