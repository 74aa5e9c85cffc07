"""The copier: blocks go from one SSD to the other, as they are, by as many tasks as it has."""

from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Random, Schedule, Timed, Trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.changes import Changes, Extent
from nvmelm_lab.host.driver import status_of
from nvmelm_lab.host.ledger import UNREADABLE
from nvmelm_lab.host.move import Plan
from nvmelm_lab.host.queue_pair import QueuePair
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.memory import make_stamp
from nvmelm_lab.nvme import commands

BLOCKS = 40
CHUNK = 8


class Bench:
    """A lab whose guest stands still, with a migration that is prepared and goes no further."""

    def __init__(self, schedule: Schedule | None = None, tasks: int = 3) -> None:
        self.lab = Lab(LabSpec(guests=(GuestSpec(blocks=(BLOCKS,)),), chunk=CHUNK, granularity=1))
        self.engine = self.lab.engine
        self.migration = self.lab.migration("guest", Plan(copy_tasks=tasks))
        self.run(self.migration.prepare_destination())
        self.copier = self.migration.copier
        self.source: QueuePair = self.run(self.lab.source_driver.create_queue_pair(4, "test"))
        self.buffers = {
            driver: driver.pages.buffer(BLOCKS * 4096)
            for driver in (self.lab.source_driver, self.lab.destination_driver)
        }
        self.trace = Trace()
        self.lab.begin(schedule, trace=self.trace)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        actor = self.engine.spawn("test", coroutine)
        actor.watched = True
        self.engine.run(actor)
        assert actor.done.level, self.engine.blocked()
        if actor.error is not None:
            raise actor.error
        return actor.result

    def write(self, slba: int, stamps: Sequence[int]) -> None:
        """Put blocks into the source's namespace: stamps, 0 for deallocated, UNREADABLE."""
        buffer = self.buffers[self.lab.source_driver]
        for lba, stamp in enumerate(stamps, slba):
            if stamp == UNREADABLE:
                sqe = commands.write_uncorrectable(0, 1, lba, 1)
            elif stamp:
                self.lab.source_driver.space.write_stamps(buffer.address, [stamp])
                sqe = commands.write(0, 1, lba, 1, buffer.address)
            else:
                continue
            assert not status_of(self.run(self.source.run(sqe)))

    def there(self) -> list[int]:
        """What Reads of each LBA of the destination return."""
        driver, queue = self.lab.destination_driver, self.copier.destination_queue
        buffer, values = self.buffers[driver], []
        for lba in range(BLOCKS):
            cqe = self.run(queue.run(commands.read(0, 1, lba, 1, buffer.address)))
            values.append(UNREADABLE if status_of(cqe) else driver.space.read_stamps(buffer.address, 1)[0])
        return values

    def copy(self, *extents: Extent, **more: Any) -> int:
        copied: int = self.run(self.copier.copy(extents, **more))
        return copied

    def said(self, word: str) -> list[tuple[Any, ...]]:
        return [effect for step in self.trace.steps for effect in step.effects if effect[0] == word]


def ranges(slba: int, blocks: int, deallocated: bool = False) -> list[Extent]:
    changes = Changes({1: BLOCKS})
    changes.add(1, slba, blocks, deallocated=deallocated)
    return list(changes.extents(CHUNK))


contents = st.lists(
    st.one_of(st.just(0), st.just(UNREADABLE), st.integers(1, 1 << 20).map(lambda n: make_stamp(5, n))),
    min_size=BLOCKS,
    max_size=BLOCKS,
)


@settings(deadline=None, max_examples=20)
@given(content=contents, seed=st.integers(0, 1 << 32), tasks=st.integers(1, 5))
def test_whatever_a_namespace_holds_it_reads_the_same_at_the_destination(
    content: list[int], seed: int, tasks: int
) -> None:
    bench = Bench(Random(seed), tasks)
    bench.write(0, content)
    assert bench.copy(*ranges(0, BLOCKS)) == BLOCKS
    assert bench.there() == content
    unreadable = content.count(UNREADABLE)
    assert (bench.copier.unreadable, bench.copier.copied) == (unreadable, BLOCKS - unreadable)


