"""Plain models to hold the SSD against: a namespace as sets and a dict, and a reader of what the log may say.

They follow what the SSD's effects say that it did, in the order in which it did it.
"""

from __future__ import annotations

from typing import Any

from nvmelm_lab.engine import Schedule, Trace
from nvmelm_lab.nvme import unpack_mqe
from nvmelm_lab.ssd import Habits
from tests.ssd.door import Bench

Change = tuple[int, int, int, bool]
Effect = tuple[Any, ...]

FIRST, STOPPED, SUSPENDED, FULL = 1, 2, 3, 7
ALL_LBS = 1


def watch(bench: Bench, schedule: Schedule, *words: str) -> list[tuple[int, Effect]]:
    """Go on under `schedule`; the list fills with ``(step, effect)`` of the effects that begin with one of `words`."""
    seen: list[tuple[int, Effect]] = []
    bench.engine.use(schedule, trace=Trace(limit=1 << 30))
    for word in words:
        bench.engine.observe(word, lambda effect: seen.append((bench.engine.step_index, effect)))
    return seen


class NamespaceModel:
    """`blocks` LBAs: what they hold, which are allocated, which cannot be read.

    Of those, `by_command` were made so by Write Uncorrectable, and `unnoticed` are damaged and nobody knows.
    """

    def __init__(self, blocks: int, granularity: int = 1) -> None:
        self.blocks = blocks
        self.granularity = granularity
        self.content = dict.fromkeys(range(blocks), 0)
        self.allocated: set[int] = set()
        self.unreadable: set[int] = set()
        self.by_command: set[int] = set()
        self.unnoticed: set[int] = set()

    def write(self, slba: int, stamps: list[int]) -> None:
        for lba, stamp in enumerate(stamps, slba):
            self.content[lba] = stamp
            self.allocated.add(lba)
            self._make_readable(lba)

    def deallocate(self, slba: int, blocks: int) -> None:
        for lba in range(slba, slba + blocks):
            self.content[lba] = 0
            self.allocated.discard(lba)
            self._make_readable(lba)

    def _make_readable(self, lba: int) -> None:
        for lbas in (self.unreadable, self.by_command, self.unnoticed):
            lbas.discard(lba)

    def make_unreadable(self, slba: int, blocks: int) -> None:
        lbas = set(range(slba, slba + blocks))
        self.allocated |= lbas
        self.unreadable |= lbas
        self.by_command |= lbas
        self.unnoticed -= lbas

    def damage(self, slba: int, blocks: int) -> None:
        lost = set(range(slba, slba + blocks)) & self.allocated - self.unreadable
        self.unreadable |= lost
        self.unnoticed |= lost

    def read(self, slba: int, blocks: int) -> list[int] | None:
        """None: it cannot be read, and that is known from then on."""
        lbas = range(slba, slba + blocks)
        if self.unreadable & set(lbas):
            self.unnoticed -= set(lbas)
            return None
        return [self.content[lba] for lba in lbas]

    def copy(self, destination: int, ranges: list[tuple[int, int]]) -> bool:
        """False: a source block cannot be read, and nothing is copied."""
        stamps: list[int] = []
        for slba, blocks in ranges:
            more = self.read(slba, blocks)
            if more is None:
                return False
            stamps += more
        self.write(destination, stamps)
        return True

    def follow(self, effect: Effect) -> tuple[str, tuple[Change, ...]]:
        """Do what an effect ``wrote`` or ``changed`` says; gives the command and its changes."""
        if effect[0] == "wrote":
            _, _, nsid, slba, stamps, command = effect
            self.write(slba, list(stamps))
            return command, ((nsid, slba, len(stamps), False),)
        _, _, word, command, changes = effect
        for _, slba, blocks, _ in changes:
            if word == "deallocated":
                self.deallocate(slba, blocks)
            elif word == "zeroes":
                self.write(slba, [0] * blocks)
            else:
                self.make_unreadable(slba, blocks)
        return command, changes

    def ranges(self, slba: int, end: int) -> list[tuple[int, int]]:
        """What Get LBA Status has to report for ``[slba, end)``, found block by block."""
        size = self.granularity
        found: list[tuple[int, int]] = []
        for lba in range(slba, end):
            granule = range(lba // size * size, min(lba // size * size + size, self.blocks))
            if not self.allocated & set(granule):
                continue
            if found and sum(found[-1]) == lba:
                found[-1] = (found[-1][0], found[-1][1] + 1)
            else:
                found.append((lba, 1))
        return found

    def unreadable_ranges(self, slba: int, end: int, *, scan: bool) -> list[tuple[int, int, int]]:
        """What Get LBA Status 10h and 11h have to report, found block by block, with LBARS."""
        if scan:
            self.unnoticed -= set(range(slba, end))
        found: list[tuple[int, int, int]] = []
        for lba in range(slba, end):
            if lba not in self.unreadable - self.unnoticed:
                continue
            status = 3 if lba in self.by_command else 1
            if found and found[-1][0] + found[-1][1] == lba:
                found[-1] = (found[-1][0], found[-1][1] + 1, min(found[-1][2], status))
            else:
                found.append((lba, 1, status))
        return found


class LogModel:
    """Reads the effects of a run and asserts that each entry of the Migration Queue may and must be where it is.

    The changes are those that the controller named `target` makes, and those of sanitize operations.
    """

    WORDS = (
        "wrote",
        "changed",
        "entry",
        "head",
        "logging",
        "queue full",
        "suspended",
        "resumed",
        "completed",
    )

    def __init__(self, namespace: NamespaceModel, target: str, slots: int, habits: Habits) -> None:
        self.namespace = namespace
        self.target = target
        self.slots = slots
        self.habits = habits
        self.tail = 0
        self.head = 0
        self.logging = False
        self.promised = False
        self.over = True
        self.first_due = False
        self.suspended = False
        self.untold: dict[str, list[tuple[int, int, int]]] = {}
        self.owed: set[str] = set()
        self.entries: list[int] = []
        self.step = -1
        self.group: list[tuple[int, int, int]] = []

    def follow(self, step: int, effect: Effect, *, started: bool = False) -> None:
        """One more effect; `started`: it is the completion of a Track Send that started logging."""
        if step != self.step:
            self._close_group(full=False)
        self.step = step
        word = effect[0]
        if word in ("wrote", "changed"):
            self._changed(*self.namespace.follow(effect))
        elif word == "entry":
            self._entry(effect[3], effect[4])
        elif word == "head":
            self.head += (effect[3] - self.head) % self.slots
        elif word == "logging":
            self.logging = effect[4]
            self.promised = self.promised and self.logging
            if self.logging:
                self.first_due, self.over = True, False
        elif word == "queue full":
            self.logging = self.promised = False
            self.over = True
            self._close_group(full=True)
            self.untold.clear()
            self.owed.clear()
        elif word == "suspended" and effect[1] == self.target:
            self.suspended = True
        elif word == "resumed" and effect[1] == self.target:
            self.suspended = False
            self.first_due = self.first_due or self.logging
        elif started and self.logging:
            self.promised = True

    def settle(self) -> None:
        """Nothing is under way any more: nothing that was promised may be missing."""
        self._close_group(full=False)
        assert not self.owed, f"changes of {sorted(self.owed)} were never told of"

    def _changed(self, command: str, changes: tuple[Change, ...]) -> None:
        if not command.startswith((f"{self.target}.", "sanitize")) or not changes or not self.logging:
            return
        self.untold[command] = self._expected(changes)
        if self.promised:
            self.owed.add(command)

    def _expected(self, changes: tuple[Change, ...]) -> list[tuple[int, int, int]]:
        entries: list[tuple[int, int, int]] = []
        for nsid, slba, blocks, _ in changes:
            if (
                self.habits.ranges == "merged"
                and entries
                and entries[-1][0] == nsid
                and sum(entries[-1][1:]) == slba
            ):
                entries[-1] = (nsid, entries[-1][1], entries[-1][2] + blocks)
            else:
                entries.append((nsid, slba, blocks))
        return entries

    def _entry(self, slot: int, raw: bytes) -> None:
        entry = unpack_mqe(raw)
        assert not self.over, "an entry behind the last one"
        assert slot == self.tail % self.slots
        assert entry.phase == 1 - (self.tail // self.slots & 1)
        assert self.tail - self.head < self.slots - 1, "an entry in a full queue"
        self.tail += 1
        self.entries.append(entry.esa)
        if self.tail - self.head == self.slots - 1:
            assert entry.esa == FULL
        elif entry.blocks or entry.change == ALL_LBS:
            assert entry.esa == (FIRST if self.first_due else 0)
        else:
            assert entry.esa in (FIRST, STOPPED, SUSPENDED)
            assert entry.esa != FIRST or self.first_due
            assert entry.esa != SUSPENDED or self.suspended
            if entry.esa != FIRST:
                assert not self.owed, f"a last marker before the changes of {sorted(self.owed)}"
            self.over = entry.esa == STOPPED
        self.first_due = False
        blocks = entry.blocks
        if entry.change == ALL_LBS:
            assert entry.esa, "all LBs in an ordinary entry"
            assert self.habits.whole_namespace == "all LBs"
            blocks = self.namespace.blocks
        if blocks:
            self.group.append((entry.nsid, entry.slba, blocks))
            if entry.deallocated:
                lbas = set(range(entry.slba, entry.slba + blocks))
                assert not self.namespace.allocated & lbas, "DLBA, but it is not deallocated"

    def _close_group(self, *, full: bool) -> None:
        """The entries of one step are all of one command, unless the queue was full amid them.

        With freedom 21 the last may go on with the ranges of other commands.
        """
        group, self.group = self.group, []
        if not group:
            return
        told = next(
            (
                [name]
                for name, ranges in self.untold.items()
                if (ranges[: len(group)] if full else ranges) == group
            ),
            None,
        )
        if told is None and self.habits.aggregation == "several commands":
            told = self._several(group, [])
        assert told, f"entries about {group} before their effect, or twice, or only some of a command"
        for name in told:
            del self.untold[name]
            self.owed.discard(name)

    def _several(self, group: list[tuple[int, int, int]], used: list[str]) -> list[str] | None:
        """Commands of which the ranges, one behind the other, make up the group; all but the first have one each."""
        (nsid, slba, blocks) = group[-1]
        for name, ranges in self.untold.items():
            last = ranges[-1]
            if name in used or ranges[:-1] != group[:-1] or last[:2] != (nsid, slba) or last[2] > blocks:
                continue
            if last[2] == blocks:
                return [*used, name]
            rest = self._several([(nsid, slba + last[2], blocks - last[2])], [*used, name])
            if rest is not None:
                return rest
        return None
