"""Log pages: what Get Log Page returns.  Layouts of the pages alone; who supports what is the controller's
business.
"""

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct

from nvmelm_lab.nvme.bits import Bits
from nvmelm_lab.nvme.codes import LbaStatusAction

# What Commands Supported and Effects says of a command, as far as the kit uses it.  Base 2.1, Figure 210.
EFFECTS_CSUPP = Bits(0, 0)  # the controller supports the command
EFFECTS_LBCC = Bits(1, 1)  # it may change user data
EFFECTS_NIC = Bits(3, 3)  # it may change which namespaces there are

# What Feature Identifiers Supported and Effects says of a feature, as far as the kit uses it.  Base 2.1, Figure 262.
FEATURES_FSUPP = Bits(0, 0)  # the feature is supported
FEATURES_CSCPE = Bits(21, 21)  # its scope is the controller
FEATURES_CDQSCP = Bits(26, 26)  # its scope is one Controller Data Queue

# What the Supported Log Pages page says of one page.  Base 2.1, 5.1.12.1.1.
LID_LSUPP = Bits(0, 0)  # the page is supported

_STATUS_HEADER = Struct("<III2xH")
_STATUS_ELEMENT = Struct("<IIB7x")
_STATUS_RANGE = Struct("<QI4x")

_OPCODES = 256
_DWORDS = Struct(f"<{_OPCODES}I")

_FIRMWARE_SLOTS = Struct("<B7x8s496x")

COMMAND_EFFECTS_BYTES = 4096


def pack_command_effects(admin: Mapping[int, int], io: Mapping[int, int]) -> bytes:
    """Commands Supported and Effects (LID 05h), 4096 bytes: a dword (`EFFECTS_*`) for each admin opcode, then for
    each I/O opcode; opcodes that are not given are not supported.
    """
    return (_packed(admin) + _packed(io)).ljust(COMMAND_EFFECTS_BYTES, b"\0")


def unpack_command_effects(data: bytes | bytearray | memoryview) -> tuple[dict[int, int], dict[int, int]]:
    """The dwords of the admin and of the I/O opcodes that a page (4096 bytes) says are supported."""
    return _unpacked(data[: _DWORDS.size]), _unpacked(data[_DWORDS.size : 2 * _DWORDS.size])


def pack_feature_effects(features: Mapping[int, int]) -> bytes:
    """Feature Identifiers Supported and Effects (LID 12h), 1024 bytes: a dword (`FEATURES_*`) for each feature."""
    return _packed(features)


def pack_firmware_slots(revision: str) -> bytes:
    """Firmware Slot Information (LID 03h), 512 bytes: slot 1 holds `revision`, which is active; there is no other."""
    return _FIRMWARE_SLOTS.pack(1, revision.encode("ascii").ljust(8))


def pack_supported_log_pages(lids: Iterable[int]) -> bytes:
    """Supported Log Pages (LID 00h), 1024 bytes: a dword (`LID_*`) for each log page identifier."""
    return _packed({lid: LID_LSUPP.put(1) for lid in lids})


def pack_lba_status_information(
    unreadable: Mapping[int, Sequence[tuple[int, int]]], generation: int
) -> bytes:
    """LBA Status Information (LID 0Eh): NSID -> unreadable ranges, each an SLBA and a plain count of LBAs, to be
    asked about by Get LBA Status 11h; `generation` is LSGC.  NVM Command Set 1.2, Figures 109 to 111.
    """
    elements = b"".join(
        _STATUS_ELEMENT.pack(nsid, len(ranges), LbaStatusAction.TRACKED)
        + b"".join(_STATUS_RANGE.pack(slba, blocks - 1) for slba, blocks in ranges)
        for nsid, ranges in unreadable.items()
    )
    estimate = sum(blocks for ranges in unreadable.values() for _, blocks in ranges)
    length = _STATUS_HEADER.size + len(elements)
    return _STATUS_HEADER.pack(length, len(unreadable), estimate, generation) + elements


def unpack_lba_status_information(
    data: bytes | bytearray | memoryview,
) -> tuple[dict[int, list[tuple[int, int]]], int]:
    """The ranges by NSID and the generation of a page; what lies behind its length is ignored."""
    _, elements, _, generation = _STATUS_HEADER.unpack_from(data)
    at, found = _STATUS_HEADER.size, {}
    for _ in range(elements):
        nsid, count, _ = _STATUS_ELEMENT.unpack_from(data, at)
        at += _STATUS_ELEMENT.size
        end = at + count * _STATUS_RANGE.size
        found[nsid] = [(slba, nlb + 1) for slba, nlb in _STATUS_RANGE.iter_unpack(data[at:end])]
        at = end
    return found, generation


def _packed(dwords: Mapping[int, int]) -> bytes:
    return _DWORDS.pack(*(dwords.get(number, 0) for number in range(_OPCODES)))


def _unpacked(data: bytes | bytearray | memoryview) -> dict[int, int]:
    return {number: dword for number, dword in enumerate(_DWORDS.unpack(data)) if dword}
