"""The Identify pages that list things: namespaces, controllers, secondary controllers, and the formats in
which a controller's state can be moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.pages import PAGE_BYTES, Buffer, check_page, padded

MOST_NAMESPACES = 1024
MOST_CONTROLLERS = 2047
MOST_SECONDARY = 127
UUID_BYTES = 16

_NAMESPACES = Struct(f"<{MOST_NAMESPACES}I")
_SECONDARY = Struct("<HHB3xHHH18x")
_SECONDARY_HEADER = 32


@dataclass(frozen=True, slots=True)
class SecondaryController:
    """One secondary controller: its id, its primary's id, whether it is online, its virtual function, and
    how many queue and interrupt resources it has.  Base 2.1, 5.1.13, CNS 15h.
    """

    scid: int
    pcid: int
    online: bool
    vfn: int
    nvq: int
    nvi: int


@dataclass(frozen=True, slots=True)
class StateFormats:
    """In which formats a controller's state can be read and set.  Commands name one by its place in its
    list, counted from 1.  Base 2.1, 5.1.13, Figure 329.
    """

    versions: tuple[int, ...]
    uuids: tuple[bytes, ...] = ()


def pack_namespace_list(nsids: Sequence[int]) -> bytes:
    """A list of at most 1024 namespace ids, for CNS 02h and 10h.  InputError unless they are nonzero and
    in ascending order.
    """
    _check_ascending("namespace", nsids, MOST_NAMESPACES, 1, 0xFFFFFFFE)
    return padded(b"".join(nsid.to_bytes(4, "little") for nsid in nsids))


def unpack_namespace_list(data: Buffer) -> tuple[int, ...]:
    """The namespace ids of a list, which ends at the first 0.  InputError unless `data` is 4096 bytes."""
    check_page(data)
    nsids: tuple[int, ...] = _NAMESPACES.unpack(data)
    return nsids[: nsids.index(0)] if 0 in nsids else nsids


def pack_controller_list(cntlids: Sequence[int]) -> bytes:
    """A list of at most 2047 controller ids, for CNS 12h, 13h and Namespace Attachment.  InputError unless
    they are in ascending order.  Base 2.1, 4.6.1.
    """
    _check_ascending("controller", cntlids, MOST_CONTROLLERS, 0, 0xFFEF)
    return padded(b"".join(value.to_bytes(2, "little") for value in (len(cntlids), *cntlids)))


def unpack_controller_list(data: Buffer) -> tuple[int, ...]:
    """The controller ids of a list.  InputError when `data` is not 4096 bytes, or the list says that it has
    more ids than fit, or they are not in ascending order.
    """
    check_page(data)
    count = int.from_bytes(data[0:2], "little")
    if count > MOST_CONTROLLERS:
        raise InputError(f"controller list of {count} ids: must be at most {MOST_CONTROLLERS}")
    cntlids = tuple(int.from_bytes(data[at : at + 2], "little") for at in range(2, 2 + 2 * count, 2))
    _check_ascending("controller", cntlids, MOST_CONTROLLERS, 0, 0xFFFF)
    return cntlids


def pack_secondary_controllers(controllers: Sequence[SecondaryController]) -> bytes:
    """A Secondary Controller List of at most 127 entries, CNS 15h.  InputError unless in ascending order of
    SCID.
    """
    _check_ascending("secondary controller", [each.scid for each in controllers], MOST_SECONDARY, 0, 0xFFEF)
    entries = [
        _SECONDARY.pack(each.scid, each.pcid, each.online, each.vfn, each.nvq, each.nvi)
        for each in controllers
    ]
    return padded(bytes([len(entries)]).ljust(_SECONDARY_HEADER, b"\0") + b"".join(entries))


def unpack_secondary_controllers(data: Buffer) -> tuple[SecondaryController, ...]:
    """The entries of a Secondary Controller List.  InputError when `data` is not 4096 bytes or says that it
    has more entries than fit.
    """
    check_page(data)
    count = data[0]
    if count > MOST_SECONDARY:
        raise InputError(f"secondary controller list of {count} entries: must be at most {MOST_SECONDARY}")
    end = _SECONDARY_HEADER + count * _SECONDARY.size
    return tuple(
        SecondaryController(scid, pcid, bool(state & 1), vfn, nvq, nvi)
        for scid, pcid, state, vfn, nvq, nvi in _SECONDARY.iter_unpack(data[_SECONDARY_HEADER:end])
    )


def pack_state_formats(formats: StateFormats) -> bytes:
    """Supported Controller State Formats, CNS 20h.  InputError when a list is too long for its count, a
    version does not fit 16 bits, or a UUID is not 16 bytes.
    """
    for name, given in (("versions", formats.versions), ("UUIDs", formats.uuids)):
        if len(given) > 255:
            raise InputError(f"{len(given)} {name} of controller state: must be at most 255")
    for version in formats.versions:
        if not 0 <= version <= 0xFFFF:
            raise InputError(f"version {version} of controller state: must be 0 to 65535")
    for uuid in formats.uuids:
        if len(uuid) != UUID_BYTES:
            raise InputError(f"UUID {uuid.hex()} of controller state: must be {UUID_BYTES} bytes")
    counts = bytes([len(formats.versions), len(formats.uuids)])
    versions = b"".join(version.to_bytes(2, "little") for version in formats.versions)
    listed = counts + versions + b"".join(formats.uuids)
    if len(listed) > PAGE_BYTES:
        raise InputError(f"formats of controller state of {len(listed)} bytes: must be at most {PAGE_BYTES}")
    return padded(listed)


def unpack_state_formats(data: Buffer) -> StateFormats:
    """The formats that a page of CNS 20h lists.  InputError unless `data` is 4096 bytes, or when its lists
    do not fit into them.
    """
    check_page(data)
    versions_end = 2 + 2 * data[0]
    end = versions_end + UUID_BYTES * data[1]
    if end > len(data):
        raise InputError(f"{data[0]} versions and {data[1]} UUIDs of controller state: need {end} bytes")
    return StateFormats(
        tuple(int.from_bytes(data[at : at + 2], "little") for at in range(2, versions_end, 2)),
        tuple(bytes(data[at : at + UUID_BYTES]) for at in range(versions_end, end, UUID_BYTES)),
    )


def _check_ascending(what: str, ids: Sequence[int], most: int, first: int, last: int) -> None:
    if len(ids) > most:
        raise InputError(f"list of {len(ids)} {what} ids: must be at most {most}")
    for before, after in zip((first - 1, *ids), ids, strict=False):
        if not before < after <= last:
            raise InputError(
                f"{what} id {after} after {before}: ids must ascend and lie between {first} and {last}"
            )
