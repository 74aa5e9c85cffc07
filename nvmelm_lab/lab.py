"""The lab: two hosts, two SSDs, a link, guests and a VMM, wired up in one line.

The source SSD has the primary controller X, the migrating guest's controller Y and a neighbour's controller; the
destination SSD has G and H, as in the talk.  Setting up goes through the same doors as everything else, before
the clock starts and before anything is traced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from nvmelm_lab.engine import Engine, Recorder, RunToBlock, Schedule, Timed, Trace
from nvmelm_lab.engine.core import Effect
from nvmelm_lab.errors import InputError, KitError
from nvmelm_lab.host import provision
from nvmelm_lab.host.buffers import Pages
from nvmelm_lab.host.disk import Disk
from nvmelm_lab.host.driver import Driver, check_burst
from nvmelm_lab.host.guest import Guest
from nvmelm_lab.host.link import Link
from nvmelm_lab.host.memory_move import MemoryMove
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.move import Method, Move, Plan, Side
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.port import Door, Port
from nvmelm_lab.host.shim import Shim
from nvmelm_lab.host.shim_migration import ShimMigration
from nvmelm_lab.host.stop_and_copy import StopAndCopy
from nvmelm_lab.host.vm import VirtualMachine
from nvmelm_lab.memory import AddressSpace, Stamps
from nvmelm_lab.oracle import Oracle, Tenant
from nvmelm_lab.ssd import MAX_TRANSFER_BYTES, Controller, Habits, Parts, Subsystem, Timing

HOST_MEMORY = 1 << 30
GUEST_MEMORY = 1 << 28


@dataclass(frozen=True, slots=True)
class GuestSpec:
    """One guest: its VM's name, its controllers' names on either SSD, and what its disks hold.

    blocks
        LBAs of each of its namespaces.
    filled
        LBAs, from LBA 0 on, that hold data of the guest before anything else happens.
    depth
        Commands that it keeps under way at most, on each disk.
    burst
        Commands that its controller may take from a queue at once: a power of two up to 64.
    shim
        Whether its VM stands behind a host shim, from its start on, instead of at the controller itself.
    """

    name: str = "guest"
    source: str = "Y"
    destination: str = "H"
    blocks: tuple[int, ...] = (176,)
    filled: int = 0
    depth: int = 4
    burst: int = 1
    shim: bool = False


@dataclass(frozen=True, slots=True)
class LabSpec:
    """The plain parameters of a lab.

    block_bytes
        Bytes of an LBA, 512 or 4096.
    granularity
        LBAs whose allocation an SSD tracks as one (TLBAAG).
    ring_entries
        Slots of a guest's I/O queues.
    chunk
        LBAs that a copy reads and writes at once.
    """

    guests: tuple[GuestSpec, ...] = (GuestSpec(), GuestSpec("neighbour", "Z", "I", (64,)))
    block_bytes: int = 4096
    granularity: int = 8
    ring_entries: int = 16
    chunk: int = 8
    link_bytes_per_second: int = 3_000_000_000
    link_latency_ns: int = 20_000
    habits: Habits = field(default_factory=Habits)
    timing: Timing = field(default_factory=Timing)


class LabGuest:
    """A guest of the lab: its VM, its driver, its disks, and the `Guest` programs that run on them.

    shim
        The shim that its VM was started behind, if any.
    """

    def __init__(
        self, spec: GuestSpec, vm: VirtualMachine, driver: Driver, disks: list[Disk], shim: Shim | None
    ) -> None:
        self.spec = spec
        self.vm = vm
        self.driver = driver
        self.disks = disks
        self.shim = shim
        self.programs: list[Guest] = []


class Lab:
    """Everything that a migration needs, set up and standing still.

    guests
        By name.
    source, destination
        The two SSDs; they are touched through the drivers only.
    parts
        What both are built from.
    """

    def __init__(self, spec: LabSpec | None = None, parts: Parts | None = None) -> None:
        self.spec = spec if spec is not None else LabSpec()
        check_spec(self.spec)
        self.parts = parts if parts is not None else Parts()
        self.engine = Engine(RunToBlock())
        self.stamps = Stamps(self.spec.block_bytes)
        self.source_memory = AddressSpace("source host", HOST_MEMORY, self.stamps)
        self.destination_memory = AddressSpace("destination host", HOST_MEMORY, self.stamps)
        self.link = Link(
            self.engine,
            bytes_per_second=self.spec.link_bytes_per_second,
            latency_ns=self.spec.link_latency_ns,
        )
        self.source_spaces = self._guest_memories("here")
        self.destination_spaces = self._guest_memories("there")
        # The controller behind a shim works for the host, in the host's memory.
        host_here, host_there = self.source_memory, self.destination_memory
        here = {g.source: host_here if g.shim else self.source_spaces[g.name] for g in self.spec.guests}
        there = {
            g.destination: host_there if g.shim else self.destination_spaces[g.name] for g in self.spec.guests
        }
        self.source = self._ssd("source SSD", ("X", self.source_memory), here)
        self.destination = self._ssd("destination SSD", ("G", self.destination_memory), there)
        self.source_driver = self._driver("VMM on X", self.source, self.source_memory)
        self.destination_driver = self._driver("VMM on G", self.destination, self.destination_memory)
        self.guests: dict[str, LabGuest] = {}
        self._run_setup()

    # -- running -------------------------------------------------------------------------------------------

    def begin(
        self,
        schedule: Schedule | None = None,
        *,
        recorder: Recorder | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Go from setting up to running: from here on `schedule` (Timed if none) picks who goes next."""
        self.engine.use(schedule if schedule is not None else Timed(), recorder=recorder, trace=trace)
        if trace is not None:
            for effect in self.introduction():
                self.engine.emit(effect)

    def introduction(self) -> list[Effect]:
        """Who is there and what each disk holds, as effects: with these a run can be read without the lab."""
        here, there = self.source, self.destination
        told: list[Effect] = [
            ("lab", self.spec.block_bytes, here.name, here.primary.name, there.name, there.primary.name)
        ]
        for name, guest in self.guests.items():
            ends = [
                (side.name, side.cntlid)
                for side in (
                    self._side(here, self.source_driver, guest.spec.source),
                    self._side(there, self.destination_driver, guest.spec.destination),
                )
            ]
            for disk in guest.disks:
                held = tuple(
                    min(disk.ledger.allowed(lba)) for lba in range(min(guest.spec.filled, disk.blocks))
                )
                told.append(("disk", name, *ends, disk.nsid, disk.blocks, held))
        return told

    def run_workload(self, name: str, operations: Iterable[Operation], disk: int = 0) -> Guest:
        """Let a guest run `operations` on one of its disks, from now on."""
        program = self.program(name, operations, disk)
        program.start()
        return program

    def program(self, name: str, operations: Iterable[Operation], disk: int = 0) -> Guest:
        """A guest program that has not been started."""
        guest = self.guests[name]
        queue = guest.driver.port.queues[disk + 1]
        title = guest.spec.name if disk == 0 else f"{guest.spec.name} disk {disk + 1}"
        program = Guest(
            self.engine, title, guest.disks[disk], queue, operations, guest.spec.depth, guest.vm.throttle
        )
        guest.programs.append(program)
        return program

    def migration(self, name: str, plan: Plan | None = None) -> Migration:
        """The reference migration of the guest `name`: the SSD helps."""
        return Migration(self.move(name, plan))

    def stop_and_copy(self, name: str, plan: Plan | None = None) -> StopAndCopy:
        """The migration of the guest `name` while it stands still."""
        return StopAndCopy(self.move(name, plan))

    def shim_migration(self, name: str, plan: Plan | None = None) -> ShimMigration:
        """The migration of the guest `name` from the host shim that it stands behind to another."""
        guest = self._guest(name)
        if guest.shim is None:
            raise InputError(
                f"the VM of {name} is not behind a host shim; start it there: GuestSpec(shim=True)"
            )
        there = self._shim(
            self.destination, self.destination_driver, guest.spec.destination, self.destination_spaces[name]
        )
        return ShimMigration(self.move(name, plan, (guest.shim, there)), guest.shim, there)

    def move(self, name: str, plan: Plan | None = None, shims: tuple[Shim, Shim] | None = None) -> Move:
        """The way of the guest `name` to the destination, for a method of migration; `shims` are at its ends."""
        guest = self._guest(name)
        here, there = shims if shims is not None else (None, None)
        if guest.shim is not here:
            raise InputError(f"the VM of {name} is behind a host shim, which only the shim method migrates")
        return Move(
            self.engine,
            guest.vm,
            self._side(self.source, self.source_driver, guest.spec.source, here),
            self._side(self.destination, self.destination_driver, guest.spec.destination, there),
            {disk.nsid: disk.blocks for disk in guest.disks},
            MemoryMove(self.link, guest.vm.memory, self.destination_spaces[name]),
            plan if plan is not None else Plan(),
            chunk=self.spec.chunk,
            block_bytes=self.spec.block_bytes,
        )

    def oracle(self, *migrating: str) -> Oracle:
        """An oracle that watches from now on; the guests that are not `migrating` must notice nothing."""
        tenants = [
            Tenant(
                name,
                guest.vm,
                *_served_by(guest.spec),
                self.source_spaces[name],
                guest.disks,
                guest.programs,
                name in migrating,
            )
            for name, guest in self.guests.items()
        ]
        return Oracle(self.engine, tenants, self.source_driver, self.destination_driver)

    def _guest(self, name: str) -> LabGuest:
        if name not in self.guests:
            raise InputError(f"there is no guest {name!r} in this lab; there are: {', '.join(self.guests)}")
        return self.guests[name]

    # -- setting up ----------------------------------------------------------------------------------------

    def _guest_memories(self, where: str) -> dict[str, AddressSpace]:
        return {
            g.name: AddressSpace(f"{g.name} {where}", GUEST_MEMORY, self.stamps) for g in self.spec.guests
        }

    def _ssd(
        self, name: str, primary: tuple[str, AddressSpace], spaces: dict[str, AddressSpace]
    ) -> Subsystem:
        return Subsystem(
            self.engine,
            name,
            primary,
            spaces,
            capacity=2 * sum(sum(guest.blocks) for guest in self.spec.guests),
            block_bytes=self.spec.block_bytes,
            granularity=self.spec.granularity,
            habits=self.spec.habits,
            timing=self.spec.timing,
            parts=self.parts,
        )

    def _driver(self, name: str, ssd: Subsystem, memory: AddressSpace) -> Driver:
        port = Port(memory)
        port.plug(ssd.primary)
        return Driver(self.engine, name, port, Pages(memory))

    def _side(self, ssd: Subsystem, driver: Driver, controller_name: str, shim: Shim | None = None) -> Side:
        cntlid, controller = _controller(ssd, controller_name)
        door: Door = controller if shim is None else shim.controller
        return Side(driver, door, ssd.primary.name, controller_name, cntlid)

    def _shim(self, ssd: Subsystem, driver: Driver, controller_name: str, space: AddressSpace) -> Shim:
        """A shim before a controller; its rings and buffers lie in the memory of the host, where `driver` is."""
        port = Port(driver.space)
        port.plug(_controller(ssd, controller_name)[1])
        name = _shim_name(controller_name)
        behind = Driver(self.engine, name, port, driver.pages)
        return Shim(self.engine, name, space, behind, self.spec.block_bytes)

    def _run_setup(self) -> None:
        actor = self.engine.spawn("set-up", self._set_up())
        # Until nobody can go on: who still could would hold up the change to another schedule.
        self.engine.run()
        if not actor.done.level:
            raise KitError("setting up the lab got stuck: " + "; ".join(self.engine.blocked()))

    async def _set_up(self) -> None:
        await self.source_driver.enable()
        await self.destination_driver.enable()
        for writer, spec in enumerate(self.spec.guests, 1):
            self.guests[spec.name] = await self._set_up_guest(spec, writer)

    async def _set_up_guest(self, spec: GuestSpec, writer: int) -> LabGuest:
        side = self._side(self.source, self.source_driver, spec.source)
        nsids = [await provision.create_namespace(self.source_driver, blocks) for blocks in spec.blocks]
        for nsid in nsids:
            await provision.attach(self.source_driver, nsid, [1, side.cntlid])
        await provision.bring_online(self.source_driver, side.cntlid)
        vm = VirtualMachine(self.engine, spec.name, self.source_spaces[spec.name])
        shim = self._shim(self.source, self.source_driver, spec.source, vm.memory) if spec.shim else None
        if shim is not None:
            await shim.open()
        vm.port.plug(side.controller if shim is None else shim.controller)
        driver = Driver(self.engine, spec.name, vm.port, vm.pages, gate=vm.processors)
        await driver.enable()
        if spec.burst > 1:
            await driver.set_arbitration_burst(spec.burst)
        disks = []
        for number, (nsid, blocks) in enumerate(zip(nsids, spec.blocks, strict=True)):
            queue = await driver.create_queue_pair(self.spec.ring_entries)
            disk = Disk(
                vm.pages, nsid, blocks, self.spec.block_bytes, writer=16 * writer + number, depth=spec.depth
            )
            disks.append(disk)
            if spec.filled:
                fill = Operation(OperationKind.WRITE, 0, min(spec.filled, blocks), 0)
                await Guest(self.engine, spec.name, disk, queue, [fill], spec.depth).run_in_order()
        return LabGuest(spec, vm, driver, disks, shim)


