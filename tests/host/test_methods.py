"""Three ways to migrate one guest: with the help of the SSD, over a host shim, by stopping.

Numbers come out of runs and are compared with each other, never with figures of this file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import pytest

from nvmelm_lab.engine import Random, Schedule, Timed, Trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.guest import Guest
from nvmelm_lab.host.move import PHASES, TRACKING, Method, Plan
from nvmelm_lab.host.workloads import WORKLOADS, workload
from nvmelm_lab.lab import METHODS, GuestSpec, Lab, LabSpec
from nvmelm_lab.oracle import Verdict

BLOCKS = 160


@dataclass
class Migrated:
    """A run that is over: the lab, the method, the guests' programs and the verdict."""

    lab: Lab
    method: Method
    programs: dict[str, Guest]
    verdict: Verdict
    phases: list[str] = field(default_factory=list)

    @property
    def mean_latency(self) -> int:
        guest = self.programs["guest"]
        times = (guest.read_times, guest.write_times)
        return sum(each.total_ns for each in times) // sum(each.count for each in times)


def migrate(
    method: str,
    schedule: Schedule | None = None,
    *,
    name: str = "mixed",
    seed: int = 1,
    plan: Plan | None = None,
    trace: Trace | None = None,
    on_phase: Callable[[Method, str], None] = lambda _method, _phase: None,
) -> Migrated:
    """Migrate a busy guest beside a busy neighbour, and let both go on a little after that."""
    guests = (
        GuestSpec(blocks=(BLOCKS,), filled=BLOCKS // 2, shim=method == "shim"),
        GuestSpec("neighbour", "Z", "I", (64,), 32),
    )
    lab = Lab(LabSpec(guests=guests))
    lab.begin(schedule, trace=trace)
    oracle = lab.oracle("guest")
    programs = {
        spec.name: lab.run_workload(
            spec.name,
            workload(name, blocks=spec.blocks[0], seed=seed + number, writes_per_second=30_000).operations(),
        )
        for number, spec in enumerate(guests)
    }
    way = METHODS[method](lab, "guest", plan if plan is not None else Plan(queue_entries=32))
    run = Migrated(lab, way, programs, Verdict(False, ()))

    def enter(effect: tuple[object, ...]) -> None:
        run.phases.append(str(effect[1]))
        on_phase(way, str(effect[1]))

    lab.engine.observe("phase", enter)
    lab.engine.run(lab.engine.spawn("VMM", way.run()))
    lab.engine.advance(2_000)
    for program in programs.values():
        program.stop()
    lab.engine.run()
    run.verdict = oracle.judge(way.progress.failure)
    return run


@cache
def timed(method: str) -> Migrated:
    """The same guest and workload over each method, on the clock."""
    return migrate(method, Timed())


# What all of them promise


@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("method", METHODS)
def test_every_promised_value_is_at_the_destination_and_every_read_was_consistent(
    method: str, name: str
) -> None:
    run = migrate(method, Timed(), name=name)
    assert run.verdict.good, run.verdict.broken
    assert run.method.progress.failure == ""
    assert run.lab.guests["guest"].vm.memory is run.lab.destination_spaces["guest"]


@pytest.mark.parametrize("whole", [True, False], ids=["whole namespace", "allocated"])
@pytest.mark.parametrize("tracking", TRACKING)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("method", METHODS)
def test_it_holds_in_any_order_of_steps(method: str, seed: int, tracking: str, whole: bool) -> None:
    plan = Plan(queue_entries=16, copy_tasks=3, memory_tracking=tracking, whole_namespace=whole)
    run = migrate(method, Random(seed), seed=seed, plan=plan)
    assert run.verdict.good, run.verdict.broken
    assert run.method.progress.failure == ""


@pytest.mark.parametrize("method", METHODS)
def test_the_guest_works_on_at_the_destination(method: str) -> None:
    after: list[int] = []
    run = migrate(method, on_phase=lambda way, phase: after.append(0) if phase == "Clean up" else None)
    guest = run.programs["guest"]
    assert after
    assert guest.issued == guest.completed > 0
    assert guest.failed == 0


@pytest.mark.parametrize("method", METHODS)
def test_phases_come_in_their_order_and_each_once(method: str) -> None:
    run = timed(method)
    assert run.phases == [phase for phase in PHASES if phase in run.phases]
    assert list(run.method.progress.phases) == run.phases
    assert {"Prepare", "Suspend", "State", "Resume", "Clean up"} <= set(run.phases)
    times = run.method.progress.phases.values()
    assert all(one[1] == other[0] for one, other in pairwise(times))


@pytest.mark.parametrize("method", METHODS)
def test_the_source_is_given_back(method: str) -> None:
    run = timed(method)
    source = run.lab.source
    behind = next(each for each in source.controllers.values() if each.name == "Y")
    assert not behind.online
    assert source.migration_queues == {}
    assert all(behind.cntlid not in namespace.attached for namespace in source.namespaces.values())


# How they compare


def test_stop_and_copy_keeps_the_guest_down_the_longest() -> None:
    down = {method: timed(method).method.progress.downtime_ns for method in METHODS}
    assert down["stop"] > down["ssd"] > 0
    assert down["stop"] > down["shim"] > 0


def test_a_guest_behind_a_shim_waits_longer_for_each_command() -> None:
    assert timed("shim").mean_latency > timed("ssd").mean_latency


def test_a_shim_costs_the_host_work_for_each_command_and_the_ssds_log_only_for_what_changed() -> None:
    shim, ssd, stop = (timed(method).method.work for method in ("shim", "ssd", "stop"))
    assert shim.ns > ssd.ns > stop.ns == 0
    assert shim.steps > ssd.steps > stop.steps == 0


def test_a_shim_costs_the_host_even_when_nothing_migrates() -> None:
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), shim=True),)))
    lab.begin()
    shim = lab.guests["guest"].shim
    assert shim is not None
    before = shim.work.ns
    guest = lab.run_workload("guest", workload("uniform", blocks=BLOCKS, seed=1).operations())
    lab.engine.advance(2_000)
    guest.stop()
    lab.engine.run()
    assert guest.completed > 10
    assert shim.work.ns - before >= guest.completed * 1_000


