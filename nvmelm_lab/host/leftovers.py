"""What a migration has left behind on an SSD, as far as the devices themselves know.

For who cannot remember: a VMM that was started anew, or one that lost a completion to a reset.  All of it is asked
through the door: Identify, and Get Features 21h.
"""

from __future__ import annotations

from nvmelm_lab.host.driver import CommandFailed, Driver
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Cns
from nvmelm_lab.nvme.identify import IdentifyController
from nvmelm_lab.nvme.identify_lists import unpack_controller_list, unpack_namespace_list
from nvmelm_lab.nvme.pages import unpack_page
from nvmelm_lab.nvme.status import Status

PRIMARY = 1
"""CNTLID of the primary controller."""


async def made_for(driver: Driver, cntlid: int) -> list[int]:
    """The NSIDs of the namespaces that are attached to no controller but the primary and `cntlid`.

    Those were made for a migration to `cntlid`, the one that is under way or one that ended in the middle.
    """
    nsids = unpack_namespace_list(await _page(driver, Cns.ALLOCATED_NAMESPACES))
    return [nsid for nsid in nsids if await _attached(driver, nsid) <= {PRIMARY, cntlid}]


async def attached_to(driver: Driver, cntlid: int) -> list[int]:
    """The NSIDs of the namespaces that are attached to `cntlid`."""
    nsids = unpack_namespace_list(await _page(driver, Cns.ALLOCATED_NAMESPACES))
    return [nsid for nsid in nsids if cntlid in await _attached(driver, nsid)]


async def migration_queue_of(driver: Driver, cntlid: int) -> int | None:
    """The identifier of the Migration Queue that tells of `cntlid`; None when there is none.

    Get Features 21h knows each queue, but which identifiers an SSD gives is up to it.  Most give the lowest that is
    free.  Before all the others are tried another queue is asked for: two for one controller no SSD makes.
    """
    most = unpack_page(IdentifyController, await _page(driver, Cns.CONTROLLER)).mnsudmq
    for cdqid in range(most):
        if await _is_queue(driver, cdqid):
            return cdqid
    if await _could_have_one(driver, cntlid):
        return None
    for cdqid in range(most, 1 << 16):
        if await _is_queue(driver, cdqid):
            return cdqid
    return None


async def _could_have_one(driver: Driver, cntlid: int) -> bool:
    """Whether a Migration Queue for `cntlid` can be made, and so there is none; it is deleted at once."""
    buffer = driver.pages.buffer(PAGE_BYTES)
    try:
        cqe = await driver.command(
            "Controller Data Queue (create)", lm.create_cdq(0, buffer.address, PAGE_BYTES // 4, cntlid)
        )
    except CommandFailed as failed:
        if failed.status != Status.INVALID_FIELD:
            raise
        return False
    await driver.command("Controller Data Queue (delete)", lm.delete_cdq(0, cqe.dw0 & 0xFFFF))
    return True


async def _is_queue(driver: Driver, cdqid: int) -> bool:
    buffer = driver.pages.buffer(PAGE_BYTES)
    try:
        await driver.command("Get Features 21h", lm.get_cdq_feature(0, cdqid, *buffer.prp(PAGE_BYTES)))
    except CommandFailed as failed:
        if failed.status != Status.INVALID_CONTROLLER_DATA_QUEUE:
            raise
        return False
    return True


async def _attached(driver: Driver, nsid: int) -> set[int]:
    return set(unpack_controller_list(await _page(driver, Cns.ATTACHED_CONTROLLERS, nsid)))


async def _page(driver: Driver, cns: Cns, nsid: int = 0) -> bytes:
    buffer = driver.pages.buffer(PAGE_BYTES)
    await driver.command("Identify", commands.identify(0, cns, *buffer.prp(PAGE_BYTES), nsid=nsid))
    return driver.space.read(buffer.address, PAGE_BYTES)
