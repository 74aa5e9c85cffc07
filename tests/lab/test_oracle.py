"""Each property of the oracle can fail, by a migration that is wrong, and holds for the one that is right."""

from collections.abc import Callable

import pytest

from nvmelm_lab.host import provision, recovery
from nvmelm_lab.host.changes import Changes, Extent
from nvmelm_lab.host.copier import Copier
from nvmelm_lab.host.driver import CommandFailed
from nvmelm_lab.host.memory_move import MemoryMove
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.move import Method, Move
from nvmelm_lab.nvme import commands as io
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.controller_state import unpack_controller_state
from nvmelm_lab.oracle import PROPERTIES
from tests.lab.judged import BLOCKS, BUSY, broken, commands, judged

LATE_READS = commands(" ".join(f"r{n}" for n in range(BLOCKS)), start_ns=30_000_000)
"""Reads of every LBA, after the guest has moved."""


class SkipsFinalCopy(Migration):
    """Drains the last entries and copies nothing of them."""

    async def suspend_and_copy(self) -> None:
        self.move.enter("Suspend")
        await self.move.pause()
        await self.move.suspend()
        await self._take_changes(until="suspended")


class Filtering(Migration):
    """Copies only some of what changed."""

    def keeps(self, extent: Extent) -> bool:
        raise NotImplementedError

    async def _take_changes(self, until: str | None = None) -> Changes:
        changed, kept = await super()._take_changes(until), Changes(self.move.nsids)
        for extent in changed.extents(1):
            if self.keeps(extent):
                kept.add(extent.nsid, extent.slba, extent.blocks, deallocated=extent.deallocated)
        return kept


class DropsAnEntry(Filtering):
    """Never copies LBA 5 again, whatever it is told."""

    def keeps(self, extent: Extent) -> bool:
        return not extent.slba <= 5 < extent.slba + extent.blocks


class RevivesDeallocated(Filtering):
    """Does not deallocate over there what was deallocated here."""

    def keeps(self, extent: Extent) -> bool:
        return not extent.deallocated


class Spoiling(Migration):
    """Sends one more command through a copy task's queue when all is copied."""

    def spoil(self) -> bytes:
        raise NotImplementedError

    async def suspend_and_copy(self) -> None:
        await super().suspend_and_copy()
        await self.copier.destination_queue.run(self.spoil())


class WritesZeroes(Spoiling):
    def spoil(self) -> bytes:
        return io.write_zeroes(0, 1, 7, 1)


class MarksUnreadable(Spoiling):
    def spoil(self) -> bytes:
        return io.write_uncorrectable(0, 1, 7, 1)


class ResumesBoth(Migration):
    """Resumes the controller at the source, too, when the destination's runs."""

    async def move_and_resume(self) -> None:
        await super().move_and_resume()
        await self.move.source_side.resume()


class ForgetsTheRings(Migration):
    """Leaves guest memory as it was when it was sent ahead: what came onto the rings since is not there."""

    async def move_and_resume(self) -> None:
        class Forgetful(MemoryMove):
            async def finish(self) -> None:
                self.source.processor_dirty = self.source.device_dirty = None

        self.move.memory = Forgetful(self.memory.link, self.memory.source, self.memory.destination)
        await super().move_and_resume()


class RepeatsACompletion(Migration):
    """Takes the last completion for lost, and puts it into the guest's queue once more."""

    async def move_and_resume(self) -> None:
        self.move.enter("State")
        await self.move.move_state()
        queues = unpack_controller_state(self.progress.state).queues
        assert queues is not None
        (queue,) = queues.completion
        there, last = self.memory.destination, (queue.tail - 1) % queue.entries
        again = there.read(queue.prp1 + 16 * last, 16)
        there.write(queue.prp1 + 16 * queue.tail, again)
        self.move.enter("Resume")
        await self.move.destination_side.resume()
        await self.move.start()


class Meddling(Migration):
    """Does something to the neighbour while logging is started."""

    async def meddle(self) -> None:
        raise NotImplementedError

    async def start_logging(self) -> None:
        await super().start_logging()
        await self.meddle()


class SuspendsTheNeighbour(Meddling):
    async def meddle(self) -> None:
        driver = self.move.source.driver
        await driver.command("suspend", lm.suspend(0, 3))
        await driver.command("resume", lm.resume(0, 3))


class TakesTheNeighbourOffline(Meddling):
    async def meddle(self) -> None:
        await provision.take_offline(self.move.source.driver, 3)


class WritesToTheNeighbour(Meddling):
    async def meddle(self) -> None:
        queue = await self.move.source.driver.create_queue_pair(2)
        await queue.run(io.write_zeroes(0, 2, 3, 1))


class MovesTheNeighbour(Meddling):
    async def meddle(self) -> None:
        await provision.create_namespace_as(self.move.destination.driver, 8, 2)


class CopiesTheNeighbour(Migration):
    """Copies the neighbour's LBA 3 over the guest's."""

    async def suspend_and_copy(self) -> None:
        await super().suspend_and_copy()
        self.copier.nsids[2] = 1
        await self.copier.copy([Extent(2, 3, 1, False)])


class Failing(Migration):
    """Cannot go on once the VM is paused, and goes back."""

    async def move_and_resume(self) -> None:
        self.move.cancel()
        await super().move_and_resume()


class LeavesPaused(Failing):
    async def go_back(self) -> None:
        await recovery.release_destination(self.move)


class LeavesSuspended(Failing):
    async def go_back(self) -> None:
        await self.vm.start()


class SpoilsTheSource(Failing):
    async def go_back(self) -> None:
        await super().go_back()
        queue = await self.move.source.driver.create_queue_pair(2)
        await queue.run(io.write_zeroes(0, 1, 7, 1))


