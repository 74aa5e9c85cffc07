"""Writes raw SQEs, doorbells and properties, most of them nonsense, and says what must hold of the SSD after them."""

from collections.abc import Callable
from random import Random as Dice

from nvmelm_lab.engine import Kind, Random, do
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import (
    MemoryRange,
    Status,
    commands,
    pack_controller_list,
    pack_copy_ranges,
    pack_ranges,
    pack_tracking_request,
)
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    Cns,
    FunctionRegister,
    IoOpcode,
    LbaStatusAction,
    LogAction,
    LogPage,
    Property,
    ResourceType,
    SanitizeAction,
    SequenceIndicator,
    VirtualizationAction,
    cq_head_doorbell,
    sq_tail_doorbell,
)
from nvmelm_lab.nvme.structs import SQE, Sqe
from nvmelm_lab.ssd import FREEDOMS, Habits
from nvmelm_lab.ssd.events import MOST_REQUESTS
from nvmelm_lab.ssd.namespace import Namespace
from nvmelm_lab.ssd.rings import CQE_BYTES, SQE_BYTES
from tests.ssd.door import ENABLE, MEMORY, Bench, Host, Y, Z, ready

DATA = MEMORY // 2
"""Data buffers lie from here on, so that none of the commands overwrites the rings that it came through."""


