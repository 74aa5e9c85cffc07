"""The oracle: what must hold of every migration, as named properties that each carry a sentence for learners.

It is told what controllers and VMs do while the run goes on.  At the end it reads every LBA through the door,
as a host does, and asks the guests' ledgers whether that is what they were promised.  It never looks into a
device, and never changes what a guest can see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nvmelm_lab.engine import Engine, RunToBlock
from nvmelm_lab.engine.core import Effect
from nvmelm_lab.errors import KitError
from nvmelm_lab.host.disk import Disk
from nvmelm_lab.host.driver import Driver, status_of
from nvmelm_lab.host.guest import Guest
from nvmelm_lab.host.ledger import UNREADABLE
from nvmelm_lab.host.queue_pair import QueuePair
from nvmelm_lab.host.vm import VirtualMachine
from nvmelm_lab.memory import PAGE_BYTES, AddressSpace
from nvmelm_lab.memory.stamps import WRITER_SHIFT
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import Cns
from nvmelm_lab.nvme.identify_lists import unpack_namespace_list

PROPERTIES: Mapping[str, str] = {
    "no write lost": "Whatever the guest was told is written can be read where it runs now.",
    "nothing revived": "Blocks that the guest deallocated, zeroed or never wrote read as zeros, as ever.",
    "unreadable marked": "Blocks that could not be read before the move cannot be read after it either.",
    "one controller runs": "At no moment do two controllers serve one VM.",
    "each command once": "Every command of the guest completes exactly once, wherever the move found it.",
    "reads consistent": "Each Read of the guest returned what it had written there last.",
    "neighbour unaffected": "Other VMs notice nothing: not in their data, their commands or their waiting.",
    "nothing lost on failure": "Where a migration ends early, the guest goes on with all it was promised.",
}

READ_BLOCKS = 128
"""LBAs of a Read of the audit at most; with 4096 bytes each it is the longest transfer (MDTS)."""

_COUNT = (1 << WRITER_SHIFT) - 1


@dataclass(frozen=True, slots=True)
class PropertyVerdict:
    """Whether one property held, and in a few words what was found."""

    name: str
    sentence: str
    holds: bool
    word: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`good`: every property held."""

    good: bool
    properties: tuple[PropertyVerdict, ...]

    @property
    def broken(self) -> tuple[PropertyVerdict, ...]:
        """The properties that did not hold."""
        return tuple(each for each in self.properties if not each.holds)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A VM as the oracle knows it.

    source, destination
        Names of the controllers that may serve it.
    home
        Its memory on the source host: while it runs in that, it has not moved.
    programs
        The guests that run on its disks, those included that are added later.
    migrates
        False for a neighbour, which must notice nothing.
    """

    name: str
    vm: VirtualMachine
    source: str
    destination: str
    home: AddressSpace
    disks: Sequence[Disk]
    programs: Sequence[Guest]
    migrates: bool

    @property
    def moved(self) -> bool:
        """Whether it runs at the destination."""
        return self.vm.memory is not self.home

    @property
    def queues(self) -> Sequence[QueuePair]:
        """Its queue pairs, the admin queue's among them."""
        return list(self.vm.port.queues.values())


