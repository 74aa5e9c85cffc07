"""A host that knows nothing but the door: properties, doorbells, and rings in its own memory.

No driver of the kit is used here, so that the SSD is held to the standard and not to our own host.  `Bench` is one
SSD with the primary controller X and the secondary ones Y and Z; each has a `Host` before it, with `Ring`s.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack

from nvmelm_lab.engine import Audit, Engine, Kind, Recorder, RunToBlock, Schedule, do
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace, Stamps
from nvmelm_lab.nvme import Cqe, Status, commands, pack_ranges
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import (
    DOORBELLS,
    LbaStatusAction,
    Property,
    ResourceType,
    SequenceIndicator,
    VirtualizationAction,
    cq_head_doorbell,
    sq_tail_doorbell,
)
from nvmelm_lab.nvme.identify import IdentifyNamespace
from nvmelm_lab.nvme.identify_lists import pack_controller_list
from nvmelm_lab.nvme.lba_status import LbaStatusList, unpack_lba_status
from nvmelm_lab.nvme.pages import pack_page
from nvmelm_lab.nvme.structs import CQE, SQE
from nvmelm_lab.ssd import Controller, Habits, Subsystem
from tests.ssd.mq import MigrationQueue

ENABLE = 1 | 6 << 16 | 4 << 20
"""CC: enabled, I/O SQEs of 2^6 and CQEs of 2^4 bytes."""

MEMORY = 1 << 24
X, Y, Z = 1, 2, 3
"""CNTLIDs."""


def status_of(cqe: Cqe) -> Status:
    """The status in a CQE, without phase tag and DNR."""
    return Status(cqe.status_word >> 1 & 0x7FF)


def raw(opcode: int, *, nsid: int = 0, flags: int = 0, prp1: int = 0, prp2: int = 0, **dwords: int) -> bytes:
    """An SQE by hand: ``cdw10`` to ``cdw15`` by name."""
    rest = [dwords.pop(f"cdw{n}", 0) for n in range(10, 16)]
    assert not dwords
    return SQE.pack(opcode, flags, 0, nsid, 0, 0, 0, prp1, prp2, *rest)


class Ring:
    """The SQ and the CQ `qid` of a host, `entries` slots each.

    unread
        CQEs that were reaped and that nobody asked for yet, by CID.
    """

    def __init__(self, host: Host, qid: int, entries: int, sq: int, cq: int, cq_entries: int = 0) -> None:
        self.host = host
        self.qid = qid
        self.entries = entries
        self.cq_entries = cq_entries or entries
        self.sq = sq
        self.cq = cq
        self.submitted = 0
        self.reaped = 0
        self.unread: dict[int, list[Cqe]] = {}
        self._cid = 0

    def put(self, sqe: bytes, cid: int | None = None) -> int:
        """Write an SQE into the next slot; gives its CID.  Nobody sees it before the doorbell."""
        if cid is None:
            cid = self._cid = self._cid + 1 & 0xFFFF
        address = self.sq + 64 * (self.submitted % self.entries)
        self.host.space.write(address, sqe[:2] + cid.to_bytes(2, "little") + sqe[4:])
        self.submitted += 1
        return cid

    def ring(self) -> None:
        """Write the tail doorbell."""
        self.host.write(sq_tail_doorbell(self.qid), self.submitted % self.entries)

    def submit(self, *sqes: bytes) -> list[int]:
        """Put SQEs and ring once; gives their CIDs."""
        cids = [self.put(sqe) for sqe in sqes]
        self.ring()
        return cids

    def look(self) -> Cqe | None:
        """The CQE at the head, if its phase tag says that it is new."""
        address = self.cq + 16 * (self.reaped % self.cq_entries)
        cqe = Cqe._make(CQE.unpack(self.host.space.read(address, 16)))
        return cqe if cqe.status_word & 1 == 1 - (self.reaped // self.cq_entries & 1) else None

    def reap(self, *, tell: bool = True) -> list[Cqe]:
        """Take all CQEs that are there; `tell`: and write the head doorbell."""
        found = []
        while (cqe := self.look()) is not None:
            found.append(cqe)
            self.reaped += 1
            self.unread.setdefault(cqe.cid, []).append(cqe)
        if found and tell:
            self.tell()
        return found

    def tell(self) -> None:
        """Write the head doorbell."""
        self.host.write(cq_head_doorbell(self.qid), self.reaped % self.cq_entries)

    def run(self, sqe: bytes) -> Cqe:
        """Submit one command and run until nobody can go on; gives its CQE, which must be there."""
        (cid,) = self.submit(sqe)
        self.host.bench.engine.run()
        self.reap()
        (cqe,) = self.unread.pop(cid)
        return cqe

    def status(self, sqe: bytes) -> Status:
        """Like `run`, of which only the status matters."""
        return status_of(self.run(sqe))


class Host:
    """Memory, and the controller that it talks to."""

    def __init__(self, bench: Bench, controller: Controller) -> None:
        self.bench = bench
        self.controller = controller
        self.cntlid = controller.cntlid
        self.space = controller.space
        self.rings: dict[int, Ring] = {}
        self._next = PAGE_BYTES

    # -- memory --------------------------------------------------------------------------------------------

    def take(self, length: int = PAGE_BYTES) -> int:
        """The address of fresh whole pages, all zeros."""
        address = self._next
        self._next += -(-length // PAGE_BYTES) * PAGE_BYTES
        assert self._next <= self.space.size, "the bench has no more memory"
        return address

    def prp(self, address: int, length: int) -> tuple[int, int]:
        """PRP1 and PRP2 for a buffer in one piece; a list is written where one is needed."""
        first = PAGE_BYTES - address % PAGE_BYTES
        if length <= first:
            return address, 0
        if length <= first + PAGE_BYTES:
            return address, address + first
        pages = range(address + first, address + length, PAGE_BYTES)
        return address, self.prp_list(pages)

    def prp_list(self, pages: Iterable[int]) -> int:
        """A PRP list of these pages on fresh memory."""
        entries = list(pages)
        address = self.take(8 * len(entries))
        self.space.write(address, pack(f"<{len(entries)}Q", *entries))
        return address

    # -- properties and queues -----------------------------------------------------------------------------

    def write(self, offset: int, value: int) -> None:
        """Write a property or a doorbell."""
        self.bench.poke(self.controller, offset, value)

    def read(self, offset: int) -> int:
        """Read a property."""
        return self.controller.read_property(offset)

    @property
    def admin(self) -> Ring:
        """The admin queues."""
        return self.rings[0]

    @property
    def io(self) -> Ring:
        """The first pair of I/O queues."""
        return self.rings[1]

    def enable(self, entries: int = 16, cc: int = ENABLE) -> int:
        """Set up the admin queues, enable, and give CSTS."""
        self.rings = {0: Ring(self, 0, entries, self.take(64 * entries), self.take(16 * entries))}
        self.write(Property.AQA, entries - 1 << 16 | entries - 1)
        self.write(Property.ASQ, self.admin.sq)
        self.write(Property.ACQ, self.admin.cq)
        self.write(Property.CC, cc)
        return self.read(Property.CSTS)

    def make_ring(self, qid: int, entries: int = 16, *, cq_entries: int = 0, interrupts: bool = True) -> Ring:
        """Create CQ and SQ `qid`."""
        cq_entries = cq_entries or entries
        ring = Ring(self, qid, entries, self.take(64 * entries), self.take(16 * cq_entries), cq_entries)
        create_cq = commands.create_io_cq(0, ring.cq, qid, cq_entries, interrupts=interrupts)
        assert self.admin.status(create_cq) == Status.SUCCESS
        assert self.admin.status(commands.create_io_sq(0, ring.sq, qid, entries, qid)) == Status.SUCCESS
        self.rings[qid] = ring
        return ring

    # -- blocks, in the host's buffer ----------------------------------------------------------------------

    def write_blocks(self, slba: int, stamps: list[int], nsid: int = 1) -> Status:
        """Write blocks with these stamps."""
        size = self.space.stamps.block_bytes
        address = self.take(size * len(stamps))
        self.space.write_stamps(address, stamps)
        return self.io.status(
            commands.write(0, nsid, slba, len(stamps), *self.prp(address, size * len(stamps)))
        )

    def read_blocks(self, slba: int, blocks: int, nsid: int = 1) -> list[int] | Status:
        """The stamps of blocks, or the status if they cannot be read."""
        size = self.space.stamps.block_bytes
        address = self.take(size * blocks)
        status = self.io.status(commands.read(0, nsid, slba, blocks, *self.prp(address, size * blocks)))
        return list(self.space.read_stamps(address, blocks)) if status == Status.SUCCESS else status

    def deallocate(self, *ranges: tuple[int, int], nsid: int = 1) -> Status:
        """Dataset Management with these ranges, each ``(slba, blocks)``."""
        address = self.take()
        self.space.write(address, pack_ranges(ranges))
        return self.io.status(commands.dataset_management(0, nsid, len(ranges), address))

    # -- what an MMC is asked for --------------------------------------------------------------------------

    def make_mq(self, slots: int, target: int = Y) -> MigrationQueue:
        """Create a Migration Queue of zeroed slots."""
        base = self.take(32 * slots)
        cqe = self.admin.run(lm.create_cdq(0, base, 8 * slots, target))
        assert status_of(cqe) == Status.SUCCESS
        return MigrationQueue(self, cqe.dw0, base, slots)

    def suspend(self, target: int = Y, *, delete_queue: bool = False) -> Status:
        """Migration Send: suspend."""
        return self.admin.status(lm.suspend(0, target, delete_queue))

    def resume(self, target: int = Y) -> Status:
        """Migration Send: resume."""
        return self.admin.status(lm.resume(0, target))

    def get_state(self, target: int = Y, *, version: int = 1, uuid: int = 1) -> bytes:
        """Migration Receive, all of the state at once (up to 4 KiB; zeros behind it)."""
        address = self.take()
        sqe = lm.get_controller_state(
            0, address, 0, target, PAGE_BYTES // 4, version_index=version, uuid_index=uuid
        )
        assert self.admin.status(sqe) == Status.SUCCESS
        return self.space.read(address, PAGE_BYTES)

    def set_state(
        self,
        state: bytes,
        target: int = Y,
        *,
        offset: int = 0,
        sequence: SequenceIndicator = SequenceIndicator.ONLY,
        version: int = 1,
        uuid: int = 1,
    ) -> Status:
        """Migration Send: set controller state, one command."""
        address = self.take(max(len(state), 1))
        self.space.write(address, state)
        prp1, prp2 = self.prp(address, len(state))
        return self.admin.status(
            lm.set_controller_state(0, prp1, prp2, target, len(state) // 4, offset, sequence, version, uuid)
        )

    def lba_status(
        self, slba: int = 0, blocks: int = 0, *, dwords: int = 1024, nsid: int = 1
    ) -> LbaStatusList | Status:
        """Get LBA Status 02h: the list, or the status if there is none."""
        address = self.take(4 * dwords)
        prp1, prp2 = self.prp(address, 4 * dwords)
        sqe = lm.get_lba_status(0, nsid, slba, blocks, dwords, LbaStatusAction.ALLOCATED, prp1, prp2)
        status = self.admin.status(sqe)
        if status != Status.SUCCESS:
            return status
        return unpack_lba_status(self.space.read(address, max(4 * dwords, 8)))


class Bench:
    """One SSD, its controllers, and a host before each: `x`, `y`, `z`.

    With `audited` each step of the run is held to what it declared.
    """

    def __init__(
        self,
        schedule: Schedule | None = None,
        *,
        habits: Habits | None = None,
        capacity: int = 4096,
        block_bytes: int = 4096,
        granularity: int = 1,
        secondary: Iterable[str] = ("Y", "Z"),
        audited: bool = False,
    ) -> None:
        schedule = schedule if schedule is not None else RunToBlock()
        if audited:
            schedule = Audit(schedule)
        self.engine = Engine(schedule, recorder=Recorder() if audited else None)
        self.stamps = Stamps(block_bytes)
        spaces = {name: AddressSpace(f"memory of {name}", MEMORY, self.stamps) for name in ("X", *secondary)}
        self.ssd = Subsystem(
            self.engine,
            "SSD",
            ("X", spaces.pop("X")),
            spaces,
            capacity=capacity,
            block_bytes=block_bytes,
            granularity=granularity,
            habits=habits,
        )
        self.x, self.y, self.z, *_ = (Host(self, controller) for controller in self.ssd.controllers.values())
        self._poke = Kind(
            "poke",
            lambda where: where[0].write_property(*where[1:]),
            touches=lambda where: (
                where[0].doorbell_touches() if where[1] >= DOORBELLS else where[0].property_touches(where[1])
            ),
            label=lambda where: f"the host writes {where[2]:X}h to offset {where[1]:X}h of {where[0].name}",
        )
        self._configure = Kind(
            "configure",
            lambda where: where[0].write_configuration(*where[1:]),
            touches=lambda where: where[0].configuration_touches(where[1]),
            label=lambda where: f"the host writes {where[2]:X}h to register {where[1]:X}h of {where[0].name}",
        )
        self._audited = audited
        self._pokes = 0

    def poke(self, controller: Controller, offset: int, value: int) -> None:
        """Write a property or doorbell; when audited, as a step among the others."""
        if not self._audited:
            controller.write_property(offset, value)
            return
        self._pokes += 1
        self.engine.run(self.engine.spawn(f"host {self._pokes}", self._write(controller, offset, value)))

    def configure(self, controller: Controller, offset: int, value: int) -> None:
        """Write a register of the function's configuration space; when audited, as a step among the others."""
        if not self._audited:
            controller.write_configuration(offset, value)
            return
        self._pokes += 1
        self.engine.run(
            self.engine.spawn(f"host {self._pokes}", self._write(controller, offset, value, self._configure))
        )

    async def _write(self, controller: Controller, offset: int, value: int, kind: Kind | None = None) -> None:
        await do(kind or self._poke, (controller, offset, value))

    # -- setting up, through the door ----------------------------------------------------------------------

    def online(self, host: Host, *, queues: int = 4, interrupts: int = 4) -> None:
        """Offline, assign, online."""
        action = VirtualizationAction
        for sqe in (
            commands.virtualization(0, host.cntlid, action.SECONDARY_OFFLINE),
            commands.virtualization(0, host.cntlid, action.SECONDARY_ASSIGN, ResourceType.QUEUES, queues),
            commands.virtualization(
                0, host.cntlid, action.SECONDARY_ASSIGN, ResourceType.INTERRUPTS, interrupts
            ),
            commands.virtualization(0, host.cntlid, action.SECONDARY_ONLINE),
        ):
            assert self.x.admin.status(sqe) == Status.SUCCESS

    def create_namespace(self, blocks: int, *, shared: bool = True) -> int:
        """Namespace Management: create; gives the NSID."""
        address = self.x.take()
        self.x.space.write(address, pack_page(IdentifyNamespace(nsze=blocks, ncap=blocks, nmic=int(shared))))
        cqe = self.x.admin.run(commands.namespace_create(0, address))
        assert status_of(cqe) == Status.SUCCESS
        return cqe.dw0

    def attach(self, nsid: int, *cntlids: int) -> Status:
        """Namespace Attachment: attach."""
        address = self.x.take()
        self.x.space.write(address, pack_controller_list(cntlids))
        return self.x.admin.status(commands.namespace_attach(0, nsid, address))

    def detach(self, nsid: int, *cntlids: int) -> Status:
        """Namespace Attachment: detach."""
        address = self.x.take()
        self.x.space.write(address, pack_controller_list(cntlids))
        return self.x.admin.status(commands.namespace_detach(0, nsid, address))


def ready(
    schedule: Schedule | None = None,
    *,
    blocks: int = 64,
    habits: Habits | None = None,
    entries: int = 16,
    block_bytes: int = 4096,
    granularity: int = 1,
    audited: bool = False,
) -> Bench:
    """A bench with X, Y and Z enabled, an I/O ring each, and namespace 1 of `blocks` LBAs attached to all of them."""
    bench = Bench(schedule, habits=habits, block_bytes=block_bytes, granularity=granularity, audited=audited)
    assert bench.x.enable() == 1
    assert bench.create_namespace(blocks) == 1
    assert bench.attach(1, X, Y, Z) == Status.SUCCESS
    for host in (bench.y, bench.z):
        bench.online(host)
        assert host.enable() == 1
    for host in (bench.x, bench.y, bench.z):
        host.make_ring(1, entries)
    return bench