METHODS: Mapping[str, Callable[[Lab, str, Plan | None], Method]] = {
    "ssd": Lab.migration,
    "shim": Lab.shim_migration,
    "stop": Lab.stop_and_copy,
}
"""The ways of migrating a guest, by the names that users know: lab, guest's name, plan -> the method."""


def _shim_name(controller: str) -> str:
    return f"shim {controller}"


def _served_by(guest: GuestSpec) -> tuple[str, str]:
    """The names of what serves the guest's VM at the source and at the destination."""
    if guest.shim:
        return _shim_name(guest.source), _shim_name(guest.destination)
    return guest.source, guest.destination


def _controller(ssd: Subsystem, name: str) -> tuple[int, Controller]:
    """The CNTLID of the controller `name`, and the controller."""
    return next((cntlid, each) for cntlid, each in ssd.controllers.items() if each.name == name)


def check_spec(spec: LabSpec) -> None:
    """Refuse parameters that no lab can have."""
    if spec.block_bytes not in (512, 4096):
        raise InputError(f"an LBA cannot have {spec.block_bytes} bytes; give 512 or 4096")
    names = [guest.name for guest in spec.guests]
    if len(set(names)) < len(names):
        raise InputError(f"two guests have the same name among {', '.join(names)}; give each its own")
    for guest in spec.guests:
        if any(blocks < 1 for blocks in guest.blocks) or not guest.blocks:
            raise InputError(
                f"{guest.name} has namespaces of {guest.blocks} LBAs; give at least one of at least 1 LBA"
            )
        if not 1 <= guest.depth < spec.ring_entries:
            raise InputError(
                f"{guest.name} cannot keep {guest.depth} commands in a ring of {spec.ring_entries} slots; "
                f"give 1 to {spec.ring_entries - 1}"
            )
        check_burst(guest.burst)
    most = MAX_TRANSFER_BYTES // spec.block_bytes
    if not 1 <= spec.chunk <= most:
        raise InputError(f"a copy cannot carry {spec.chunk} LBAs at once; give 1 to {most} (MDTS)")