class Findings:
    """What breaks which property; the first finding of each is kept, the others are counted."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def add(self, name: str, word: str) -> None:
        """Note that `word` breaks the property `name`."""
        self._first.setdefault(name, word)
        self._count[name] = self._count.get(name, 0) + 1

    def word(self, name: str) -> str:
        """What broke the property; empty when nothing did."""
        more = self._count.get(name, 0) - 1
        return self._first.get(name, "") + (f" (and {more} more)" if more > 0 else "")


class Oracle:
    """Watches `engine` from now on, and judges when nobody can go on any more.

    source, destination
        The drivers on the two SSDs' primary controllers, through whose I/O queues every LBA is read.
    """

    def __init__(
        self, engine: Engine, tenants: Sequence[Tenant], source: Driver, destination: Driver
    ) -> None:
        self._engine = engine
        self._tenants = tenants
        self._drivers = {False: source, True: destination}
        self._readers: dict[bool, _Reader] = {}
        self._running = {tenant.source for tenant in tenants}
        self._enabled = set(self._running)
        self._suspended: set[str] = set()
        self._faults: set[str] = set()
        self._seen = Findings()
        self._writers = {disk.writer: tenant for tenant in tenants for disk in tenant.disks}
        for word, observer in (
            ("configured", self._on_configured),
            ("state set", self._on_state_set),
            ("reset", self._on_reset),
            ("suspended", self._on_suspended),
            ("resumed", self._on_resumed),
            ("vm", self._on_vm),
            ("fault", self._on_fault),
            ("destroyed", self._on_destroyed),
        ):
            engine.observe(word, observer)

    def judge(self, failure: str = "", *, slowest_ns: int = 0) -> Verdict:
        """Read everything and judge; the run is over, nobody can go on.

        failure
            Why the migration ended early; empty when it did not.
        slowest_ns
            A neighbour's command that took longer was held up by more than sharing the SSD (0: not judged).
        """
        findings = self._seen
        self._engine.use(RunToBlock())
        actor = self._engine.spawn("audit", self._audit(findings))
        actor.watched = True
        self._engine.run(actor)
        if not actor.done.level:
            raise KitError("the audit got stuck: " + "; ".join(self._engine.blocked()))
        if actor.error is not None:
            raise actor.error
        for tenant in self._tenants:
            if tenant.migrates:
                _judge_commands(tenant, findings)
            else:
                _judge_neighbour(tenant, findings, slowest_ns, disturbed=self._is_excused())
        self._judge_end(failure, findings)
        verdicts = tuple(
            PropertyVerdict(
                name, sentence, not findings.word(name), findings.word(name) or self._praise(name, failure)
            )
            for name, sentence in PROPERTIES.items()
        )
        return Verdict(all(each.holds for each in verdicts), verdicts)

    # -- while the run goes on -----------------------------------------------------------------------------

    def _on_configured(self, effect: Effect) -> None:
        _, controller, configuration = effect
        (self._enabled.add if configuration & 1 else self._enabled.discard)(controller)
        self._look(controller)

    def _on_state_set(self, effect: Effect) -> None:
        self._enabled.add(effect[1])
        self._look(effect[1])

    def _on_reset(self, effect: Effect) -> None:
        self._enabled.discard(effect[1])
        self._look(effect[1])
        self._disturbed(effect[1], "was reset")

    def _on_suspended(self, effect: Effect) -> None:
        self._suspended.add(effect[1])
        self._look(effect[1])
        self._disturbed(effect[1], "was suspended")

    def _on_resumed(self, effect: Effect) -> None:
        self._suspended.discard(effect[1])
        self._look(effect[1])

    def _on_vm(self, effect: Effect) -> None:
        for tenant in self._tenants:
            if effect[1] == tenant.name and effect[2] == "paused" and not tenant.migrates:
                self._seen.add("neighbour unaffected", f"{tenant.name} was paused")

    def _on_fault(self, effect: Effect) -> None:
        self._faults.add(effect[1])

    def _on_destroyed(self, effect: Effect) -> None:
        """A fault destroyed a block of a guest: it may be unreadable from now on."""
        _, name, nsid, lba = effect
        for tenant in self._tenants:
            for disk in tenant.disks:
                if (tenant.name, disk.nsid) == (name, nsid):
                    disk.ledger.destroyed(lba)

    def _is_excused(self) -> bool:
        """Whether a fault reset the primary controller that neighbours depend on: their waiting is its doing."""
        return "reset-x" in self._faults

    def _look(self, controller: str) -> None:
        """A controller changed: do both of a VM's serve it now?"""
        runs = controller in self._enabled and controller not in self._suspended
        (self._running.add if runs else self._running.discard)(controller)
        for tenant in self._tenants:
            if runs and {tenant.source, tenant.destination} <= self._running:
                word = f"both {tenant.source} and {tenant.destination} served {tenant.name} at {self._when()}"
                self._seen.add("one controller runs", word)

    def _when(self) -> str:
        return f"step {self._engine.step_index}" if self._engine.now < 0 else f"{self._engine.now} ns"

    def _disturbed(self, controller: str, what: str) -> None:
        for tenant in self._tenants:
            if controller == tenant.source and not tenant.migrates and not self._is_excused():
                self._seen.add("neighbour unaffected", f"the controller {controller} of {tenant.name} {what}")

    # -- the audit -----------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Make the queue pairs that the audit reads through; it does so itself where that was not done before."""
        if not self._readers:
            self._readers = {moved: await _Reader.open(driver) for moved, driver in self._drivers.items()}

    async def _audit(self, findings: Findings) -> None:
        await self.open()
        readers = self._readers
        for tenant in self._tenants:
            for disk in tenant.disks:
                await self._audit_disk(tenant, disk, readers[tenant.moved], findings)
        there = await readers[True].namespaces()
        for tenant in self._tenants:
            left_behind = there.intersection(disk.nsid for disk in tenant.disks)
            if left_behind and not tenant.migrates:
                findings.add(
                    "neighbour unaffected", f"namespace {min(left_behind)} of {tenant.name} was moved"
                )

    async def _audit_disk(self, tenant: Tenant, disk: Disk, reader: _Reader, findings: Findings) -> None:
        place = "destination" if tenant.moved else "source"
        step = min(READ_BLOCKS, READ_BLOCKS * PAGE_BYTES // disk.block_bytes)
        for slba in range(0, disk.blocks, step):
            values = await reader.read(disk.nsid, slba, min(step, disk.blocks - slba), disk.block_bytes)
            if disk.ledger.first_broken(slba, values) is None:
                continue
            for lba, value in enumerate(values, slba):
                allowed = disk.ledger.allowed(lba)
                if value not in allowed:
                    word = f"LBA {lba}: {place} has {self._name(value)}, promised {self._names(allowed)}"
                    name = _property_of(value, allowed) if tenant.migrates else "neighbour unaffected"
                    findings.add(name, word if disk is tenant.disks[0] else f"namespace {disk.nsid}, {word}")
                    self._trespass(tenant, value, findings)

    def _trespass(self, tenant: Tenant, value: int, findings: Findings) -> None:
        owner = self._writers.get(value >> WRITER_SHIFT) if value > 0 else None
        if owner is not None and owner is not tenant and not owner.migrates:
            findings.add("neighbour unaffected", f"{tenant.name} reads {self._name(value)}")

    def _name(self, value: int) -> str:
        if value == UNREADABLE:
            return "an unreadable block"
        if value == 0:
            return "zeros"
        owner = self._writers.get(value >> WRITER_SHIFT)
        return "data that nobody wrote" if owner is None else f"version {value & _COUNT} of {owner.name}"

    def _names(self, values: frozenset[int]) -> str:
        return " or ".join(self._name(value) for value in sorted(values))

    # -- the end -------------------------------------------------------------------------------------------

    def _judge_end(self, failure: str, findings: Findings) -> None:
        name = "nothing lost on failure"
        for tenant in self._tenants:
            if tenant.migrates and not tenant.vm.processors.is_open:
                findings.add(name, f"{tenant.name} stands still{': ' if failure else ''}{failure}")
        if failure:
            for each in ("no write lost", "nothing revived", "unreadable marked", "each command once"):
                if findings.word(each):
                    findings.add(name, f"{failure}; {each}: {findings.word(each)}")

    def _praise(self, name: str, failure: str) -> str:
        """In a few words why a property counts as kept."""
        migrating = [tenant for tenant in self._tenants if tenant.migrates]
        neighbours = [tenant.name for tenant in self._tenants if not tenant.migrates]
        blocks = sum(disk.blocks for tenant in migrating for disk in tenant.disks)
        completed = sum(program.completed for tenant in migrating for program in tenant.programs)
        return {
            "each command once": f"{completed} commands, each completed once",
            "reads consistent": "no Read returned what was not promised",
            "one controller runs": "never two at once",
            "neighbour unaffected": f"{', '.join(neighbours)} noticed nothing"
            if neighbours
            else "there is no other VM",
            "nothing lost on failure": f"{failure}; nothing was lost"
            if failure
            else "the migration did not fail",
        }.get(name, f"{blocks} LBAs read, all as promised")


class _Reader:
    """A queue pair and a buffer of the audit's own, on one primary controller."""

    def __init__(self, driver: Driver, queue: QueuePair) -> None:
        self._driver = driver
        self._queue = queue
        self._buffer = driver.pages.buffer(READ_BLOCKS * PAGE_BYTES)

    @classmethod
    async def open(cls, driver: Driver) -> _Reader:
        return cls(driver, await driver.create_queue_pair(4, "audit"))

    async def read(self, nsid: int, slba: int, blocks: int, block_bytes: int) -> list[int]:
        """What the blocks hold; where a Read of several ends with an error, each is read by itself."""
        prp = self._buffer.prp(blocks * block_bytes)
        status = status_of(await self._queue.run(commands.read(0, nsid, slba, blocks, *prp)))
        if not status:
            return list(self._driver.space.read_stamps(self._buffer.address, blocks))
        if blocks == 1:
            return [UNREADABLE]
        return [(await self.read(nsid, lba, 1, block_bytes))[0] for lba in range(slba, slba + blocks)]

    async def namespaces(self) -> set[int]:
        """The NSIDs of all namespaces of this SSD."""
        sqe = commands.identify(0, Cns.ALLOCATED_NAMESPACES, *self._buffer.prp(PAGE_BYTES))
        await self._driver.command("Identify (allocated namespaces)", sqe)
        return set(unpack_namespace_list(self._driver.space.read(self._buffer.address, PAGE_BYTES)))


def _property_of(value: int, allowed: frozenset[int]) -> str:
    """The property that a Read breaks which returned `value` where `allowed` was promised."""
    if allowed == {UNREADABLE}:
        return "unreadable marked"
    return "nothing revived" if allowed == {0} else "no write lost"


def _judge_commands(tenant: Tenant, findings: Findings) -> None:
    for word in _odd_commands(tenant):
        findings.add("each command once", word)
    for word in _wrong_reads(tenant):
        findings.add("reads consistent", word)


def _judge_neighbour(tenant: Tenant, findings: Findings, slowest_ns: int, *, disturbed: bool) -> None:
    words = [*_odd_commands(tenant), *_wrong_reads(tenant)]
    for program in tenant.programs if not disturbed else ():
        if program.failed:
            words.append(f"{program.failed} commands of {tenant.name} failed")
        longest = max(program.read_times.longest_ns, program.write_times.longest_ns)
        if 0 < slowest_ns < longest:
            words.append(f"a command of {tenant.name} took {longest} ns, more than {slowest_ns} ns")
    for word in words:
        findings.add("neighbour unaffected", word)


def _odd_commands(tenant: Tenant) -> list[str]:
    words = []
    for queue in tenant.queues:
        where = f"{tenant.name}'s queue {queue.qid}"
        words += [f"{where} got a completion too many, for command {each.cid}" for each in queue.unexpected]
        words += [f"command {cid} of {where} never completed" for cid in queue.pending]
    return words


def _wrong_reads(tenant: Tenant) -> list[str]:
    return [
        f"{tenant.name} read LBA {lba}, and "
        + ("it failed" if value == UNREADABLE else "got what was not promised")
        for disk in tenant.disks
        for lba, value in disk.wrong_reads
    ]
