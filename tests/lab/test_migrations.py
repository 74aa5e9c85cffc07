"""Every built-in workload and every sample recording arrives whole, with a clock and in random orders of steps."""

from dataclasses import replace

import pytest

from nvmelm_lab.engine import Timed, Trace
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.move import PHASES, TRACKING, Plan
from nvmelm_lab.host.recordings import samples
from nvmelm_lab.host.workloads import WORKLOADS, workload
from nvmelm_lab.lab import METHODS, GuestSpec, Lab, LabSpec
from nvmelm_lab.nvme.controller_state import unpack_controller_state
from nvmelm_lab.runs import MigrationRun, Outcome, start
from nvmelm_lab.ssd import FREEDOMS, Freedom, Habits

SMALL = MigrationRun(blocks=1024, queue_entries=64, chunk=16, after=32, rounds=8)
TINY = MigrationRun(queue_entries=32, chunk=8, depth=4, copy_tasks=2, after=8, rounds=4)
ORDERS = 200
"""Random orders of steps for each guest."""

GUESTS = [*WORKLOADS, *(path.name for path in samples())]


def migrated(spec: MigrationRun) -> Outcome:
    outcome = start(spec).finish()
    assert outcome.verdict.broken == (), outcome.token
    assert outcome.failure == "", outcome.token
    assert [phase.name for phase in outcome.phases] == [each for each in PHASES if each in _phases(spec)]
    return outcome


def _phases(spec: MigrationRun) -> tuple[str, ...]:
    return ("Prepare", "Suspend", "State", "Resume", "Clean up") if spec.method == "stop" else PHASES


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("guest", GUESTS)
def test_each_guest_arrives_whole(guest: str, method: str) -> None:
    outcome = migrated(replace(SMALL, workload=guest, method=method))
    assert outcome.bytes_copied > 4096 * 512
    assert outcome.downtime_ns > 0
    assert guest == "idle" or outcome.guest_commands >= 32


def options_of(freedom: Freedom) -> tuple[str, ...]:
    """What an SSD can do; a timing can also be left to the schedule."""
    return (*freedom.options, "open") if freedom.scope == "timing" else freedom.options


def tiny(guest: str, number: int) -> MigrationRun:
    """One of many small runs: size, plan, habits of the SSD and order of steps are picked by its number."""
    habits = {
        each.name: options_of(each)[(number >> n) % len(options_of(each))] for n, each in enumerate(FREEDOMS)
    }
    return replace(
        TINY,
        workload=guest,
        blocks=(1, 2, 7, 8, 9, 31, 40, 63, 64)[number % 9],
        seed=number,
        depth=(1, 4, 9)[number % 3],
        granularity=(1, 8, 3)[number % 3],
        queue_entries=(3, 4, 8, 32)[number % 4],
        copy_tasks=1 + number % 4,
        memory_tracking=("none", "iommu", "device")[number % 3],
        whole_namespace=number % 5 == 0,
        habits=Habits(**habits),
        schedule=("random", number),
    )


@pytest.mark.parametrize("first", range(0, ORDERS, 50))
@pytest.mark.parametrize("guest", GUESTS)
def test_each_guest_arrives_whole_in_random_orders_of_steps(guest: str, first: int) -> None:
    for number in range(first, first + 50):
        migrated(tiny(guest, number))


@pytest.mark.parametrize("method", ["shim", "stop"])
def test_the_other_methods_in_random_orders_of_steps(method: str) -> None:
    for number in range(40):
        migrated(replace(tiny("mixed", number), method=method))


@pytest.mark.parametrize("guest", ["zipf", "mixed"])
def test_each_guest_arrives_whole_by_random_priorities_however_low_the_vmms_is(guest: str) -> None:
    writes = [
        migrated(replace(tiny(guest, number), schedule=("pct", 1 + number % 4, number))).guest_writes
        for number in range(40)
    ]
    assert min(writes) == 0, "the VMM went first"
    assert max(writes) > 40, "the guest went first, and not for ever"


HABITS = [(freedom.name, option) for freedom in FREEDOMS for option in options_of(freedom)[1:]]


