"""A migratable controller as the Migrating Management Host (MMH) reaches it: through the MMC of its SSD.

Each verb is one command of the standard (or the loop that the standard asks for), and returns when the command
has completed.  Sources: Base 2.1, section 8.1.12; NVM Command Set 1.2, section 4.2.1.
"""

from __future__ import annotations

from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.mq_reader import MQE_BYTES, MqReader
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Completeness, LbaStatusAction, LogAction
from nvmelm_lab.nvme.controller_state import HEADER_BYTES, stated_sizes
from nvmelm_lab.nvme.lba_status import unpack_lba_status

STATE_VERSION_INDEX = 1
STATE_UUID_INDEX = 1


class ManagedController:
    """The controller `cntlid`, reached through `driver` on its MMC `mmc`.

    nsids
        NSID -> LBAs of its namespaces that migrate.
    """

    def __init__(self, driver: Driver, mmc: str, name: str, cntlid: int, nsids: dict[int, int]) -> None:
        self.driver = driver
        self.mmc = mmc
        self.name = name
        self.cntlid = cntlid
        self.nsids = nsids
        self._buffer = driver.pages.buffer(16 * PAGE_BYTES)

    def apart(self) -> ManagedController:
        """The same controller with a buffer of its own, for who manages it at the same time."""
        return ManagedController(self.driver, self.mmc, self.name, self.cntlid, self.nsids)

    # -- the Migration Queue -------------------------------------------------------------------------------

    async def create_mq(self, entries: int) -> MqReader:
        """Create a Migration Queue of `entries` slots for this controller; its slots are zeroed first."""
        length = entries * MQE_BYTES
        base = self.driver.pages.take(length)
        self.driver.space.write(base, bytes(length))
        cqe = await self.driver.command(
            "Controller Data Queue (create)", lm.create_cdq(0, base, length // 4, self.cntlid)
        )
        cdqid = cqe.dw0 & 0xFFFF
        return MqReader(self.driver, self.mmc, cdqid, base, entries, self.nsids, self.suspend_for_good)

    async def delete_mq(self, mq: MqReader) -> None:
        """Delete the Migration Queue."""
        if not mq.is_deleted:
            await self.driver.command("Controller Data Queue (delete)", lm.delete_cdq(0, mq.cdqid))

    async def track_send(self, mq: MqReader, *, start: bool) -> None:
        """Start or stop logging user data changes in `mq`."""
        action = LogAction.START if start else LogAction.STOP
        await self.driver.command("Track Send", lm.track_send(0, mq.cdqid, action))

    # -- what is allocated ---------------------------------------------------------------------------------

    async def lba_status(self) -> Changes:
        """The allocated LBAs of its namespaces, at the SSD's granularity: the baseline of a copy.

        Loops while the SSD says that its list was cut short.
        """
        found = Changes(self.nsids)
        for nsid, blocks in self.nsids.items():
            slba = 0
            while slba < blocks:
                slba = await self._lba_status_from(nsid, slba, blocks, found)
        return found

    async def _lba_status_from(self, nsid: int, slba: int, blocks: int, found: Changes) -> int:
        length = self._buffer.length
        prp1, prp2 = self._buffer.prp(length)
        sqe = lm.get_lba_status(0, nsid, slba, 0, length // 4, LbaStatusAction.ALLOCATED, prp1, prp2)
        await self.driver.command("Get LBA Status", sqe)
        status = unpack_lba_status(self.driver.space.read(self._buffer.address, length))
        for descriptor in status.descriptors:
            found.add(nsid, descriptor.slba, descriptor.blocks)
        if status.completeness == Completeness.COMPLETE or not status.descriptors:
            return blocks
        # Cut short, or not said whether it was: go on behind it.
        last = status.descriptors[-1]
        return last.slba + last.blocks

    def whole(self) -> Changes:
        """Every LBA of its namespaces: the baseline of who does not ask what is allocated."""
        found = Changes(self.nsids)
        for nsid, blocks in self.nsids.items():
            found.add(nsid, 0, blocks)
        return found

    # -- suspend, state, resume ----------------------------------------------------------------------------

    async def suspend(self) -> None:
        """Stop the controller from fetching; its commands in flight have completed when this returns."""
        await self.driver.command("Migration Send (suspend)", lm.suspend(0, self.cntlid))

    async def suspend_for_good(self) -> None:
        """The same, and its Migration Queue is deleted: when this returns, all that it had to tell lies in memory."""
        sqe = lm.suspend(0, self.cntlid, delete_queue=True)
        await self.driver.command("Migration Send (suspend, delete the queue)", sqe)

    async def resume(self) -> None:
        """Let the controller fetch again."""
        await self.driver.command("Migration Send (resume)", lm.resume(0, self.cntlid))

    async def get_state(self) -> bytes:
        """The controller's state, with the vendor specific part: the header first, then all that it states."""
        header = await self._get_state(0, HEADER_BYTES)
        total = stated_sizes(header).total
        parts = [header]
        for offset in range(HEADER_BYTES, total, self._buffer.length):
            parts.append(await self._get_state(offset, min(self._buffer.length, total - offset)))
        return b"".join(parts)

    async def _get_state(self, offset: int, length: int) -> bytes:
        prp1, prp2 = self._buffer.prp(length)
        sqe = lm.get_controller_state(
            0, prp1, prp2, self.cntlid, length // 4, offset, STATE_VERSION_INDEX, STATE_UUID_INDEX
        )
        await self.driver.command("Migration Receive (get state)", sqe)
        return self.driver.space.read(self._buffer.address, length)

    async def set_state(self, state: bytes) -> None:
        """Give the controller a state, in one command."""
        prp1, prp2 = self._buffer.prp(len(state))
        self.driver.space.write(self._buffer.address, state)
        sqe = lm.set_controller_state(
            0,
            prp1,
            prp2,
            self.cntlid,
            len(state) // 4,
            version_index=STATE_VERSION_INDEX,
            uuid_index=STATE_UUID_INDEX,
        )
        await self.driver.command("Migration Send (set state)", sqe)
