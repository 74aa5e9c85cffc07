"""The audit: whole migrations under random schedules, each step held to what it declared."""

from functools import partial

import pytest

from nvmelm_lab.engine import Audit, Engine, Kind, Random, Recorder, RunToBlock, do
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.errors import KitError
from nvmelm_lab.host.migration import Plan
from nvmelm_lab.host.workloads import workload
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.ssd import Habits

SPEC = LabSpec(
    guests=(GuestSpec("guest", "Y", "H", (24,), filled=24), GuestSpec("neighbour", "Z", "I", (8,))),
    granularity=4,
)


def watch_memory(lab: Lab, recorder: Recorder) -> None:
    spaces = (
        lab.source_memory,
        lab.destination_memory,
        *lab.source_spaces.values(),
        *lab.destination_spaces.values(),
    )
    for space in spaces:
        space.audit = partial(_note, recorder, space)


def _note(recorder: Recorder, space: AddressSpace, address: int, write: bool) -> None:
    recorder.own((space.name, address), write)


def completion_slots(lab: Lab) -> set[Key]:
    """Addresses of the slots of every completion queue, in each memory that it may lie in."""
    slots: set[Key] = set()
    for ssd in (lab.source, lab.destination):
        for controller in ssd.controllers.values():
            for queue in controller.cqs.values():
                for name in (controller.space.name, controller.space.name.replace("here", "there")):
                    slots |= {(name, queue.base + 16 * slot) for slot in range(queue.entries)}
    return slots


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("order", "tracking"),
    [("entry first", "iommu"), ("completion first", "iommu"), ("entry first", "device")],
)
def test_a_migration_touches_what_it_says_and_never_what_another_owns(
    seed: int, order: str, tracking: str
) -> None:
    lab = Lab(LabSpec(SPEC.guests, granularity=SPEC.granularity, habits=Habits(entry_order=order)))
    recorder = Recorder()
    polled: set[Key] = set()

    def is_polled(key: Key) -> bool:
        # Queues come and go during the run: ask again when a key is new.
        if key not in polled:
            polled.update(completion_slots(lab))
        return key in polled

    # The two actors of a guest are one program on one processor.
    lab.begin(
        Audit(Random(seed), is_polled, lambda name: name.removesuffix(" completions")), recorder=recorder
    )
    watch_memory(lab, recorder)
    guest = lab.run_workload("guest", workload("mixed", blocks=24, seed=seed).operations())
    neighbour = lab.run_workload("neighbour", workload("uniform", blocks=8, seed=seed).operations())
    migration = lab.migration("guest", Plan(64, 2, rounds=2, memory_tracking=tracking))
    vmm = lab.engine.spawn("VMM", migration.run())
    lab.engine.run(vmm)
    assert vmm.done.level, lab.engine.blocked()
    guest.stop()
    neighbour.stop()
    lab.engine.run()
    assert guest.completed == guest.issued
    assert not guest.disk.wrong_reads


def test_two_parties_in_one_buffer_at_a_time_are_named() -> None:
    engine = Engine(RunToBlock())
    recorder = Recorder()
    engine.use(Audit(Random(1)), recorder=recorder)
    write = Kind("write", lambda _: recorder.own(("memory", 4096), True), label=lambda _: "writes the buffer")

    async def party() -> None:
        await do(write)

    engine.spawn("one", party())
    engine.spawn("other", party())
    with pytest.raises(KitError, match=r"touch \('memory', 4096\), and nothing orders them"):
        engine.run()


def test_a_shared_cell_that_was_not_declared_is_named() -> None:
    engine = Engine(RunToBlock())
    recorder = Recorder()
    engine.use(Audit(Random(1)), recorder=recorder)
    write = Kind("write", lambda _: recorder.writes.add("cell"), label=lambda _: "writes a cell")

    async def party() -> None:
        await do(write)

    engine.spawn("one", party())
    with pytest.raises(KitError, match="one \\(writes a cell\\) wrote cell without saying so"):
        engine.run()
