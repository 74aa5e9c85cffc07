"""What a guest asks of its SSD, before it becomes a command: one read, write, deallocation ... and its time.

Workloads and recordings produce operations, the guest turns each into an SQE.  Nothing here knows of queues.
"""

from enum import StrEnum
from typing import NamedTuple


class OperationKind(StrEnum):
    """The commands of the NVM command set that a guest of the kit issues."""

    READ = "read"
    WRITE = "write"
    TRIM = "trim"
    """Dataset Management with Attribute - Deallocate."""
    ZEROES = "zeroes"
    """Write Zeroes."""
    UNCORRECTABLE = "uncorrectable"
    """Write Uncorrectable."""
    FLUSH = "flush"


class Operation(NamedTuple):
    """One I/O that the guest wants (a tuple, because one is made for every I/O of a run)."""

    kind: OperationKind
    slba: int
    """First LBA; 0 for a flush."""
    blocks: int
    """Plain count of LBAs (an SQE's NLB is one less); 0 for a flush, otherwise at least 1."""
    at_ns: int
    """When the guest wants to issue it, in ns from the start of the workload; never issued before."""
    more: tuple[tuple[int, int], ...] = ()
    """Further ranges of a deallocation, each as first LBA and plain count; none of them overlap."""