@pytest.mark.parametrize(("freedom", "option"), HABITS)
@pytest.mark.parametrize("schedule", [("timed",), ("run to block",)])
def test_whatever_the_ssd_does_where_the_standard_leaves_it_a_choice(
    freedom: str, option: str, schedule: tuple[object, ...]
) -> None:
    habits = Habits(**{freedom: option})
    migrated(replace(TINY, workload="mixed", blocks=64, habits=habits, schedule=schedule))


@pytest.mark.parametrize("guest", ["mixed", "uniform"])
def test_blocks_of_512_bytes_arrive_whole(guest: str) -> None:
    migrated(replace(SMALL, workload=guest, block_bytes=512))


@pytest.mark.parametrize("filled", [0, 1, 1024])
def test_empty_and_full_namespaces_arrive_whole(filled: int) -> None:
    outcome = migrated(replace(SMALL, workload="idle", filled=filled))
    assert outcome.bytes_copied == 4096 * -(-filled // 8) * 8


def test_without_the_lba_status_everything_is_copied() -> None:
    assert migrated(replace(SMALL, workload="idle", whole_namespace=True)).bytes_copied == 4096 * 1024


@pytest.mark.parametrize("tracking", TRACKING)
@pytest.mark.parametrize("method", METHODS)
def test_commands_that_lie_on_the_rings_survive_the_move(tracking: str, method: str) -> None:
    sqes = cqes = 0
    for seed in range(30):
        spec = replace(TINY, workload="mixed", blocks=32, depth=8, memory_tracking=tracking, method=method)
        run = start(replace(spec, schedule=("random", seed), seed=seed))
        assert run.finish().good
        queues = unpack_controller_state(run.method.progress.state).queues
        assert queues is not None
        (sq,), (cq,) = queues.submission, queues.completion
        sqes += (sq.tail - sq.head) % sq.entries
        cqes += (cq.tail - cq.head) % cq.entries
    assert sqes, "SQEs waited on the ring when the controller was suspended"
    assert cqes, "CQEs had not been reaped when the VM was paused"


@pytest.mark.parametrize("tracking", ["iommu", "device"])
def test_memory_goes_ahead_only_where_somebody_sees_what_devices_write(tracking: str) -> None:
    ahead, without = (migrated(replace(SMALL, memory_tracking=each)) for each in (tracking, "none"))
    assert without.downtime_ns > ahead.downtime_ns
    assert without.memory_bytes < ahead.memory_bytes


# -- overflow ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guest", ["mixed", "uniform", "sequential"])
def test_a_migration_queue_that_fills_up_costs_a_new_baseline_and_no_data(guest: str) -> None:
    outcome = migrated(replace(SMALL, workload=guest, queue_entries=4, writes_per_second=200_000))
    assert outcome.overflows > 0
    assert outcome.bytes_copied > 4096 * 1024


def test_an_overflow_between_the_last_look_and_the_suspend_is_seen_at_the_marker() -> None:
    outcome = migrated(replace(SMALL, workload="mixed", queue_entries=4, rounds=0, writes_per_second=200_000))
    assert outcome.overflows > 0


def test_what_was_deallocated_while_nothing_was_logged_does_not_come_back() -> None:
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(64,), filled=64),), chunk=4))
    lab.begin()
    oracle = lab.oracle("guest")
    busy = workload("mixed", blocks=64, seed=3, writes_per_second=500_000)
    guest = lab.run_workload("guest", busy.operations())
    migration = lab.migration("guest", Plan(queue_entries=3, rounds=3, downtime_budget_ns=0))
    lab.engine.run(lab.engine.spawn("VMM", migration.run()))
    guest.stop()
    lab.engine.run()
    assert migration.progress.overflows > 1
    assert oracle.judge().broken == ()


# -- ending early -----------------------------------------------------------------------------------------


TRACED = replace(SMALL, blocks=256, workload="mixed", trace="full")


