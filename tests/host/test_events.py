"""A host that waits for events: for an entry instead of polling for it, and for a queue that is full."""

import pytest

from nvmelm_lab.engine import Random, Schedule, Timed, Trace
from nvmelm_lab.host.changes import Changes
from nvmelm_lab.host.events import Events
from nvmelm_lab.host.guest import Guest
from nvmelm_lab.host.managed import ManagedController
from nvmelm_lab.host.mq_reader import MqReader, QueueFull
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.nvme.codes import OneShotEvent, Property

BLOCKS = 16


class Bench:
    """A guest that writes, and a VMM that has a Migration Queue and keeps a request outstanding."""

    def __init__(self, schedule: Schedule, *, slots: int = 8, requests: int = 1) -> None:
        self.lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,), filled=BLOCKS),)))
        self.engine = self.lab.engine
        self.trace = Trace()
        self.side: ManagedController = self.lab.move("guest").source_side
        self.slots = slots
        self.lab.begin(schedule, trace=self.trace)
        self.events = Events(self.lab.source_driver)
        self.events.keep_asking(requests)

    async def log(self) -> MqReader:
        mq = await self.side.create_mq(self.slots)
        await self.side.track_send(mq, start=True)
        return mq

    def write(self, lbas: list[int]) -> Guest:
        return self.lab.run_workload("guest", [Operation(OperationKind.WRITE, lba, 1, 0) for lba in lbas])

    def polls(self) -> int:
        return sum(step.kind == "poll" for step in self.trace.steps)


def lbas_of(changes: Changes) -> list[int]:
    return [lba for extent in changes.extents(1) for lba in range(extent.slba, extent.slba + extent.blocks)]


@pytest.mark.parametrize("seed", [None, *range(40)])
def test_each_entry_is_waited_for_and_none_is_missed(seed: int | None) -> None:
    """Whatever comes first: the entry, the trigger, the look at the slot, or the event."""
    bench = Bench(Timed() if seed is None else Random(seed))
    wanted = list(range(5))
    found: list[int] = []

    async def vmm() -> None:
        mq = await bench.log()
        bench.write(wanted)
        while len(found) < len(wanted):
            found.extend(lbas_of(await bench.events.drain(mq)))

    actor = bench.engine.spawn("VMM", vmm())
    bench.engine.run(actor)
    assert actor.has_ended, bench.engine.blocked()
    assert sorted(found) == wanted


def test_who_waits_does_not_poll() -> None:
    bench = Bench(Timed())
    found: list[int] = []

    async def vmm() -> None:
        mq = await bench.log()
        found.extend(lbas_of(await bench.events.drain(mq)))

    actor = bench.engine.spawn("VMM", vmm())
    bench.engine.run()
    assert not actor.has_ended
    assert bench.polls() == 1, "the look that follows the setting of the trigger"
    bench.write([7])
    bench.engine.run(actor)
    assert found == [7]
    assert bench.polls() <= 4


def test_several_requests_tell_of_several_queues_and_a_full_one_too() -> None:
    bench = Bench(Timed(), slots=4, requests=2)
    told: list[int] = []

    async def vmm() -> None:
        mq = await bench.log()
        full = bench.events.told(OneShotEvent.QUEUE_FULL, mq.cdqid)
        bench.write([0, 1, 2, 3])
        await full.wait()
        told.append(full.level)
        with pytest.raises(QueueFull):
            await bench.events.drain(mq)

    actor = bench.engine.spawn("VMM", vmm())
    bench.engine.run(actor)
    assert actor.has_ended, bench.engine.blocked()
    assert told == [1]


def test_other_commands_of_the_host_go_on_meanwhile() -> None:
    bench = Bench(Timed(), requests=4)
    state: list[bytes] = []

    async def vmm() -> None:
        for _ in range(40):
            state.append(await bench.side.get_state())

    actor = bench.engine.spawn("VMM", vmm())
    bench.engine.run(actor)
    assert actor.has_ended, bench.engine.blocked()
    assert len(state) == 40


def test_a_controller_that_was_reset_is_asked_again() -> None:
    bench = Bench(Timed(), requests=3)
    bench.engine.run()
    driver, controller = bench.lab.source_driver, bench.lab.source.primary
    assert len(controller.event_requests) == 3

    async def operator() -> None:
        driver.port.write_property(Property.CC, 0)
        driver.lose()
        await driver.revive()
        driver.has_revived(driver.losses)

    bench.engine.spawn("operator", operator())
    assert not controller.event_requests
    bench.engine.run()
    assert len(controller.event_requests) == 3
