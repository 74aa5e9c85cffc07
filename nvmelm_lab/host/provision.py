"""What a managing host does to give a guest a controller with namespaces: all through the primary controller.

Sources: Base 2.1, sections 5.1.21 (Namespace Management), 5.1.20 (Attachment), 5.2.6 (Virtualization Management)
and 8.2.6.3 (secondary controllers: offline, assign, online).
"""

from __future__ import annotations

from collections.abc import Iterable

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.driver import CommandFailed, Driver
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import ResourceType, VirtualizationAction
from nvmelm_lab.nvme.identify import NMIC_SHRNS, IdentifyNamespace
from nvmelm_lab.nvme.identify_lists import pack_controller_list
from nvmelm_lab.nvme.pages import pack_page

QUEUE_RESOURCES = 8
INTERRUPT_RESOURCES = 8


async def create_namespace(driver: Driver, blocks: int) -> int:
    """Create a namespace of `blocks` LBAs that may be attached to several controllers; gives its NSID."""
    buffer = driver.pages.buffer(PAGE_BYTES)
    page = IdentifyNamespace(nsze=blocks, ncap=blocks, nmic=NMIC_SHRNS.put(1))
    driver.space.write(buffer.address, pack_page(page))
    cqe = await driver.command(
        "Namespace Management (create)", commands.namespace_create(0, *buffer.prp(PAGE_BYTES))
    )
    return cqe.dw0


async def create_namespace_as(driver: Driver, blocks: int, nsid: int) -> None:
    """Create a namespace of `blocks` LBAs whose NSID is `nsid`, as a guest knows it from another SSD.

    The controller picks the NSID (Base 2.1, section 5.1.21), the lowest that is free: small namespaces fill
    those below until this one's turn comes, and go again.  InputError when `nsid` is taken.
    """
    async with driver.turn:
        fillers: list[int] = []
        try:
            while (offered := await create_namespace(driver, blocks)) < nsid:
                await delete_namespaces(driver, [offered])
                fillers.append(await create_namespace(driver, 1))
        except CommandFailed:
            await delete_namespaces(driver, fillers)
            raise
        await delete_namespaces(driver, fillers if offered == nsid else [*fillers, offered])
    if offered != nsid:
        raise InputError(
            f"NSID {nsid} is taken behind {driver.name}, but the guest knows its namespace by it; free it first"
        )


async def delete_namespaces(driver: Driver, nsids: Iterable[int]) -> None:
    """Delete these namespaces."""
    for nsid in nsids:
        await driver.command("Namespace Management (delete)", commands.namespace_delete(0, nsid))


async def attach(driver: Driver, nsid: int, cntlids: list[int]) -> None:
    """Attach namespace `nsid` to the controllers `cntlids`."""
    await _attachment(driver, nsid, cntlids, detach=False)


async def detach(driver: Driver, nsid: int, cntlids: list[int]) -> None:
    """Detach namespace `nsid` from the controllers `cntlids`."""
    await _attachment(driver, nsid, cntlids, detach=True)


async def _attachment(driver: Driver, nsid: int, cntlids: list[int], *, detach: bool) -> None:
    buffer = driver.pages.buffer(PAGE_BYTES)
    driver.space.write(buffer.address, pack_controller_list(sorted(cntlids)))
    command = commands.namespace_detach if detach else commands.namespace_attach
    sqe = command(0, nsid, *buffer.prp(PAGE_BYTES))
    await driver.command(f"Namespace Attachment ({'detach' if detach else 'attach'})", sqe)


async def bring_online(driver: Driver, cntlid: int, *, at_once: bool = False) -> None:
    """Give the secondary controller `cntlid` queues and interrupts, and bring it online, freshly reset.

    at_once
        While the primary controller itself is being brought up again.
    """
    action, command = VirtualizationAction, driver.command_at_once if at_once else driver.command
    for step in (
        commands.virtualization(0, cntlid, action.SECONDARY_OFFLINE),
        commands.virtualization(0, cntlid, action.SECONDARY_ASSIGN, ResourceType.QUEUES, QUEUE_RESOURCES),
        commands.virtualization(
            0, cntlid, action.SECONDARY_ASSIGN, ResourceType.INTERRUPTS, INTERRUPT_RESOURCES
        ),
        commands.virtualization(0, cntlid, action.SECONDARY_ONLINE),
    ):
        await command("Virtualization Management", step)
    driver.functions.add(cntlid)


async def take_offline(driver: Driver, cntlid: int) -> None:
    """Reset the secondary controller `cntlid` and take it offline."""
    await driver.is_back()
    driver.functions.discard(cntlid)
    sqe = commands.virtualization(0, cntlid, VirtualizationAction.SECONDARY_OFFLINE)
    await driver.command("Virtualization Management (offline)", sqe)
