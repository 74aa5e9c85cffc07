"""How the layout of a command is written down: the part that all SQEs share, and dwords by number.

Source of the shared part: Base 2.1, 4.1.1, Figures 91 and 92.
"""

from collections.abc import Mapping

from nvmelm_lab.nvme.codes import Code
from nvmelm_lab.nvme.fields import RESERVED, Field, Layout, bits, layout, reserved, whole_bytes

_SHARED = "Base 2.1, 4.1.1"

NO_DATA = "not used: the command moves no data"
PRP1_OF_DATA = "address of the data buffer in host memory"
PRP2_OF_DATA = "0, the buffer's second page, or a PRP List of all pages after the first"


def shared(
    opcodes: Mapping[int, str],
    nsid: str = "namespace that the command is about; 0 where it is about none",
    prp1: str = PRP1_OF_DATA,
    prp2: str = PRP2_OF_DATA,
) -> tuple[Field, ...]:
    """The first 40 bytes of a command's layout."""
    fuse = {0: "not fused", 1: "first of a fused pair", 2: "second of a fused pair"}
    psdt = {0: "PRPs", 1: "SGLs, metadata in one buffer", 2: "SGLs, metadata in an SGL"}
    return (
        bits(0, 1, 7, 0, "OPC", "opcode; bits 1:0 tell the data direction", opcodes, hexadecimal=True),
        bits(1, 1, 1, 0, "FUSE", "whether the command is half of a fused pair", fuse),
        bits(1, 1, 5, 2, RESERVED, "kept for later: 0", hexadecimal=True),
        bits(1, 1, 7, 6, "PSDT", "how the data buffer is described", psdt),
        whole_bytes(2, 3, "CID", "the host's number for this command, unique on its queue while in flight"),
        whole_bytes(4, 7, "NSID", nsid),
        whole_bytes(8, 15, "CDW2-3", "protection tags; 0, as the kit uses none", hexadecimal=True),
        whole_bytes(16, 23, "MPTR", "metadata buffer; 0, as the kit has no metadata", hexadecimal=True),
        whole_bytes(24, 31, "PRP1", prp1, hexadecimal=True),
        whole_bytes(32, 39, "PRP2", prp2, hexadecimal=True),
    )


def command(
    name: str,
    source: str,
    opcode: Code,
    *fields: Field,
    nsid: str = "not used: 0",
    prp1: str = NO_DATA,
    prp2: str = NO_DATA,
) -> Layout:
    """The layout `name` of the command `opcode`: the shared part, then `fields` for CDW10 to CDW15."""
    head = shared({opcode.value: opcode.meaning}, nsid, prp1, prp2)
    sourced = layout("", 40, _SHARED, *head).fields
    return layout(name, 64, source, *sourced, *fields)


def dword(
    number: int,
    high: int,
    low: int,
    name: str,
    meaning: str,
    values: Mapping[int, str] | None = None,
    unit: str = "",
    zero_based: bool = False,
    hexadecimal: bool = False,
) -> Field:
    """The field of bits `high:low` in command dword `number`."""
    return bits(4 * number, 4, high, low, name, meaning, values, unit, zero_based, hexadecimal)


def keep(number: int, high: int, low: int) -> Field:
    """The reserved bits `high:low` in command dword `number`."""
    return dword(number, high, low, RESERVED, "kept for later: 0", hexadecimal=True)


def unused(first: int, last: int = 15) -> Field:
    """The reserved command dwords `first` to `last`, both included."""
    return reserved(4 * first, 4 * last + 3)