def test_stop_and_copy_copies_nothing_before_the_guest_stands_still_and_everything_after() -> None:
    progress = timed("stop").method.progress
    assert (progress.rounds, progress.initial_blocks) == (0, 0)
    assert progress.final_blocks > timed("ssd").method.progress.final_blocks
    whole = migrate("stop", plan=Plan(whole_namespace=True)).method.progress
    assert whole.final_blocks == BLOCKS


def test_live_methods_copy_most_while_the_guest_runs() -> None:
    for method in ("ssd", "shim"):
        progress = timed(method).method.progress
        assert progress.initial_blocks > progress.final_blocks
        assert progress.rounds >= 1


@pytest.mark.parametrize(("method", "logs"), [("ssd", True), ("shim", False), ("stop", False)])
def test_only_the_assisted_method_needs_the_ssds_log(method: str, logs: bool) -> None:
    trace = Trace()
    migrate(method, trace=trace)
    words = {effect[0] for step in trace.steps for effect in step.effects}
    assert ({"queue created", "logging", "entry"} <= words) is logs
    assert ({"queue created", "logging", "entry"} & words == set()) is not logs


def test_a_host_with_a_shim_needs_no_iommu_to_send_memory_ahead() -> None:
    without, with_iommu = (
        migrate("shim", plan=Plan(memory_tracking=tracking)).method.progress for tracking in ("none", "iommu")
    )
    assert without.downtime_ns == with_iommu.downtime_ns


# When it goes wrong


CANCELLED_IN = [
    (method, phase)
    for method in METHODS
    for phase in ("Prepare", "Start logging", "Initial copy", "Iterate", "Suspend", "State")
    if not (method == "stop" and phase in ("Start logging", "Initial copy", "Iterate"))
]


@pytest.mark.parametrize("schedule", [Timed, lambda: Random(5)], ids=["timed", "random"])
@pytest.mark.parametrize(("method", "phase"), CANCELLED_IN)
def test_a_cancelled_migration_leaves_the_guest_where_it_was(
    method: str, phase: str, schedule: Callable[[], Schedule]
) -> None:
    run = migrate(method, schedule(), on_phase=lambda way, now: way.move.cancel() if now == phase else None)
    assert run.method.progress.failure == "cancelled"
    assert run.verdict.good, run.verdict.broken
    assert run.lab.guests["guest"].vm.memory is run.lab.source_spaces["guest"]
    assert run.lab.destination.namespaces == {}


