"""Builders of the commands of a live migration: plain arguments in, the 64 bytes of an SQE out.

Lengths are plain counts of dwords; the builders know which commands carry them 0's based.  A value that
does not fit its bits raises InputError with its name and the allowed range; a value that fits but that a
controller must refuse can be sent, to see it refused.
"""

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme import layouts_admin, layouts_migration
from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    CdqSelect,
    Feature,
    LbaStatusAction,
    LogAction,
    MigrationReceiveSelect,
    MigrationSendSelect,
    SequenceIndicator,
    SuspendType,
    TrackReceiveSelect,
    TrackSendSelect,
)
from nvmelm_lab.nvme.fields import one_less


def create_cdq(cid: int, prp1: int, dwords: int, target: int, contiguous: bool = True) -> bytes:
    """Create a User Data Migration Queue of `dwords` dwords (8 an entry) at `prp1` for the changes that
    controller `target` makes.  Base 2.1, 5.1.4.
    """
    return layouts_migration.CREATE_CDQ.pack(
        {
            "OPC": AdminOpcode.CONTROLLER_DATA_QUEUE,
            "CID": cid,
            "PRP1": prp1,
            "SEL": CdqSelect.CREATE,
            "PC": contiguous,
            "CQS": target,
            "CDQSIZE": dwords,
        }
    )


def delete_cdq(cid: int, cdqid: int) -> bytes:
    """Delete the queue `cdqid`.  Base 2.1, 5.1.4."""
    values = {"OPC": AdminOpcode.CONTROLLER_DATA_QUEUE, "CID": cid, "SEL": CdqSelect.DELETE, "CDQID": cdqid}
    return layouts_migration.DELETE_CDQ.pack(values)


def set_head(cid: int, cdqid: int, head: int, trigger: int | None = None) -> bytes:
    """Tell the controller that slots before `head` were consumed; with `trigger`, ask for one event when
    an entry is posted in that slot.  Base 2.1, 5.1.25.1.23.
    """
    return layouts_admin.SET_CDQ.pack(
        {
            "OPC": AdminOpcode.SET_FEATURES,
            "CID": cid,
            "FID": Feature.CONTROLLER_DATA_QUEUE,
            "CDQID": cdqid,
            "HP": head,
            "ETPT": trigger is not None,
            "TPT": trigger or 0,
        }
    )


def get_cdq_feature(cid: int, cdqid: int, prp1: int, prp2: int = 0) -> bytes:
    """Read head and trigger slot of the queue `cdqid` into a buffer of 512 bytes.  Base 2.1, 5.1.25.1.23."""
    return layouts_admin.GET_CDQ.pack(
        {
            "OPC": AdminOpcode.GET_FEATURES,
            "CID": cid,
            "PRP1": prp1,
            "PRP2": prp2,
            "FID": Feature.CONTROLLER_DATA_QUEUE,
            "CDQID": cdqid,
        }
    )


def track_send(cid: int, cdqid: int, action: LogAction) -> bytes:
    """Start or stop the logging of user data changes to the queue `cdqid`.  Base 2.1, 5.1.27."""
    return layouts_migration.TRACK_SEND.pack(
        {
            "OPC": AdminOpcode.TRACK_SEND,
            "CID": cid,
            "SEL": TrackSendSelect.LOG_USER_DATA,
            "LACT": action,
            "CDQID": cdqid,
        }
    )


def track_memory(cid: int, cntlid: int, start: bool, prp1: int = 0, prp2: int = 0) -> bytes:
    """Start the tracking of what controller `cntlid` writes to host memory, in the ranges that a Track Memory
    Changes structure in the buffer names; or stop it.  Base 2.1, 5.1.27.1.2.
    """
    return layouts_migration.TRACK_MEMORY.pack(
        {
            "OPC": AdminOpcode.TRACK_SEND,
            "CID": cid,
            "PRP1": prp1,
            "PRP2": prp2,
            "SEL": TrackSendSelect.TRACK_MEMORY,
            "TACT": start,
            "CNTLID": cntlid,
        }
    )


def track_receive(cid: int, cntlid: int, dwords: int, prp1: int, prp2: int = 0) -> bytes:
    """Read, in at most `dwords` dwords, what controller `cntlid` wrote to the host memory that is tracked; what
    was read is not reported again.  Base 2.1, 5.1.26.
    """
    return layouts_migration.TRACK_RECEIVE.pack(
        {
            "OPC": AdminOpcode.TRACK_RECEIVE,
            "CID": cid,
            "PRP1": prp1,
            "PRP2": prp2,
            "SEL": TrackReceiveSelect.TRACKED_MEMORY,
            "CNTLID": cntlid,
            "NUMDL": one_less("dwords", dwords, 1 << 32),
        }
    )