def test_only_what_was_asked_for_is_copied() -> None:
    bench = Bench()
    bench.write(0, [make_stamp(5, n) for n in range(1, BLOCKS + 1)])
    bench.copy(*ranges(3, 2), *ranges(20, 10))
    there = bench.there()
    assert {lba for lba, value in enumerate(there) if value} == {3, 4, *range(20, 30)}


def test_a_copy_carries_at_most_a_chunk_at_once() -> None:
    bench = Bench()
    bench.write(0, [make_stamp(5, n) for n in range(1, 21)])
    bench.trace.steps.clear()
    bench.copy(*ranges(0, 20))
    assert sorted(len(effect[4]) for effect in bench.said("read")) == [4, 8, 8]


def test_each_block_crosses_the_link_once_and_a_deallocation_not_at_all() -> None:
    bench = Bench()
    bench.write(0, [make_stamp(5, n) for n in range(1, 13)])
    bench.copy(*ranges(0, 12), *ranges(20, 20, deallocated=True))
    assert bench.lab.link.sent == 12 * 4096


def test_deallocated_blocks_are_deallocated_over_there_and_nothing_is_read_for_them() -> None:
    bench = Bench()
    bench.write(0, [make_stamp(5, n) for n in range(1, 11)])
    bench.copy(*ranges(0, 10))
    bench.trace.steps.clear()
    bench.copy(*ranges(4, 3, deallocated=True))
    assert bench.said("read") == []
    assert bench.said("changed") == [
        ("changed", "destination SSD", "deallocated", bench.said("changed")[0][3], ((1, 4, 3, True),))
    ]
    assert bench.there()[3:8] == [make_stamp(5, 4), 0, 0, 0, make_stamp(5, 8)]


def test_one_unreadable_block_costs_no_other_block() -> None:
    bench = Bench()
    content = [make_stamp(5, n) for n in range(1, CHUNK + 1)]
    content[5] = UNREADABLE
    bench.write(0, content)
    bench.copy(*ranges(0, CHUNK))
    assert bench.there()[:CHUNK] == content


def test_more_tasks_copy_the_same_in_less_time() -> None:
    took = []
    for tasks in (1, 4):
        bench = Bench(Timed(), tasks)
        bench.write(0, [make_stamp(5, n) for n in range(1, BLOCKS + 1)])
        began = bench.engine.now
        bench.copy(*ranges(0, BLOCKS))
        took.append(bench.engine.now - began)
        assert 0 not in bench.there()
    assert took[1] < took[0]


def test_what_must_not_wait_is_done_meanwhile() -> None:
    bench = Bench()
    asked = []

    async def meanwhile() -> int:
        asked.append(bench.copier.finished.level)
        return 2

    bench.copy(*ranges(0, BLOCKS), every=1, meanwhile=meanwhile)
    assert asked
    assert asked == sorted(asked)
    assert asked[0] >= 1


def test_a_copy_can_be_ended_early_and_says_how_many_lbas_it_brought_over() -> None:
    bench = Bench(tasks=1)
    bench.write(0, [make_stamp(5, n) for n in range(1, BLOCKS + 1)])

    async def enough() -> int:
        return 0

    copied = bench.copy(*ranges(0, BLOCKS), every=2, meanwhile=enough)
    there = bench.there()
    assert 2 * CHUNK <= copied < BLOCKS
    assert sum(map(bool, there)) == copied


def test_a_command_that_fails_ends_the_copy_with_its_name() -> None:
    bench = Bench()
    with pytest.raises(InputError, match=f"Read of LBA {BLOCKS - 2}, 8 blocks ended with status 080h"):
        bench.copy(Extent(1, BLOCKS - 2, 8, False), *ranges(0, 16))
    assert bench.copy(*ranges(0, 16)) == 16


def test_nothing_to_copy_is_copied_at_once() -> None:
    bench = Bench()
    assert bench.copy() == 0
