"""What Get LBA Status says of one sparse namespace at each granularity: the command is issued, the answer is kept.

The granularity (TLBAAG) is the SSD's: units of that many LBAs count as allocated or deallocated as a whole.  So one
lab is set up for each, with the same history of writes.  Source: NVM Command Set 1.2, sections 2.1.1 and 4.2.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.driver import Driver
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import LbaStatusAction, migration_commands, unpack_lba_status
from nvmelm_lab.nvme.lba_status import DESCRIPTOR_BYTES, HEADER_BYTES

GRANULARITIES: Final = (1, 2, 4, 8, 16, 32, 64, 128)
BLOCKS: Final = 256
MOST_BLOCKS: Final = 4096

Written = tuple[OperationKind, int, int]
"""What the guest did, with its first LBA and how many."""

_WRITE, _TRIM, _UNCORRECTABLE = OperationKind.WRITE, OperationKind.TRIM, OperationKind.UNCORRECTABLE

SPARSE: Final[tuple[Written, ...]] = (
    (_WRITE, 3, 6),
    (_WRITE, 20, 1),
    (_WRITE, 40, 24),
    (_TRIM, 48, 3),
    (_WRITE, 70, 1),
    (_WRITE, 73, 1),
    (_WRITE, 76, 1),
    (_UNCORRECTABLE, 98, 1),
    (_WRITE, 119, 19),
    (_UNCORRECTABLE, 130, 2),
    (_WRITE, 198, 5),
    (_WRITE, 252, 1),
)
"""A guest's history that leaves runs that begin and end anywhere, a hole, single LBAs and some that cannot be read."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The answer of an SSD with this granularity.

    ranges
        First LBA and count of each descriptor: what the first copy brings over.
    answer
        The LBA Status Descriptor List, as it was returned.
    """

    granularity: int
    ranges: tuple[tuple[int, int], ...]
    answer: bytes

    @property
    def copied(self) -> int:
        """LBAs that are brought over."""
        return sum(blocks for _, blocks in self.ranges)


@dataclass(frozen=True, slots=True)
class Surveys:
    """The same namespace of `blocks` LBAs before SSDs of each granularity, finest first.

    mapped, unreadable
        LBAs that are allocated, by the SSD whose granularity is one LBA; and those among them that cannot be read.
    """

    blocks: int
    block_bytes: int
    mapped: frozenset[int]
    unreadable: frozenset[int]
    surveys: tuple[Survey, ...]

    def at(self, granularity: int) -> Survey:
        """The one of that granularity.  InputError when there is none."""
        for survey in self.surveys:
            if survey.granularity == granularity:
                return survey
        known = ", ".join(str(survey.granularity) for survey in self.surveys)
        raise InputError(f"granularity cannot be {granularity!r} here; give one of {known}")

    def bits(self, survey: Survey) -> int:
        """Bits that the SSD needs to remember what is allocated: one a granule."""
        return -(-self.blocks // survey.granularity)

    def needless(self, survey: Survey) -> int:
        """LBAs that are brought over although they are deallocated."""
        return survey.copied - len(self.mapped)


@cache
def surveys(written: tuple[Written, ...] = SPARSE, blocks: int = BLOCKS) -> Surveys:
    """What SSDs of each granularity answer after the guest did what `written` says.

    InputError for a namespace or a history that cannot be.
    """
    if not isinstance(blocks, int) or not max(GRANULARITIES) <= blocks <= MOST_BLOCKS:
        raise InputError(f"blocks cannot be {blocks!r}; give {max(GRANULARITIES)} to {MOST_BLOCKS}")
    for kind, slba, count in written:
        if slba < 0 or count < 1 or slba + count > blocks:
            raise InputError(
                f"{kind} of {count} LBAs from {slba} on: the namespace has LBAs 0 to {blocks - 1}"
            )
    asked = [_ask(written, blocks, granularity) for granularity in GRANULARITIES]
    finest, unreadable, block_bytes = asked[0]
    return Surveys(
        blocks,
        block_bytes,
        frozenset(_lbas(finest.ranges)),
        frozenset(_lbas(unreadable)),
        tuple(survey for survey, _, _ in asked),
    )


def _lbas(ranges: Sequence[tuple[int, int]]) -> list[int]:
    return [lba for slba, blocks in ranges for lba in range(slba, slba + blocks)]


def _ask(
    written: Sequence[Written], blocks: int, granularity: int
) -> tuple[Survey, list[tuple[int, int]], int]:
    """What is allocated, what cannot be read, and the bytes of an LBA, of one lab."""
    spec = LabSpec(guests=(GuestSpec(blocks=(blocks,)),), granularity=granularity)
    lab = Lab(spec)
    lab.begin()
    lab.run_workload("guest", [Operation(*each, 0) for each in written])
    lab.engine.run()
    nsid = lab.guests["guest"].disks[0].nsid
    answers: list[bytes] = []
    lab.engine.run(lab.engine.spawn("VMM", _get_lba_status(lab.source_driver, nsid, blocks, answers)))
    allocated, unreadable = map(_ranges, answers)
    return Survey(granularity, tuple(allocated), answers[0]), unreadable, spec.block_bytes


async def _get_lba_status(driver: Driver, nsid: int, blocks: int, answers: list[bytes]) -> None:
    # A descriptor for every other LBA, at most.
    length = HEADER_BYTES + DESCRIPTOR_BYTES * (blocks // 2 + 1)
    buffer = driver.pages.buffer(-(-length // PAGE_BYTES) * PAGE_BYTES)
    for action in (LbaStatusAction.ALLOCATED, LbaStatusAction.SCAN):
        prp1, prp2 = buffer.prp(buffer.length)
        sqe = migration_commands.get_lba_status(0, nsid, 0, 0, buffer.length // 4, action, prp1, prp2)
        await driver.command("Get LBA Status", sqe)
        answer = driver.space.read(buffer.address, buffer.length)
        listed = len(unpack_lba_status(answer).descriptors)
        answers.append(answer[: HEADER_BYTES + DESCRIPTOR_BYTES * listed])


def _ranges(answer: bytes) -> list[tuple[int, int]]:
    listed = unpack_lba_status(answer)
    return [(slba, blocks) for slba, blocks, _ in listed.descriptors]
