"""The log page LBA Status Information (0Eh): which LBAs are known to be unreadable, of all that a controller has.

Of damage that nobody has met it knows nothing; that takes a scan (Get LBA Status 10h).
Source: NVM Command Set 1.2, sections 4.1.4.5 and 5.2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.nvme.log_pages import pack_lba_status_information

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace

Ranges = Mapping[int, list[tuple[int, int]]]
"""NSID -> unreadable ranges ``(slba, blocks)``; a namespace without any is not in it."""


class LbaStatusLog:
    """The page of one controller, and what its host has read of it."""

    __slots__ = ("_controller", "_generation", "_key", "_read")

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._key: Key = ("lba status log", controller.name)
        self._generation = 0
        self._read: frozenset[tuple[int, int]] = frozenset()

    def reading(self) -> Touches:
        """The cells that reading the page touches: it also notes what was read."""
        reads: tuple[Key, ...] = ()
        for namespace in self._namespaces():
            reads += namespace.asking_unreadable(0, namespace.blocks, notices=False)[0]
        return reads, (self._key,)

    def page(self) -> bytes:
        """The page as it is now; LSGC is new when there are LBAs that the host has not read of before."""
        ranges = self._ranges()
        fresh = not _lbas(ranges) <= self._read
        return pack_lba_status_information(ranges, self._generation + fresh & 0xFFFF)

    def was_read(self) -> None:
        """The host has the page as it is now."""
        if self._controller.engine.recorder is not None:
            self._controller.engine.recorder.writes.add(self._key)
        lbas = _lbas(self._ranges())
        self._generation = self._generation + (not lbas <= self._read) & 0xFFFF
        self._read = lbas

    def _namespaces(self) -> list[Namespace]:
        namespaces = self._controller.subsystem.namespaces
        return [namespaces[nsid] for nsid in sorted(namespaces) if self._has(namespaces[nsid])]

    def _has(self, namespace: Namespace) -> bool:
        return self._controller.cntlid in namespace.attached

    def _ranges(self) -> Ranges:
        found = {
            each.nsid: each.unreadable_ranges(0, each.blocks, each.blocks, scan=False, keep=False)
            for each in self._namespaces()
        }
        return {
            nsid: [(slba, blocks) for slba, blocks, _ in ranges] for nsid, ranges in found.items() if ranges
        }


def _lbas(ranges: Ranges) -> frozenset[tuple[int, int]]:
    """Each unreadable LBA with its NSID."""
    return frozenset(
        (nsid, lba)
        for nsid, each in ranges.items()
        for slba, blocks in each
        for lba in range(slba, slba + blocks)
    )