class Fuzzer:
    """Writes what no driver would into the rings, doorbells and properties of a bench."""

    def __init__(self, seed: int, *, audited: bool = True) -> None:
        self.dice = Dice(seed)
        habits = {
            f.name: self.dice.choice(f.options + (("open",) if f.scope == "timing" else ())) for f in FREEDOMS
        }
        self.bench = ready(
            Random(seed),
            habits=Habits(**habits),
            block_bytes=self.dice.choice([512, 4096]),
            granularity=self.dice.choice([1, 3, 8]),
            audited=audited,
        )
        self.hosts = (self.bench.x, self.bench.y, self.bench.z)
        self.answers: list[tuple[int, int]] = []
        self._cids: list[int] = []
        self._pages = [DATA + PAGE_BYTES * n for n in range(64)]
        self._listed = self._pages[3]
        ssd = self.bench.ssd
        self._damages = 0
        self._damage = Kind(
            "damage",
            lambda where: 1 in ssd.namespaces and ssd.namespaces[1].damage(*where),
            touches=lambda where: ssd.namespaces[1].damaging(*where) if 1 in ssd.namespaces else ((), ()),
        )
        self._ours = {host.cntlid: host.controller.sqs[0] for host in self.hosts}
        for host in self.hosts:
            host.space.write(self._pages[0], pack_ranges([(0, 4), (10, 2), (60, 9)]))
            host.space.write(self._pages[5], pack_copy_ranges([(0, 3), (10, 2), (4, 9), (60, 5)]))
            host.space.write(self._pages[1], pack_controller_list([Y, Z]))
            ranges = [MemoryRange(0, 64), MemoryRange(DATA, 32)]
            host.space.write(self._pages[4], pack_tracking_request(self.dice.choice([0, 0, 1, 12]), ranges))
            host.space.write(self._pages[2], (8).to_bytes(8, "little") * 2)
            pages = b"".join(page.to_bytes(8, "little") for page in self._pages[8:])
            host.space.write(self._listed, pages)

    # -- SQEs ----------------------------------------------------------------------------------------------

    def pointer(self) -> int:
        kind = self.dice.randrange(24)
        if kind == 0:
            return self.dice.getrandbits(64) | 1 << 40
        if kind == 1:
            return self.dice.choice([MEMORY, MEMORY - 4, (1 << 64) - 4096, DATA + 2, DATA + 512])
        return self._listed if kind == 2 else self.dice.choice(self._pages)

    def small(self, most: int) -> int:
        likely = [self.dice.randrange(most) for _ in range(6)]
        return self.dice.choice([*likely, most, self.dice.getrandbits(16)])

    def io_sqe(self) -> bytes:
        nsid = self.dice.choice([1] * 12 + [2, 0, 129, 0xFFFF_FFFF])
        slba, blocks = self.small(56), 1 + self.small(8)
        prp1, prp2 = self.pointer(), self.pointer()
        return self.dice.choice(
            [
                commands.read(0, nsid, slba, blocks, prp1, prp2),
                commands.write(0, nsid, slba, blocks, prp1, prp2),
                commands.write_zeroes(0, nsid, slba, blocks, self.dice.random() < 0.5),
                commands.write_uncorrectable(0, nsid, slba, blocks),
                commands.dataset_management(0, nsid, self.dice.choice([1, 2, 3, 256]), self._pages[0], prp2),
                commands.flush(0, nsid),
                commands.compare(0, nsid, slba, blocks, prp1, prp2),
                commands.verify(0, nsid, slba, blocks),
                commands.copy(0, nsid, slba, self.dice.choice([1, 1, 2, 3, 4, 17]), self._pages[5], prp2),
                commands.zero_namespace(0, nsid),
            ]
        )

    def admin_sqe(self) -> bytes:
        dice, prp1, prp2 = self.dice, self.pointer(), self.pointer()
        qid, entries, target = self.small(4), 2 + dice.randrange(8), dice.choice([Y, Y, Z, 1, 9])
        choices: list[Callable[[], bytes]] = [
            lambda: commands.create_io_cq(0, prp1, qid, entries, vector=dice.randrange(5)),
            lambda: commands.create_io_sq(0, prp1, qid, entries, self.small(4)),
            lambda: commands.delete_io_sq(0, qid),
            lambda: commands.delete_io_cq(0, qid),
            lambda: commands.identify(0, dice.choice(list(Cns)), prp1, prp2, nsid=self.small(3)),
            lambda: commands.set_number_of_queues(0, 4, 4),
            lambda: commands.async_event_request(0),
            lambda: commands.abort(0, self.small(2), self.recent()),
            lambda: commands.get_log_page(
                0, dice.choice(list(LogPage)), 1 + self.small(1024), prp1, prp2, offset=4 * self.small(1024)
            ),
            lambda: commands.namespace_create(0, self._pages[2]),
            lambda: commands.namespace_attach(0, dice.randrange(4), self._pages[1]),
            lambda: commands.namespace_detach(0, dice.randrange(4), self._pages[1]),
            lambda: commands.namespace_delete(0, dice.randrange(2, 5)),
            lambda: commands.virtualization(
                0,
                target,
                dice.choice(list(VirtualizationAction)),
                dice.choice(list(ResourceType)),
                dice.randrange(6),
            ),
            lambda: lm.create_cdq(0, prp1, 8 * dice.randrange(20), target, dice.random() < 0.8),
            lambda: lm.delete_cdq(0, dice.randrange(3)),
            lambda: lm.track_send(0, dice.randrange(2), LogAction.START),
            lambda: lm.track_send(0, dice.randrange(2), LogAction.STOP),
            lambda: lm.track_memory(0, target, dice.random() < 0.7, self._pages[4]),
            lambda: lm.track_receive(0, target, 4 + dice.randrange(40), prp1, prp2),
            lambda: lm.set_head(
                0, dice.randrange(2), dice.randrange(20), dice.choice([None, 3, 99, dice.randrange(20)])
            ),
            lambda: lm.get_cdq_feature(0, dice.randrange(2), prp1),
            lambda: lm.suspend(0, target, dice.random() < 0.2),
            lambda: lm.resume(0, target),
            lambda: lm.get_controller_state(
                0, prp1, prp2, target, 40, 0, dice.randrange(3), dice.randrange(3)
            ),
            lambda: lm.set_controller_state(
                0,
                prp1,
                prp2,
                target,
                dice.randrange(40),
                4 * dice.randrange(3),
                dice.choice(list(SequenceIndicator)),
                dice.randrange(3),
                dice.randrange(3),
            ),
            lambda: lm.get_lba_status(
                0,
                1,
                self.small(64),
                dice.randrange(9),
                1 + dice.randrange(50),
                dice.choice(list(LbaStatusAction)),
                prp1,
                prp2,
            ),
            lambda: commands.format_nvm(0, dice.choice([1, 1, 2, 0xFFFF_FFFF]), dice.randrange(4)),
            lambda: commands.sanitize(0, dice.choice(list(SanitizeAction))),
        ]
        return dice.choice(choices)()

    def recent(self) -> int:
        """The CID of a command that was issued not long ago, or of none."""
        return self.dice.choice(self._cids[-6:] or [0])

    def named(self, host: Host, sqe: bytes) -> bytes:
        """An SQE with a CID that hardly any other has; those of the bench itself are lower.  An Abort means one."""
        self._cids.append(self.recent() if self.dice.random() < 0.02 else 1 << 15 | self.dice.getrandbits(15))
        outstanding = [*host.controller.in_flight, *host.controller.event_requests]
        if sqe[0] == AdminOpcode.ABORT and outstanding and self.dice.random() < 0.8:
            meant = self.dice.choice(outstanding)
            sqe = commands.abort(0, meant.queue.qid, meant.sqe.cid)
        return sqe[:2] + self._cids[-1].to_bytes(2, "little") + sqe[4:]

    def twist(self, sqe: bytes) -> bytes:
        """Some bits of an SQE turned over; its pointers stay, lest the device write into its own rings."""
        fields = Sqe._make(SQE.unpack(sqe))
        for _ in range(self.dice.choice([0, 0, 0, 0, 0, 1, 2, 8])):
            name = self.dice.choice(
                ["flags", "nsid", "cdw10", "cdw11", "cdw12", "cdw13", "cdw14", "cdw15", "opcode"]
            )
            bits = 8 if name in ("flags", "opcode") else 32
            fields = fields._replace(**{name: getattr(fields, name) ^ 1 << self.dice.randrange(bits)})
        return SQE.pack(*fields)

    def nonsense(self) -> bytes:
        opcodes = [*AdminOpcode, *IoOpcode, self.dice.getrandbits(8)]
        dwords = [self.dice.choice([0, 1, 2, self.dice.getrandbits(32)]) for _ in range(6)]
        return SQE.pack(
            self.dice.choice(opcodes),
            0,
            0,
            self.dice.choice([0, 1, 2, 0xFFFF_FFFF]),
            0,
            0,
            0,
            self.pointer(),
            self.pointer(),
            *dwords,
        )

    # -- turns ---------------------------------------------------------------------------------------------

    def submit(self, host: Host, sqe: bytes, *, io: bool) -> None:
        """Put an SQE where the device looks for the next one of a queue that it has, and ring."""
        queues = [queue for queue in host.controller.sqs.values() if bool(queue.qid) == io]
        if not queues:
            return
        queue = self.dice.choice(queues)
        if queue.visible.level - queue.fetched >= queue.entries - 1:
            return
        host.space.write(queue.base + queue.tail * SQE_BYTES, self.named(host, sqe))
        host.write(sq_tail_doorbell(queue.qid), (queue.tail + 1) % queue.entries)

    def turn(self) -> None:
        host = self.dice.choice(self.hosts)
        kind = self.dice.randrange(100)
        if kind < 45:
            self.submit(host, self.twist(self.io_sqe()), io=True)
        elif kind < 80:
            host = self.dice.choice([self.bench.x, self.bench.x, host])
            self.submit(host, self.twist(self.admin_sqe()), io=False)
        elif kind < 90:
            self.submit(host, self.nonsense(), io=self.dice.random() < 0.5)
        elif kind < 94:
            host.write(
                0x1000 + 4 * self.dice.randrange(10),
                self.dice.choice([self.dice.randrange(20), self.dice.getrandbits(32)]),
            )
        elif kind < 97:
            host.write(
                self.dice.choice([*Property, 0x7FF, self.dice.randrange(0x1000)]),
                self.dice.getrandbits(64) | 1,
            )
        elif kind == 97:
            host.write(
                Property.CC, self.dice.choice([0, ENABLE, ENABLE | 1 << 14, self.dice.getrandbits(32)])
            )
        elif kind == 99:
            self._damages += 1
            where = (self.dice.randrange(60), 1 + self.dice.randrange(4))
            self.bench.engine.spawn(f"damage {self._damages}", self.lose(where))
        elif kind == 98:
            self.submit(host, commands.async_event_request(0), io=False)
        elif kind == 99 and self.dice.random() < 0.3:
            self.bench.configure(
                host.controller,
                self.dice.choice(list(FunctionRegister)),
                self.dice.choice([0, 1, 2, 1 << 15]),
            )
        self.bench.engine.advance(self.dice.randrange(12))
        if self.dice.random() < 0.3:
            self.reap()
        if self.dice.random() < 0.05:
            self.revive()

    async def lose(self, where: tuple[int, int]) -> None:
        """The media of namespace 1 lose some blocks, as a step among the others."""
        await do(self._damage, where)

    def reap(self) -> None:
        """Say of every completion queue that all of it was read."""
        for host in self.hosts:
            for cq in list(host.controller.cqs.values()):
                for position in range(cq.consumed.level, cq.posted):
                    address = cq.base + position % cq.entries * CQE_BYTES
                    word = int.from_bytes(host.space.read(address + 14, 2), "little")
                    if cq.base < DATA:
                        self.answers.append((host.cntlid, word >> 1 & 0x7FF))
                host.write(cq_head_doorbell(cq.qid), cq.posted % cq.entries)

    def revive(self) -> None:
        """Bring everything back into service, through the door."""
        self.settle()
        x = self.bench.x
        if x.controller.read_configuration(FunctionRegister.SRIOV_CONTROL) == 0:
            self.bench.configure(x.controller, FunctionRegister.NUM_VFS, 2)
            self.bench.configure(x.controller, FunctionRegister.SRIOV_CONTROL, 1)
        self.enable(x)
        if 1 not in self.bench.ssd.namespaces:
            assert self.bench.create_namespace(64) == 1
        for host in self.hosts:
            self.bench.attach(1, host.cntlid)
            if host is not x:
                # Where half a state has arrived, nothing but a reset ends the suspension.
                half_a_state = x.admin.status(lm.resume(0, host.cntlid)) == Status.COMMAND_SEQUENCE_ERROR
                if half_a_state or not host.controller.online:
                    self.bench.online(host)
                self.enable(host)
            if 1 not in host.controller.sqs and 1 not in host.controller.cqs:
                host.make_ring(1)
            host.admin.unread.clear()

    def enable(self, host: Host) -> None:
        """Let the host have an admin ring of its own, and agree with the device on where it is."""
        ours = host.controller.sqs.get(0) is self._ours[host.cntlid]
        if not ours or host.read(Property.CC) != ENABLE or host.read(Property.CSTS) != 1:
            host.write(Property.CC, 0)
            assert host.enable() == 1
            self._ours[host.cntlid] = host.controller.sqs[0]
        host.admin.submitted = host.controller.sqs[0].visible.level
        host.admin.reaped = host.controller.cqs[0].posted

    def settle(self) -> None:
        """Run until nobody can go on, reading all completions."""
        for _ in range(100):
            self.bench.engine.run()
            before = sum(cq.posted for host in self.hosts for cq in host.controller.cqs.values())
            self.reap()
            self.bench.engine.run()
            if before == sum(cq.posted for host in self.hosts for cq in host.controller.cqs.values()):
                return
        raise AssertionError("the device never comes to rest")


