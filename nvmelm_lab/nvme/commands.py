"""Builders of the usual commands, admin and I/O: plain arguments in, the 64 bytes of an SQE out.

Counts are plain counts (blocks, entries, ranges); the builders turn them into the 0's based numbers of
the standard.  A value that does not fit its bits raises InputError with its name and the allowed range;
a value that fits but that a controller must refuse can be sent, to see it refused.
"""

from nvmelm_lab.nvme import layouts_admin, layouts_io
from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    Cns,
    Feature,
    IoOpcode,
    LogPage,
    ResourceType,
    SanitizeAction,
    VirtualizationAction,
)
from nvmelm_lab.nvme.fields import one_less

MOST_BLOCKS = 1 << 16
"""Most LBAs of one Read, Write, Write Zeroes or Write Uncorrectable: NLB has 16 bits."""

MOST_RANGES = 256
"""Most ranges of one Dataset Management or Copy command: NR has 8 bits."""


def flush(cid: int, nsid: int) -> bytes:
    """Make what was written survive a loss of power."""
    return layouts_io.FLUSH.pack({"OPC": IoOpcode.FLUSH, "CID": cid, "NSID": nsid})


def read(cid: int, nsid: int, slba: int, blocks: int, prp1: int, prp2: int = 0) -> bytes:
    """Read `blocks` LBAs from `slba` on into the buffer that the PRPs describe."""
    data = {"PRP1": prp1, "PRP2": prp2}
    return layouts_io.READ.pack(_on_range(IoOpcode.READ, cid, nsid, slba, blocks) | data)


def write(cid: int, nsid: int, slba: int, blocks: int, prp1: int, prp2: int = 0, fua: bool = False) -> bytes:
    """Write `blocks` LBAs from `slba` on from the buffer that the PRPs describe.  `fua`: complete only
    when the data is on non-volatile media.
    """
    more = {"PRP1": prp1, "PRP2": prp2, "FUA": fua}
    return layouts_io.WRITE.pack(_on_range(IoOpcode.WRITE, cid, nsid, slba, blocks) | more)


def compare(cid: int, nsid: int, slba: int, blocks: int, prp1: int, prp2: int = 0) -> bytes:
    """Succeed if `blocks` LBAs from `slba` on hold what is in the buffer that the PRPs describe."""
    data = {"PRP1": prp1, "PRP2": prp2}
    return layouts_io.COMPARE.pack(_on_range(IoOpcode.COMPARE, cid, nsid, slba, blocks) | data)


def verify(cid: int, nsid: int, slba: int, blocks: int) -> bytes:
    """Succeed if `blocks` LBAs from `slba` on can be read; no data move."""
    return layouts_io.VERIFY.pack(_on_range(IoOpcode.VERIFY, cid, nsid, slba, blocks))


def copy(cid: int, nsid: int, slba: int, ranges: int, prp1: int, prp2: int = 0) -> bytes:
    """Copy `ranges` ranges, listed in the buffer (see `pack_copy_ranges`), one behind the other to `slba`."""
    return layouts_io.COPY.pack(
        {
            "OPC": IoOpcode.COPY,
            "CID": cid,
            "NSID": nsid,
            "PRP1": prp1,
            "PRP2": prp2,
            "SDLBA": slba,
            "NR": one_less("ranges", ranges, MOST_RANGES),
        }
    )


def write_zeroes(cid: int, nsid: int, slba: int, blocks: int, deallocate: bool = False) -> bytes:
    """Make `blocks` LBAs from `slba` on read as zeroes, by deallocating them if asked to."""
    values = _on_range(IoOpcode.WRITE_ZEROES, cid, nsid, slba, blocks)
    return layouts_io.WRITE_ZEROES.pack(values | {"DEAC": deallocate})


def zero_namespace(cid: int, nsid: int) -> bytes:
    """Make a whole namespace read as zeroes by deallocating it: Write Zeroes with NSZ and DEAC."""
    values = {"OPC": IoOpcode.WRITE_ZEROES, "CID": cid, "NSID": nsid, "DEAC": 1, "NSZ": 1}
    return layouts_io.WRITE_ZEROES.pack(values)


def write_uncorrectable(cid: int, nsid: int, slba: int, blocks: int) -> bytes:
    """Make `blocks` LBAs from `slba` on unreadable until they are written again."""
    values = _on_range(IoOpcode.WRITE_UNCORRECTABLE, cid, nsid, slba, blocks)
    return layouts_io.WRITE_UNCORRECTABLE.pack(values)


