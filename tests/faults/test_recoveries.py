"""Each recovery, looked at closely: what is lost, what is marked, who does what in which order."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from nvmelm_lab.engine import Random, Timed, Trace
from nvmelm_lab.faults import Bench, Fault, Injecting
from nvmelm_lab.faults.small import SmallRun
from nvmelm_lab.host import recovery
from nvmelm_lab.host.driver import status_of
from nvmelm_lab.host.ledger import UNREADABLE
from nvmelm_lab.host.leftovers import attached_to, made_for, migration_queue_of
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.move import Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import EntrySpecial
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import Mqe
from nvmelm_lab.ssd import Habits
from nvmelm_lab.ssd.admin_log import MAX_QUEUES
from nvmelm_lab.ssd.power import lose_power

BLOCKS = 8


class Run:
    """A migration with faults on a bench that can be looked into, and the effects that it had."""

    def __init__(
        self,
        *faults: Fault,
        writes: Iterable[int] = (),
        tracking: str = "iommu",
        habits: Habits | None = None,
        queues_before: int = 0,
    ) -> None:
        guests = (GuestSpec(blocks=(BLOCKS,), filled=BLOCKS),)
        self.lab = Lab(LabSpec(guests=guests, granularity=1, chunk=2, habits=habits or Habits()))
        self.engine = self.lab.engine
        self.effects: list[tuple[Any, ...]] = []
        injecting = Injecting(Timed(), faults)
        self.trace = Trace()
        self.lab.begin(injecting, trace=self.trace)
        self.oracle = self.lab.oracle("guest")
        self.migration = self.lab.migration(
            "guest", Plan(copy_tasks=2, rounds=1, downtime_budget_ns=0, memory_tracking=tracking)
        )
        for _ in range(queues_before):
            self.do(self._make_and_delete_a_queue())
        self.bench = Bench(self.lab, "guest", self.migration)
        injecting.aim(self.bench)
        operations = [Operation(OperationKind.WRITE, lba, 1, 100_000 * n) for n, lba in enumerate(writes)]
        self.guest = self.lab.run_workload("guest", operations)
        self.vmm = self.engine.spawn("VMM", self.migration.run())
        self.engine.run()
        self.effects = [effect for step in self.trace.steps for effect in step.effects]

    async def _make_and_delete_a_queue(self) -> None:
        side = self.migration.move.source_side
        await side.delete_mq(await side.create_mq(4))

    def index(self, *effect: object) -> int:
        """When the effect that begins so came about, counted in effects."""
        return next(n for n, each in enumerate(self.effects) if each[: len(effect)] == effect)

    def count(self, *effect: object) -> int:
        return sum(each[: len(effect)] == effect for each in self.effects)

    def do(self, coroutine: Any) -> Any:
        actor = self.engine.spawn("test", coroutine)
        self.engine.run(actor)
        if actor.error is not None:
            raise actor.error
        return actor.result

    @property
    def good(self) -> bool:
        return self.oracle.judge(self.migration.progress.failure).good


def run(*faults: Fault, **more: Any) -> Run:
    return Run(*faults, **more)


# -- media error ------------------------------------------------------------------------------------------


def content(lab: Lab, lbas: range, here: bool) -> list[int]:
    driver = lab.source_driver if here else lab.destination_driver

    async def read() -> list[int]:
        queue, buffer = await driver.create_queue_pair(2), driver.pages.buffer(4096)
        found = []
        for lba in lbas:
            cqe = await queue.run(commands.read(0, 1, lba, 1, buffer.address))
            assert status_of(cqe) in (Status.SUCCESS, Status.UNRECOVERED_READ_ERROR)
            found.append(UNREADABLE if status_of(cqe) else driver.space.read_stamps(buffer.address, 1)[0])
        return found

    actor = lab.engine.spawn("reader", read())
    lab.engine.run(actor)
    result: list[int] = actor.result
    return result


def test_a_block_that_cannot_be_read_is_marked_over_there_and_its_neighbours_arrive() -> None:
    done = run(Fault("media-error", phase="Start logging", lba=3))
    assert done.good
    assert done.migration.copier.unreadable == 1
    there = content(done.lab, range(BLOCKS), here=False)
    assert [lba for lba, value in enumerate(there) if value == UNREADABLE] == [3]


def test_a_block_that_was_copied_before_it_went_bad_is_not_lost_at_all() -> None:
    done = run(Fault("media-error", phase="Suspend", lba=3))
    assert done.good
    assert UNREADABLE not in content(done.lab, range(BLOCKS), here=False)


def test_the_mark_goes_when_the_guest_writes_the_block_again() -> None:
    done = run(Fault("media-error", phase="Start logging", lba=3), writes=[0] * 40 + [3])
    assert done.migration.copier.unreadable >= 1
    assert done.good
    assert UNREADABLE not in content(done.lab, range(BLOCKS), here=False)


# -- link -------------------------------------------------------------------------------------------------


def test_a_link_that_comes_up_again_costs_time_and_nothing_else() -> None:
    plain, late = run(), run(Fault("link-down", phase="Initial copy"))
    assert late.good
    assert late.migration.progress.failure == ""
    assert late.count("not sent") > 0
    assert late.migration.progress.started_at - plain.migration.progress.started_at > 100_000


def test_a_link_that_is_lost_while_the_vm_stands_still_lets_it_go_on_at_the_source() -> None:
    done = run(Fault("link-lost", phase="State"), tracking="none")
    assert "the link was down" in done.migration.progress.failure
    assert (
        done.index("vm", "guest", "paused")
        < done.index("resumed", "Y")
        < done.index("vm", "guest", "running")
    )
    assert done.good


# -- overflow ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["Initial copy", "Iterate"])
def test_an_overflow_starts_logging_anew_and_takes_a_fresh_baseline(phase: str) -> None:
    done = run(Fault("queue-overflow", phase=phase), writes=range(BLOCKS))
    assert done.migration.progress.overflows == 1
    assert done.count("queue full") == 1
    assert [each[4] for each in done.effects if each[0] == "logging"][:2] == [True, True]
    asked = [each for each in done.effects if each[0] == "fetched" and each[4].startswith("X.sq0")]
    assert sum(each[5][0] == 0x86 for each in asked) == 2, "Get LBA Status, once for each baseline"
    assert done.good


# -- the way back -----------------------------------------------------------------------------------------


def test_a_failure_before_the_suspend_stops_logging_and_deletes_the_queue() -> None:
    done = run(Fault("cancel", phase="Iterate"))
    assert done.index("logging", "X", 0, "Y", False) < done.index("queue deleted", "X")
    assert done.count("suspended", "Y") == done.count("vm", "guest", "paused") == 0
    assert done.good


class Suspended:
    """A migration that has come as far as the suspend, with a guest that can write."""

    def __init__(self, habits: Habits | None = None) -> None:
        guests = (GuestSpec(blocks=(BLOCKS,), filled=BLOCKS),)
        self.lab = Lab(LabSpec(guests=guests, granularity=1, habits=habits or Habits()))
        self.lab.begin()
        self.migration: Migration = self.lab.migration("guest", Plan(rounds=0))
        self.do(self._go())

    async def _go(self) -> None:
        await self.migration.prepare_destination()
        await self.migration.start_logging()
        await self.migration.initial_copy()
        await self.migration.suspend_and_copy()

    def do(self, coroutine: Any) -> Any:
        actor = self.lab.engine.spawn("VMM", coroutine)
        self.lab.engine.run(actor)
        return actor.result


@pytest.mark.parametrize("first_entry", ["with the first change", "marker at once"])
def test_logging_goes_on_by_itself_at_a_source_that_resumes(first_entry: str) -> None:
    there = Suspended(Habits(first_entry=first_entry))
    there.do(recovery.go_on_at_source(there.migration.move))
    seen: list[Any] = []
    there.lab.engine.observe("consumed", seen.append, frequent=True)
    there.lab.run_workload("guest", [Operation(OperationKind.WRITE, 5, 1, 0)])
    there.lab.engine.run()
    assert there.migration.mq is not None
    changes = there.do(there.migration.mq.drain())
    assert [extent.slba for extent in changes.extents(1)] == [5], "nobody sent Track Send again"
    esa = [Mqe._make(effect[4:]).esa for effect in seen]
    assert esa[0] == EntrySpecial.FIRST


@pytest.mark.parametrize("site", [("reset-g", "Resume"), ("reset-h", "Resume"), ("link-lost", "State")])
def test_the_destination_is_off_before_the_source_serves_again(site: tuple[str, str]) -> None:
    done = run(Fault(site[0], phase=site[1]), writes=range(BLOCKS), tracking="none")
    assert done.migration.progress.failure
    assert done.good, "one controller runs is among what the oracle judges"
    assert done.do(made_for(done.lab.destination_driver, done.bench.there.cntlid)) == []
    assert not done.bench.there.online


@pytest.mark.parametrize("habit", ["either controller", "own controller"])
def test_whichever_reset_ends_a_suspension_the_guest_goes_on(habit: str) -> None:
    for seed in range(30):
        lab = Lab(LabSpec(guests=(GuestSpec(blocks=(2,), filled=2),), habits=Habits(reset_resumes=habit)))
        schedule = Injecting(Random(seed), [Fault("reset-x", phase="State")])
        lab.begin(schedule)
        oracle, migration = lab.oracle("guest"), lab.migration("guest")
        schedule.aim(Bench(lab, "guest", migration))
        lab.run_workload("guest", [Operation(OperationKind.WRITE, 0, 1, 0)] * 5)
        lab.engine.spawn("VMM", migration.run())
        lab.engine.run()
        assert oracle.judge(migration.progress.failure).broken == ()


# -- resets -----------------------------------------------------------------------------------------------


def test_a_guest_issues_again_what_was_in_flight_when_its_controller_was_reset() -> None:
    done = run(Fault("reset-y", 8, actor="guest"), writes=[n % BLOCKS for n in range(20)])
    assert done.count("cancelled", "guest") >= 1
    assert done.count("controller back", "guest") == 1
    assert done.guest.issued > 20
    assert done.good


def test_after_a_reset_of_the_primary_every_guest_of_that_ssd_comes_back() -> None:
    small = SmallRun((Fault("reset-x", phase="Iterate"),))
    back: list[str] = []
    small.engine.observe("controller back", lambda effect: back.append(effect[1]))
    assert small.finish().wrong == ""
    assert sorted(back) == ["VMM on X", "guest", "neighbour"]


def test_a_vm_that_stands_still_while_its_controller_is_reset_finds_out_where_it_starts() -> None:
    done = run(Fault("reset-y", phase="State"), writes=[n % BLOCKS for n in range(30)])
    back = done.index("controller back", "guest")
    assert done.index("vm", "guest", "running") < back
    assert done.good


def test_power_loss_keeps_the_media_and_loses_what_the_controllers_knew() -> None:
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(2,), filled=2),)))
    y = lab.source.controllers[2]
    y.set_suspended(True)
    y.incoming = bytearray(8)
    before = content(lab, range(2), here=True)
    lose_power(lab.source)
    assert (y.suspended, y.incoming, y.online, y.queue_resources, y.asq) == (False, None, False, 0, 0)
    assert not lab.source_driver.serves()
    for queue in lab.source_driver.port.queues.values():
        queue.go_down()
    actor = lab.engine.spawn("again", lab.source_driver.revive())
    lab.engine.run(actor)
    assert actor.error is None
    assert content(lab, range(2), here=True) == before


# -- suspend, crash ---------------------------------------------------------------------------------------


def test_a_suspend_that_takes_long_keeps_the_vm_down_for_longer_and_loses_nothing() -> None:
    plain, slow = run(), run(Fault("slow-suspend", phase="Suspend"))
    assert slow.migration.progress.downtime_ns > plain.migration.progress.downtime_ns + 200_000
    assert slow.migration.progress.failure == ""
    assert slow.good


@pytest.mark.parametrize(
    ("phase", "moved"), [("Initial copy", False), ("Suspend", False), ("State", False), ("Clean up", True)]
)
def test_a_new_vmm_goes_on_or_undoes_by_where_the_vm_runs(phase: str, moved: bool) -> None:
    done = run(Fault("vmm-crash", phase=phase), writes=range(BLOCKS))
    assert done.bench.has_moved is moved
    assert done.vmm.stopped
    lab, y, h = done.lab, done.bench.here, done.bench.there
    assert done.do(migration_queue_of(lab.source_driver, y.cntlid)) is None
    assert (y.online, h.online) == (not moved, moved)
    assert done.do(attached_to(lab.source_driver, y.cntlid)) == ([] if moved else [1])
    assert done.do(made_for(lab.destination_driver, h.cntlid)) == ([1] if moved else [])
    assert done.good


@pytest.mark.parametrize("phase", ["Initial copy", "State", "Clean up"])
def test_a_new_vmm_leaves_no_migration_queue_whatever_identifiers_the_ssd_gives(phase: str) -> None:
    habits = Habits(queue_identifiers="counting on")
    done = run(Fault("vmm-crash", phase=phase), habits=habits, queues_before=MAX_QUEUES)
    assert done.index("queue created", "X", MAX_QUEUES + 1)
    assert done.lab.source.migration_queues == {}
    assert done.good


def test_a_new_vmm_knows_nothing_of_the_old_ones_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the crashed VMM remembered is made useless; the next one does without."""
    from nvmelm_lab.faults import actions

    original: Callable[..., Any] = actions._crash

    def crash(bench: Bench, fault: Fault) -> None:
        original(bench, fault)
        bench.method.mq = None
        bench.method.move.created = [77]
        bench.method.move.is_paused = bench.method.move.may_be_suspended = False

    monkeypatch.setitem(actions.ACTIONS, "vmm-crash", actions.Action(crash, then=actions._restart))
    for phase in ("Initial copy", "Suspend", "State"):
        assert run(Fault("vmm-crash", phase=phase), writes=range(BLOCKS)).good


def test_the_operator_can_migrate_again_after_any_way_back() -> None:
    for name, phase in (
        ("cancel", "Iterate"),
        ("reset-x", "Iterate"),
        ("reset-g", "Prepare"),
        ("vmm-crash", "Suspend"),
    ):
        done = run(Fault(name, phase=phase), writes=range(BLOCKS))
        assert not done.bench.has_moved
        second = done.lab.migration("guest")
        done.do(second.run())
        assert second.progress.failure == ""
        assert done.oracle.judge("").broken == ()