def check(bench: Bench) -> None:
    """What holds of an SSD at rest, whatever was asked of it."""
    ssd = bench.ssd
    assert ssd.free_blocks() >= 0
    assert not ssd.sanitizer.under_way
    for nsid, namespace in ssd.namespaces.items():
        assert namespace.attached <= set(ssd.controllers)
        assert namespace.shared or len(namespace.attached) <= 1
        assert nsid == namespace.nsid
        assert not namespace.sanitizing
        lost = unreadable(namespace)
        for lba in range(namespace.blocks):
            free = namespace.is_deallocated(lba, 1)
            stamps = namespace.read(lba, 1)
            assert (stamps is None) == (lba in lost)
            assert not free or (stamps is not None and list(stamps) == [0])
        assert unreadable(namespace, scan=False) == lost, "a Read of each has met all damage"
    for cdqid, queue in ssd.migration_queues.items():
        assert ssd.controllers[queue.target].migration_queue is queue
        assert (queue.cdqid, queue.owner) == (cdqid, "X")
        assert 0 <= queue.used <= queue.slots - 1
        assert queue.told.level == queue.decided
        assert queue.is_open or not queue.logging
    for controller in ssd.controllers.values():
        assert not controller.in_flight, [str(command.sqe) for command in controller.in_flight]
        assert controller.finished.level == controller.fetched
        assert len(controller.event_requests) <= MOST_REQUESTS
        assert not controller.events.admitted
        assert not controller.events.pending or (controller.primary and not controller.event_requests)
        assert {event.cdqid for event in controller.events.pending} <= set(ssd.migration_queues)
        assert controller.migration_queue in (None, *ssd.migration_queues.values())
        for qid, cq in controller.cqs.items():
            assert cq.qid == qid
            assert cq.claimed == cq.posted
            assert cq.sharers == sum(sq.cq is cq for sq in controller.sqs.values())
            assert 0 <= cq.posted - cq.consumed.level <= cq.entries - 1
        for sq in controller.sqs.values():
            assert controller.cqs[sq.cq.qid] is sq.cq
            assert 0 <= sq.visible.level - sq.fetched <= sq.entries - 1
        may_fetch = (
            controller.online
            and controller.csts & 0b1111 == 1
            and controller.cc & 1
            and not controller.suspended
            and not controller.held
        )
        assert controller.primary or controller.fetch_gate.is_open == bool(may_fetch)
        assert not controller.held