def dataset_management(
    cid: int, nsid: int, ranges: int, prp1: int, prp2: int = 0, deallocate: bool = True
) -> bytes:
    """Say something about `ranges` ranges, listed in the buffer (see `pack_ranges`): deallocate them."""
    return layouts_io.DATASET_MANAGEMENT.pack(
        {
            "OPC": IoOpcode.DATASET_MANAGEMENT,
            "CID": cid,
            "NSID": nsid,
            "PRP1": prp1,
            "PRP2": prp2,
            "NR": one_less("ranges", ranges, MOST_RANGES),
            "AD": deallocate,
        }
    )


def _on_range(opcode: IoOpcode, cid: int, nsid: int, slba: int, blocks: int) -> dict[str, int]:
    nlb = one_less("blocks", blocks, MOST_BLOCKS)
    return {"OPC": opcode, "CID": cid, "NSID": nsid, "SLBA": slba, "NLB": nlb}


def create_io_cq(
    cid: int,
    prp1: int,
    qid: int,
    entries: int,
    vector: int = 0,
    interrupts: bool = True,
    contiguous: bool = True,
) -> bytes:
    """Create completion queue `qid` with `entries` entries at `prp1`."""
    return layouts_admin.CREATE_IO_CQ.pack(
        {
            "OPC": AdminOpcode.CREATE_IO_CQ,
            "CID": cid,
            "PRP1": prp1,
            "QID": qid,
            "QSIZE": one_less("entries", entries, 1 << 16),
            "PC": contiguous,
            "IEN": interrupts,
            "IV": vector,
        }
    )


def create_io_sq(
    cid: int,
    prp1: int,
    qid: int,
    entries: int,
    cqid: int,
    priority: int = 0,
    contiguous: bool = True,
) -> bytes:
    """Create submission queue `qid` with `entries` entries at `prp1`, completing to `cqid`."""
    return layouts_admin.CREATE_IO_SQ.pack(
        {
            "OPC": AdminOpcode.CREATE_IO_SQ,
            "CID": cid,
            "PRP1": prp1,
            "QID": qid,
            "QSIZE": one_less("entries", entries, 1 << 16),
            "PC": contiguous,
            "QPRIO": priority,
            "CQID": cqid,
        }
    )


def delete_io_sq(cid: int, qid: int) -> bytes:
    """Delete submission queue `qid`; its commands in flight end first."""
    return layouts_admin.DELETE_IO_SQ.pack({"OPC": AdminOpcode.DELETE_IO_SQ, "CID": cid, "QID": qid})


def delete_io_cq(cid: int, qid: int) -> bytes:
    """Delete completion queue `qid`; its submission queues must be gone."""
    return layouts_admin.DELETE_IO_CQ.pack({"OPC": AdminOpcode.DELETE_IO_CQ, "CID": cid, "QID": qid})


def identify(cid: int, cns: Cns, prp1: int, prp2: int = 0, nsid: int = 0, cntid: int = 0) -> bytes:
    """Return the 4096-byte page `cns`.  `nsid`: its namespace, or the id that a list starts after;
    `cntid`: the first controller that a list may name.
    """
    return layouts_admin.IDENTIFY.pack(
        {
            "OPC": AdminOpcode.IDENTIFY,
            "CID": cid,
            "NSID": nsid,
            "PRP1": prp1,
            "PRP2": prp2,
            "CNS": cns,
            "CNTID": cntid,
        }
    )


def get_log_page(
    cid: int, page: LogPage, dwords: int, prp1: int, prp2: int = 0, offset: int = 0, nsid: int = 0
) -> bytes:
    """Return `dwords` dwords of the log page `page`, from the byte `offset` on."""
    numd = one_less("dwords", dwords, 1 << 32)
    return layouts_admin.GET_LOG_PAGE.pack(
        {
            "OPC": AdminOpcode.GET_LOG_PAGE,
            "CID": cid,
            "NSID": nsid,
            "PRP1": prp1,
            "PRP2": prp2,
            "LID": page,
            "NUMDL": numd & 0xFFFF,
            "NUMDU": numd >> 16,
            "LPOL": offset & 0xFFFFFFFF,
            "LPOU": offset >> 32,
        }
    )


def abort(cid: int, sqid: int, target_cid: int) -> bytes:
    """Ask to abort the command `target_cid` of submission queue `sqid`; the controller may decline."""
    values = {"OPC": AdminOpcode.ABORT, "CID": cid, "SQID": sqid, "CDW10.CID": target_cid}
    return layouts_admin.ABORT.pack(values)


