"""Small labs whose runs are traced, for tests of what is made of a trace."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from nvmelm_lab.engine import Schedule, Trace
from nvmelm_lab.host.migration import Migration, Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.workloads import workload
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.ssd import Habits


@dataclass
class Traced:
    """A run that is over: its lab, its trace, and after which steps the Migration Queue was how full."""

    lab: Lab
    trace: Trace
    migration: Migration
    used: dict[int, int] = field(default_factory=dict)


def spec(blocks: int = 48, filled: int = 20, habits: Habits | None = None, disks: int = 1) -> LabSpec:
    guests = (
        GuestSpec(blocks=(blocks,) * disks, filled=filled),
        GuestSpec("neighbour", "Z", "I", (16,)),
    )
    return LabSpec(guests=guests, habits=habits or Habits())


def migrate(
    name: str = "zipf",
    *,
    seed: int = 7,
    lab: LabSpec | None = None,
    plan: Plan | None = None,
    schedule: Schedule | None = None,
    operations: list[Operation] | None = None,
    most: int = 60,
    way: Callable = Migration.run,
    watching: Callable[[Lab], object] = lambda lab: None,
) -> Traced:
    """A guest runs `name`, `most` operations of it at most, and migrates by `way`; a neighbour runs too."""
    made = Lab(lab or spec())
    run = Traced(made, Trace(), None)
    made.begin(schedule, trace=run.trace)
    watching(made)
    guest = made.guests["guest"]
    for number, disk in enumerate(guest.disks):
        own = workload(name, blocks=disk.blocks, seed=seed + number, writes_per_second=50_000).operations()
        made.run_workload("guest", operations if operations is not None else islice(own, most), number)
    other = workload("uniform", blocks=16, seed=seed + 9, writes_per_second=9_000).operations()
    made.run_workload("neighbour", islice(other, 12))
    run.migration = made.migration("guest", plan or Plan(queue_entries=32))
    watch_queue(run)
    made.engine.run(made.engine.spawn("VMM", way(run.migration)))
    made.engine.run()
    return run


def watch_queue(run: Traced) -> None:
    def note(effect: tuple) -> None:
        queue = run.lab.source.migration_queues[effect[2]]
        run.used[run.lab.engine.step_index] = queue.used

    run.lab.engine.observe("entry", note)
    run.lab.engine.observe("head", note)


def write(slba: int, blocks: int = 1, at_ns: int = 0) -> Operation:
    return Operation(OperationKind.WRITE, slba, blocks, at_ns)


async def without_the_last_copy(migration: Migration) -> None:
    """A wrong VMM: it suspends the controller and never looks into the queue again."""
    await migration.prepare_destination()
    await migration.start_logging()
    await migration.initial_copy()
    migration.move.enter("Suspend")
    await migration.move.pause()
    await migration.move.suspend()
    await migration.move_and_resume()
    await migration.clean_up()


async def without_suspending(migration: Migration) -> None:
    """A wrong VMM: the source's controller goes on while the destination's is resumed."""
    await migration.prepare_destination()
    await migration.start_logging()
    await migration.initial_copy()
    migration.move.enter("Resume")
    await migration.move.destination_side.suspend()
    await migration.move.destination_side.set_state(await migration.move.source_side.get_state())
    await migration.move.destination_side.resume()
    await migration.move.start()