def unreadable(namespace: Namespace, *, scan: bool = True) -> set[int]:
    """The LBAs that Get LBA Status 10h or 11h would tell of; asking leaves nothing behind."""
    ranges = namespace.unreadable_ranges(0, namespace.blocks, namespace.blocks, scan=scan, keep=False)
    return {slba + n for slba, blocks, _ in ranges for n in range(blocks)}


def picture(bench: Bench) -> object:
    """All that a command could change, in plain values."""
    ssd = bench.ssd
    return (
        [
            (
                nsid,
                ns.blocks,
                sorted(ns.attached),
                [(ns.read(lba, 1), ns.is_deallocated(lba, 1)) for lba in range(ns.blocks)],
            )
            for nsid, ns in ssd.namespaces.items()
        ],
        [
            (q.cdqid, q.target, q.head, q.tail, q.trigger, q.logging, q.is_open)
            for q in ssd.migration_queues.values()
        ],
        [
            (
                c.online,
                c.suspended,
                c.held,
                c.queue_resources,
                c.interrupt_resources,
                c.cc,
                c.csts,
                c.aqa,
                c.asq,
                c.acq,
                c.incoming,
                [request.sqe.cid for request in c.event_requests],
                list(c.events.pending),
                c.memory_tracking and c.memory_tracking.ranges,
                sorted(c.cqs),
                sorted(c.sqs),
            )
            for c in ssd.controllers.values()
        ],
    )
