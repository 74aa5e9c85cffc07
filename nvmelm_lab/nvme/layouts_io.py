"""The I/O commands of the NVM command set, bit by bit."""

from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.nvme.fields import Field, bits
from nvmelm_lab.nvme.sqe_fields import PRP1_OF_DATA, PRP2_OF_DATA, command, dword, keep, unused

_ACCESSED = "namespace that is accessed"
_SLBA = bits(40, 8, 63, 0, "SLBA", "first LBA")
_NLB = dword(12, 15, 0, "NLB", "number of LBAs", unit="blocks", zero_based=True)
_CETYPE = dword(12, 19, 16, "CETYPE", "command extension; 0 for none")
_STC = dword(12, 24, 24, "STC", "1: check the storage tag")
_PRINFO = dword(12, 29, 26, "PRINFO", "what to do with protection information; 0 as the kit has none")
_FUA = dword(12, 30, 30, "FUA", "1: not done before the data is on non-volatile media")
_LR = dword(12, 31, 31, "LR", "1: give up early on errors")
_DTYPE = dword(12, 23, 20, "DTYPE", "directive; 0 for none")
_DSPEC = dword(13, 31, 16, "DSPEC", "parameter of the directive")
_DSM = dword(13, 7, 0, "DSM", "hints on how the LBAs will be used", hexadecimal=True)

_TAGS: tuple[Field, ...] = (
    dword(14, 31, 0, "CDW14", "tags for end-to-end protection; 0, as the kit uses none", hexadecimal=True),
    dword(15, 15, 0, "LBAT", "application tag; 0, as the kit uses none"),
    dword(15, 31, 16, "LBATM", "mask of the application tag"),
)
_READING = (_NLB, _CETYPE, keep(12, 23, 20), _STC, keep(12, 25, 25), _PRINFO, _FUA, _LR)

FLUSH = command("SQE Flush", "Base 2.1, 7.2", IoOpcode.FLUSH, unused(10), nsid="namespace to flush")

WRITE = command(
    "SQE Write",
    "NVM Command Set 1.2, 3.3.6",
    IoOpcode.WRITE,
    _SLBA,
    _NLB,
    _CETYPE,
    _DTYPE,
    _STC,
    keep(12, 25, 25),
    _PRINFO,
    _FUA,
    _LR,
    _DSM,
    keep(13, 15, 8),
    _DSPEC,
    *_TAGS,
    nsid=_ACCESSED,
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)

READ = command(
    "SQE Read",
    "NVM Command Set 1.2, 3.3.4",
    IoOpcode.READ,
    _SLBA,
    *_READING,
    _DSM,
    keep(13, 31, 8),
    *_TAGS,
    nsid=_ACCESSED,
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)

WRITE_UNCORRECTABLE = command(
    "SQE Write Uncorrectable",
    "NVM Command Set 1.2, 3.3.7",
    IoOpcode.WRITE_UNCORRECTABLE,
    _SLBA,
    _NLB,
    keep(12, 19, 16),
    _DTYPE,
    keep(12, 31, 24),
    keep(13, 15, 0),
    _DSPEC,
    unused(14),
    nsid=_ACCESSED,
)

COMPARE = command(
    "SQE Compare",
    "NVM Command Set 1.2, 3.3.1",
    IoOpcode.COMPARE,
    _SLBA,
    *_READING,
    dword(13, 15, 0, "CEV", "value of the command extension"),
    keep(13, 31, 16),
    *_TAGS,
    nsid=_ACCESSED,
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)

WRITE_ZEROES = command(
    "SQE Write Zeroes",
    "NVM Command Set 1.2, 3.3.8",
    IoOpcode.WRITE_ZEROES,
    _SLBA,
    _NLB,
    _CETYPE,
    dword(12, 22, 20, "DTYPE", "directive; 0 for none"),
    dword(12, 23, 23, "NSZ", "1, with DEAC: the whole namespace"),
    _STC,
    dword(12, 25, 25, "DEAC", "1: deallocate the LBAs if that makes them read as zeroes"),
    _PRINFO,
    _FUA,
    _LR,
    keep(13, 15, 0),
    _DSPEC,
    *_TAGS,
    nsid=_ACCESSED,
)

DATASET_MANAGEMENT = command(
    "SQE Dataset Management",
    "NVM Command Set 1.2, 3.3.3",
    IoOpcode.DATASET_MANAGEMENT,
    dword(10, 7, 0, "NR", "number of ranges in the data buffer", unit="ranges", zero_based=True),
    keep(10, 31, 8),
    dword(11, 0, 0, "IDR", "1: expect the ranges to be read as a whole"),
    dword(11, 1, 1, "IDW", "1: expect the ranges to be written as a whole"),
    dword(11, 2, 2, "AD", "1: deallocate the ranges"),
    keep(11, 31, 3),
    unused(12),
    nsid=_ACCESSED,
    prp1="address of the ranges, 16 bytes each",
    prp2=PRP2_OF_DATA,
)

VERIFY = command(
    "SQE Verify",
    "NVM Command Set 1.2, 3.3.5",
    IoOpcode.VERIFY,
    _SLBA,
    *_READING,
    dword(13, 15, 0, "CEV", "value of the command extension"),
    keep(13, 31, 16),
    *_TAGS,
    nsid=_ACCESSED,
)

COPY = command(
    "SQE Copy",
    "NVM Command Set 1.2, 3.3.2",
    IoOpcode.COPY,
    bits(40, 8, 63, 0, "SDLBA", "first LBA to copy to"),
    dword(12, 7, 0, "NR", "number of source ranges in the data buffer", unit="ranges", zero_based=True),
    dword(12, 11, 8, "DESFMT", "format of the source ranges"),
    dword(12, 15, 12, "PRINFOR", "what to do with protection information when reading"),
    _CETYPE,
    _DTYPE,
    dword(12, 24, 24, "STCW", "1: check the storage tag when writing"),
    dword(12, 25, 25, "STCR", "1: check the storage tag when reading"),
    dword(12, 29, 26, "PRINFOW", "what to do with protection information when writing"),
    _FUA,
    _LR,
    dword(13, 15, 0, "CEV", "value of the command extension"),
    _DSPEC,
    *_TAGS,
    nsid="namespace to copy to",
    prp1="address of the source ranges",
    prp2=PRP2_OF_DATA,
)