MIXED = commands("w1 w2 u3 t4 z5 w6 t6 w7 r1 r2 r3 r4 r5 r6 r7 w3 r3 u3 " * 50)


@pytest.mark.parametrize("way", [Migration, Failing])
def test_the_reference_migration_and_its_way_back_keep_every_property(way: Callable[[Move], Method]) -> None:
    verdict = judged(way, MIXED, LATE_READS)
    assert broken(verdict) == {}
    assert [each.name for each in verdict.properties] == list(PROPERTIES)


@pytest.mark.parametrize(
    ("way", "word"),
    [
        (SkipsFinalCopy, "destination has version"),
        (DropsAnEntry, "LBA 5: destination has version"),
        (WritesZeroes, "LBA 7: destination has zeros, promised version"),
        (MarksUnreadable, "LBA 7: destination has an unreadable block, promised version"),
        (CopiesTheNeighbour, "LBA 3: destination has version 4 of neighbour, promised version"),
    ],
)
def test_no_write_lost(way: Callable[[Move], Method], word: str) -> None:
    found = broken(judged(way, BUSY))
    assert word in found["no write lost"]


def test_nothing_revived() -> None:
    found = broken(judged(RevivesDeallocated, commands("w4 w5 w6 t4 t5 t6 " * 50)))
    assert found.keys() == {"nothing revived"}
    assert "destination has version" in found["nothing revived"]
    assert "promised zeros" in found["nothing revived"]


@pytest.mark.parametrize("way", [WritesZeroes, Migration], ids=["written over", "never marked"])
def test_unreadable_marked(way: Callable[[Move], Method], monkeypatch: pytest.MonkeyPatch) -> None:
    if way is Migration:

        async def leave(*_: object) -> None:
            return None

        monkeypatch.setattr(Copier, "_copy_around_error", leave)
    found = broken(judged(way, commands("u7")))
    assert "LBA 7: destination has" in found["unreadable marked"]
    assert "promised an unreadable block" in found["unreadable marked"]


def test_one_controller_runs() -> None:
    found = broken(judged(ResumesBoth, BUSY))
    assert found["one controller runs"].startswith("both Y and H served guest at ")


def test_each_command_once_by_a_command_that_never_completes() -> None:
    found = broken(judged(ForgetsTheRings, BUSY))
    assert "never completed" in found["each command once"]


def test_each_command_once_by_a_command_that_completes_twice() -> None:
    found = broken(judged(RepeatsACompletion, BUSY))
    assert "a completion too many" in found["each command once"]


def test_reads_consistent() -> None:
    found = broken(judged(DropsAnEntry, BUSY, LATE_READS))
    assert found["reads consistent"] == "guest read LBA 5, and got what was not promised"
    found = broken(judged(MarksUnreadable, BUSY, LATE_READS))
    assert found["reads consistent"].startswith("guest read LBA 7, and it failed")


@pytest.mark.parametrize(
    ("way", "word"),
    [
        (SuspendsTheNeighbour, "the controller Z of neighbour was suspended"),
        (TakesTheNeighbourOffline, "the controller Z of neighbour was reset"),
        (WritesToTheNeighbour, "LBA 3: source has zeros, promised version 4 of neighbour"),
        (MovesTheNeighbour, "namespace 2 of neighbour was moved"),
        (CopiesTheNeighbour, "guest reads version 4 of neighbour"),
    ],
)
def test_neighbour_unaffected(way: Callable[[Move], Method], word: str) -> None:
    found = broken(judged(way, commands("w0")))
    assert word in found["neighbour unaffected"]


def test_neighbour_unaffected_by_a_command_that_took_longer_than_sharing_explains() -> None:
    found = broken(judged(Migration, BUSY, slowest_ns=1_000))
    assert "more than 1000 ns" in found["neighbour unaffected"]


@pytest.mark.parametrize(
    ("way", "word"),
    [
        (LeavesPaused, "guest stands still: cancelled"),
        (LeavesSuspended, "cancelled; each command once: command"),
        (SpoilsTheSource, "cancelled; no write lost: LBA 7: source has zeros, promised version"),
    ],
)
def test_nothing_lost_on_failure(way: Callable[[Move], Method], word: str) -> None:
    found = broken(judged(way, BUSY))
    assert word in found["nothing lost on failure"]


def test_a_migration_that_fails_over_there_leaves_the_guest_where_it_was() -> None:
    class NoRoom(Migration):
        async def prepare_destination(self) -> None:
            self.move.enter("Prepare")
            await provision.create_namespace(self.move.destination.driver, 1 << 40)

    verdict = judged(NoRoom, BUSY, LATE_READS)
    assert broken(verdict) == {}
    assert "Namespace Management (create) ended with status" in verdict.properties[-1].word


def test_a_destination_that_loses_its_namespace_leaves_the_guest_where_it_was() -> None:
    class Loses(Migration):
        async def iterate(self) -> None:
            await provision.delete_namespaces(self.move.destination.driver, [1])
            await super().iterate()

    verdict = judged(Loses, BUSY, LATE_READS)
    assert broken(verdict) == {}
    assert "Write of LBA" in verdict.properties[-1].word
    assert "; Namespace Management (delete) ended with status" in verdict.properties[-1].word


def test_what_fails_after_the_guest_has_moved_is_not_taken_back() -> None:
    class FailsLate(Migration):
        async def clean_up(self) -> None:
            await self.move.source_side.resume()
            await self.move.source_side.resume()

    with pytest.raises(CommandFailed, match="not suspended"):
        judged(FailsLate, BUSY)