def async_event_request(cid: int) -> bytes:
    """Complete when there is an event to report."""
    return layouts_admin.ASYNC_EVENT_REQUEST.pack({"OPC": AdminOpcode.ASYNC_EVENT_REQUEST, "CID": cid})


def set_arbitration(cid: int, power: int) -> bytes:
    """Let up to 2^`power` commands be taken from a queue at a time; 7: as many as there are."""
    values = {"OPC": AdminOpcode.SET_FEATURES, "CID": cid, "FID": Feature.ARBITRATION, "AB": power}
    return layouts_admin.SET_ARBITRATION.pack(values)


def set_number_of_queues(cid: int, submission: int, completion: int) -> bytes:
    """Ask for that many I/O queues; the completion says how many there are."""
    return layouts_admin.SET_QUEUES.pack(
        {
            "OPC": AdminOpcode.SET_FEATURES,
            "CID": cid,
            "FID": Feature.NUMBER_OF_QUEUES,
            "NSQR": one_less("submission", submission, 1 << 16),
            "NCQR": one_less("completion", completion, 1 << 16),
        }
    )


def get_number_of_queues(cid: int) -> bytes:
    """Ask how many I/O queues there are."""
    values = {"OPC": AdminOpcode.GET_FEATURES, "CID": cid, "FID": Feature.NUMBER_OF_QUEUES}
    return layouts_admin.GET_QUEUES.pack(values)


def namespace_create(cid: int, prp1: int, prp2: int = 0) -> bytes:
    """Create the namespace that the buffer describes (an Identify Namespace page); its id comes in DW0."""
    values = {"OPC": AdminOpcode.NAMESPACE_MANAGEMENT, "CID": cid, "PRP1": prp1, "PRP2": prp2, "SEL": 0}
    return layouts_admin.NAMESPACE_MANAGEMENT.pack(values)


def namespace_delete(cid: int, nsid: int) -> bytes:
    """Delete namespace `nsid`."""
    values = {"OPC": AdminOpcode.NAMESPACE_MANAGEMENT, "CID": cid, "NSID": nsid, "SEL": 1}
    return layouts_admin.NAMESPACE_MANAGEMENT.pack(values)


def namespace_attach(cid: int, nsid: int, prp1: int, prp2: int = 0) -> bytes:
    """Attach namespace `nsid` to the controllers that the buffer lists (see `pack_controller_list`)."""
    return _attachment(cid, nsid, prp1, prp2, 0)


def namespace_detach(cid: int, nsid: int, prp1: int, prp2: int = 0) -> bytes:
    """Detach namespace `nsid` from the controllers that the buffer lists."""
    return _attachment(cid, nsid, prp1, prp2, 1)


def _attachment(cid: int, nsid: int, prp1: int, prp2: int, select: int) -> bytes:
    return layouts_admin.NAMESPACE_ATTACHMENT.pack(
        {
            "OPC": AdminOpcode.NAMESPACE_ATTACHMENT,
            "CID": cid,
            "NSID": nsid,
            "PRP1": prp1,
            "PRP2": prp2,
            "SEL": select,
        }
    )


def virtualization(
    cid: int,
    cntlid: int,
    action: VirtualizationAction,
    resource: ResourceType = ResourceType.QUEUES,
    count: int = 0,
) -> bytes:
    """Take a secondary controller offline or online, or assign `count` resources to it."""
    return layouts_admin.VIRTUALIZATION.pack(
        {
            "OPC": AdminOpcode.VIRTUALIZATION_MANAGEMENT,
            "CID": cid,
            "CNTLID": cntlid,
            "ACT": action,
            "RT": resource,
            "NR": count,
        }
    )


def format_nvm(cid: int, nsid: int, secure_erase: int = 0) -> bytes:
    """Format namespace `nsid`, or with FFFFFFFFh all that are attached, and keep its LBA format.
    `secure_erase` (SES): 0 none, 1 of user data, 2 cryptographic.
    """
    values = {"OPC": AdminOpcode.FORMAT_NVM, "CID": cid, "NSID": nsid, "SES": secure_erase}
    return layouts_admin.FORMAT_NVM.pack(values)


def sanitize(cid: int, action: SanitizeAction) -> bytes:
    """Start a sanitize operation of the whole subsystem; it goes on after the completion."""
    return layouts_admin.SANITIZE.pack({"OPC": AdminOpcode.SANITIZE, "CID": cid, "SANACT": action})