@pytest.mark.parametrize("method", METHODS)
def test_a_guest_can_be_migrated_after_a_migration_that_was_cancelled(method: str) -> None:
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), filled=BLOCKS // 2, shim=method == "shim"),)))
    lab.begin()
    oracle = lab.oracle("guest")
    guest = lab.run_workload(
        "guest", workload("mixed", blocks=BLOCKS, seed=2, writes_per_second=30_000).operations()
    )
    first = METHODS[method](lab, "guest", None)
    lab.engine.observe("vm", lambda effect: first.move.cancel() if effect[2] == "paused" else None)
    lab.engine.run(lab.engine.spawn("VMM", first.run()))
    assert first.progress.failure == "cancelled"
    second = METHODS[method](lab, "guest", None)
    lab.engine.run(lab.engine.spawn("VMM", second.run()))
    guest.stop()
    lab.engine.run()
    assert second.progress.failure == ""
    verdict = oracle.judge()
    assert verdict.good, verdict.broken


@pytest.mark.parametrize("method", METHODS)
def test_a_destination_without_room_is_told_and_the_guest_goes_on(method: str) -> None:
    lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), filled=8, shim=method == "shim"),)))
    lab.destination.capacity = BLOCKS - 1
    lab.begin()
    oracle = lab.oracle("guest")
    way = METHODS[method](lab, "guest", None)
    lab.engine.run(lab.engine.spawn("VMM", way.run()))
    lab.engine.run()
    assert way.progress.failure.startswith("Namespace Management (create) ended with status")
    assert oracle.judge(way.progress.failure).good


@pytest.mark.parametrize("method", ["ssd", "stop"])
def test_a_guest_behind_a_shim_is_migrated_by_its_shim_alone(method: str) -> None:
    lab = Lab(LabSpec(guests=(GuestSpec(shim=True),)))
    with pytest.raises(InputError, match="the VM of guest is behind a host shim, which only the shim method"):
        METHODS[method](lab, "guest", None)


def test_a_guest_without_a_shim_cannot_be_migrated_by_one() -> None:
    with pytest.raises(
        InputError, match=r"guest is not behind a host shim; start it there: GuestSpec\(shim=True\)"
    ):
        METHODS["shim"](Lab(), "guest", None)


@pytest.mark.parametrize("method", METHODS)
def test_a_guest_that_is_not_there_is_named_with_those_that_are(method: str) -> None:
    with pytest.raises(InputError, match="no guest 'gust' in this lab; there are: guest, neighbour"):
        METHODS[method](Lab(), "gust", None)


# Two guests


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one after the other"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("methods", [("ssd", "ssd"), ("ssd", "shim"), ("shim", "shim"), ("stop", "ssd")])
def test_two_guests_with_two_namespaces_each_move_and_keep_their_nsids(
    methods: tuple[str, str], seed: int, at_once: bool
) -> None:
    guests = (
        GuestSpec("a", "Y", "H", (48, 32), 20, shim=methods[0] == "shim"),
        GuestSpec("b", "Z", "I", (40, 24), 20, shim=methods[1] == "shim"),
    )
    lab = Lab(LabSpec(guests=guests))
    lab.begin(Random(seed) if seed else Timed())
    oracle = lab.oracle("a", "b")
    programs = [
        lab.run_workload(
            spec.name,
            workload("mixed", blocks=blocks, seed=seed + disk, writes_per_second=30_000).operations(),
            disk,
        )
        for spec in guests
        for disk, blocks in enumerate(spec.blocks)
    ]
    ways = [METHODS[method](lab, spec.name, None) for method, spec in zip(methods, guests, strict=True)]
    # The second one first: its NSIDs are not the lowest that are free over there.
    for number, way in reversed(list(enumerate(ways))):
        actor = lab.engine.spawn(f"VMM {number}", way.run())
        if not at_once:
            lab.engine.run(actor)
    while any(way.progress.started_at < 0 and "Clean up" not in way.progress.phases for way in ways):
        lab.engine.advance(100)
    lab.engine.advance(3_000)
    for program in programs:
        program.stop()
    lab.engine.run()
    assert [way.progress.failure for way in ways] == ["", ""]
    verdict = oracle.judge()
    assert verdict.good, verdict.broken
    assert sorted(lab.destination.namespaces) == [1, 2, 3, 4]
