"""Who takes part in a run, as the lab introduces them: the guest looked at, its neighbours, both SSDs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nvmelm_lab.errors import InputError


@dataclass(frozen=True, slots=True)
class Roles:
    """The parts of a run.

    guest, nsid
        The guest that is looked at, and which of its namespaces.
    blocks, held
        LBAs of that namespace, and the stamps that it holds from LBA 0 on at the start.
    here, there
        The guest's controllers (MC) at the source and at the destination.
    mmc_here, mmc_there, ssd_here, ssd_there
        The primary controllers, and the SSDs' names.
    neighbours
        The other guests, each with the names of its controllers.
    names
        MMC -> CNTLID -> name, of the guests' controllers.
    """

    guest: str
    nsid: int
    blocks: int
    block_bytes: int
    held: tuple[int, ...]
    here: str
    there: str
    mmc_here: str
    mmc_there: str
    ssd_here: str
    ssd_there: str
    neighbours: Mapping[str, frozenset[str]]
    names: Mapping[str, Mapping[int, str]]

    def is_at_destination(self, door: str) -> bool:
        """Whether the door that a VM is plugged into, a controller or a shim before it, is the destination's."""
        return door.removeprefix("shim ") == self.there

    def is_guest(self, actor: str) -> bool:
        """Whether the actor is a program of the guest that is looked at."""
        return _owner(actor, (self.guest, *self.neighbours)) == self.guest

    def is_aside(self, actor: str) -> bool:
        """Whether the actor is a neighbour, one of its controllers, or a command in one of those."""
        if any(actor.split(".", 1)[0] in controllers for controllers in self.neighbours.values()):
            return True
        return _owner(actor, (self.guest, *self.neighbours)) in self.neighbours


@lru_cache(maxsize=256)
def _owner(actor: str, guests: tuple[str, ...]) -> str:
    """The guest whose program an actor is, by its name; "" for none."""
    return max((guest for guest in guests if f"{actor} ".startswith(f"{guest} ")), key=len, default="")


def roles_of(introduction: Iterable[tuple[Any, ...]], guest: str, nsid: int | None = None) -> Roles:
    """The parts of the run, seen from `guest` and its namespace `nsid` (its first if None).

    `introduction` is what a lab says of itself, and may have other effects among it.
    Raises InputError when it does not introduce a lab, or not this guest or namespace.
    """
    told = tuple(introduction)
    lab = next((effect for effect in told if effect[0] == "lab"), None)
    disks = [effect for effect in told if effect[0] == "disk"]
    if lab is None or not disks:
        raise InputError("this trace does not say who takes part in it: record it with Lab.begin(trace=...)")
    known: dict[str, tuple[Any, ...]] = {}
    for disk in disks:
        known.setdefault(disk[1], disk)
    if guest not in known:
        raise InputError(f"there is no guest {guest!r} in this trace; there are: {', '.join(known)}")
    own = {disk[4]: disk for disk in disks if disk[1] == guest}
    if nsid is not None and nsid not in own:
        raise InputError(f"{guest} has no namespace {nsid} in this trace; it has: {', '.join(map(str, own))}")
    _, block_bytes, ssd_here, mmc_here, ssd_there, mmc_there = lab
    _, _, (here, _), (there, _), number, blocks, held = own[min(own) if nsid is None else nsid]
    return Roles(
        guest=guest,
        nsid=number,
        blocks=blocks,
        block_bytes=block_bytes,
        held=tuple(held),
        here=here,
        there=there,
        mmc_here=mmc_here,
        mmc_there=mmc_there,
        ssd_here=ssd_here,
        ssd_there=ssd_there,
        neighbours={
            name: frozenset((disk[2][0], disk[3][0])) for name, disk in known.items() if name != guest
        },
        names={
            mmc_here: {disk[2][1]: disk[2][0] for disk in disks},
            mmc_there: {disk[3][1]: disk[3][0] for disk in disks},
        },
    )