def cancelled_at(phase: str, method: str = "ssd", spec: MigrationRun = TRACED) -> tuple[Outcome, Lab, Trace]:
    """A run that is cancelled as soon as it enters `phase`."""
    run = start(replace(spec, method=method))

    def cancel(effect: tuple[object, ...]) -> None:
        if effect[1] == phase:
            run.cancel()

    run.lab.engine.observe("phase", cancel)
    outcome = run.finish()
    assert outcome.trace is not None
    return outcome, run.lab, outcome.trace


def effects(trace: Trace, word: str) -> list[tuple[object, ...]]:
    return [effect for step in trace.steps for effect in step.effects if effect[0] == word]


@pytest.mark.parametrize("phase", ["Prepare", "Start logging", "Initial copy", "Iterate"])
def test_cancelled_before_the_suspend_the_guest_notices_nothing(phase: str) -> None:
    outcome, lab, trace = cancelled_at(phase)
    assert outcome.failure == "cancelled"
    assert outcome.verdict.broken == ()
    assert not outcome.good
    assert effects(trace, "vm") == []
    assert not [each for each in effects(trace, "suspended") if each[1] == "Y"]
    assert effects(trace, "logging")[-1][4] is False
    assert len(effects(trace, "queue deleted")) == 1
    assert lab.guests["guest"].vm.memory is lab.source_spaces["guest"]
    assert not lab.destination.namespaces


@pytest.mark.parametrize("phase", ["Suspend", "State"])
def test_cancelled_after_the_pause_the_guest_goes_on_at_the_source(phase: str) -> None:
    outcome, lab, trace = cancelled_at(phase)
    assert outcome.failure == "cancelled"
    assert outcome.verdict.broken == ()
    if phase == "State":
        assert [each[2] for each in effects(trace, "vm")] == ["paused", "running"]
        assert outcome.downtime_ns > 0
    assert lab.guests["guest"].vm.memory is lab.source_spaces["guest"]
    assert not lab.destination.namespaces


@pytest.mark.parametrize("phase", ["Resume", "Clean up"])
def test_once_the_destination_resumes_it_is_too_late_to_cancel(phase: str) -> None:
    outcome, lab, _ = cancelled_at(phase)
    assert outcome.good
    assert lab.guests["guest"].vm.memory is lab.destination_spaces["guest"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("phase", ["Prepare", "Initial copy", "Suspend", "State", "Resume"])
def test_every_method_can_be_cancelled(method: str, phase: str) -> None:
    outcome, _, _ = cancelled_at(phase, method)
    assert outcome.verdict.broken == ()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("phase", ["Prepare", "Initial copy", "Suspend", "State", "Resume"])
def test_every_method_can_be_cancelled_in_any_order_of_steps(method: str, phase: str) -> None:
    for number in range(10):
        outcome, _, _ = cancelled_at(phase, method, replace(tiny("mixed", number), trace="full"))
        assert outcome.verdict.broken == (), outcome.token


def test_a_guest_whose_migration_was_cancelled_can_migrate_again() -> None:
    lab = Lab()
    lab.begin(Timed())
    oracle = lab.oracle("guest")
    guest = lab.run_workload("guest", workload("mixed", blocks=176, seed=1).operations())

    async def twice() -> None:
        first = lab.migration("guest", Plan(copy_tasks=2))
        first.move.cancel()
        await first.run()
        assert first.progress.failure == "cancelled"
        second = lab.migration("guest", Plan(copy_tasks=2))
        await second.run()
        assert second.progress.failure == ""

    lab.engine.run(lab.engine.spawn("VMM", twice()))
    guest.stop()
    lab.engine.run()
    assert oracle.judge().broken == ()


def test_the_neighbour_neither_moves_nor_waits() -> None:
    run = start(replace(SMALL, workload="uniform", writes_per_second=100_000))
    outcome = run.finish()
    (verdict,) = (each for each in outcome.verdict.properties if each.name == "neighbour unaffected")
    assert verdict.word == "neighbour noticed nothing"
    neighbour = run.lab.guests["neighbour"]
    assert neighbour.vm.memory is run.lab.source_spaces["neighbour"]
    assert neighbour.programs[0].completed > 32
    assert isinstance(run.method, Migration)