def suspend(
    cid: int, cntlid: int, delete_queue: bool = False, kind: SuspendType = SuspendType.SUSPEND
) -> bytes:
    """Suspend controller `cntlid`, or announce that; with `delete_queue` its User Data Migration Queue
    goes too.  Base 2.1, 5.1.17.1.1.
    """
    return layouts_migration.SUSPEND.pack(
        {
            "OPC": AdminOpcode.MIGRATION_SEND,
            "CID": cid,
            "SEL": MigrationSendSelect.SUSPEND,
            "CNTLID": cntlid,
            "STYPE": kind,
            "DUDMQ": delete_queue,
        }
    )


def resume(cid: int, cntlid: int) -> bytes:
    """Let controller `cntlid` run again.  Base 2.1, 5.1.17.1.2."""
    values = {
        "OPC": AdminOpcode.MIGRATION_SEND,
        "CID": cid,
        "SEL": MigrationSendSelect.RESUME,
        "CNTLID": cntlid,
    }
    return layouts_migration.RESUME.pack(values)


def set_controller_state(
    cid: int,
    prp1: int,
    prp2: int,
    cntlid: int,
    dwords: int,
    offset: int = 0,
    sequence: SequenceIndicator = SequenceIndicator.ONLY,
    version_index: int = 1,
    uuid_index: int = 0,
) -> bytes:
    """Send `dwords` dwords of state at byte `offset` to controller `cntlid`.  The indices name formats of
    Identify CNS 20h, from 1; 0 for none.  `dwords` is sent as it is, not 0's based.
    Base 2.1, 5.1.17.1.3.
    """
    low, high = _halves(offset)
    return layouts_migration.SET_STATE.pack(
        {
            "OPC": AdminOpcode.MIGRATION_SEND,
            "CID": cid,
            "PRP1": prp1,
            "PRP2": prp2,
            "SEL": MigrationSendSelect.SET_STATE,
            "SEQIND": sequence,
            "CNTLID": cntlid,
            "CSVI": version_index,
            "CSUUIDI": uuid_index,
            "CSOL": low,
            "CSOU": high,
            "NUMD": dwords,
        }
    )


def get_controller_state(
    cid: int,
    prp1: int,
    prp2: int,
    cntlid: int,
    dwords: int,
    offset: int = 0,
    version_index: int = 1,
    uuid_index: int = 0,
) -> bytes:
    """Read `dwords` dwords of the state of controller `cntlid` from byte `offset` on.  The indices name
    formats of Identify CNS 20h, from 1; 0 for none.  Base 2.1, 5.1.16.
    """
    low, high = _halves(offset)
    return layouts_migration.GET_STATE.pack(
        {
            "OPC": AdminOpcode.MIGRATION_RECEIVE,
            "CID": cid,
            "PRP1": prp1,
            "PRP2": prp2,
            "SEL": MigrationReceiveSelect.GET_STATE,
            "CSVI": version_index,
            "CNTLID": cntlid,
            "CSUUIDI": uuid_index,
            "OL": low,
            "OU": high,
            "NUMDL": one_less("dwords", dwords, 1 << 32),
        }
    )


def get_lba_status(
    cid: int,
    nsid: int,
    slba: int,
    blocks: int,
    max_dwords: int,
    action: LbaStatusAction,
    prp1: int,
    prp2: int = 0,
) -> bytes:
    """Report on `blocks` LBAs from `slba` on, in at most `max_dwords` dwords.  `blocks` 0 means up to the
    end of the namespace.  NVM Command Set 1.2, 4.2.1.
    """
    return layouts_migration.GET_LBA_STATUS.pack(
        {
            "OPC": AdminOpcode.GET_LBA_STATUS,
            "CID": cid,
            "NSID": nsid,
            "PRP1": prp1,
            "PRP2": prp2,
            "SLBA": slba,
            "MNDW": one_less("max_dwords", max_dwords, 1 << 32),
            "RL": blocks,
            "ATYPE": action,
        }
    )


def _halves(offset: int) -> tuple[int, int]:
    if not (isinstance(offset, int) and 0 <= offset < 1 << 64):
        raise InputError(f"offset {offset}: must be a whole number from 0 to {(1 << 64) - 1}")
    return offset & 0xFFFFFFFF, offset >> 32
