"""Which function of libnvme builds which SQE, and which of its arguments becomes which field of our layout.

In a call `{NAME}` stands for the value of the field NAME of the layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EVERYWHERE = frozenset({"OPC", "FUSE", "PSDT", "CID", "CDW2-3", "MPTR", "PRP2"})
"""Fields that libnvme leaves to the kernel's driver, or never sets; OPC is compared all the same."""


@dataclass(frozen=True)
class Built:
    """One command.

    fixed
        Values that the function sets by itself.
    unset
        Fields that libnvme gives no argument to.
    most
        Largest values where libnvme cannot pass all that the field holds.
    """

    layout: str
    call: str
    fixed: Mapping[str, int] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    most: Mapping[str, int] = field(default_factory=dict)


_RANGE = ".nsid = {NSID}, .slba = {SLBA}, .nlb = {NLB}, .dspec = {DSPEC}"
_READ_RANGE = ".nsid = {NSID}, .slba = {SLBA}, .nlb = {NLB}"
_TAGS = ".reftag_u64 = {CDW14}, .apptag = {LBAT}, .appmask = {LBATM}"
_CONTROL = (
    "{STC} * NVME_IO_STC | {PRINFO} * NVME_IO_PRINFO_PRCHK_REF | {FUA} * NVME_IO_FUA | {LR} * NVME_IO_LR"
)
_DTYPE = "{DTYPE} * NVME_IO_DTYPE_STREAMS"

_MIGRATION = (
    Built(
        "SQE Controller Data Queue, Create",
        "nvme_lm_cdq(ARGS(lm_cdq, .sel = NVME_LM_SEL_CREATE_CDQ, .mos = NVME_SET({QT}, LM_QT),"
        " .cntlid = {CQS}, .sz = {CDQSIZE}, .data = AT({PRP1})))",
        fixed={"SEL": 0, "PC": 1},
    ),
    Built(
        "SQE Controller Data Queue, Delete",
        "nvme_lm_cdq(ARGS(lm_cdq, .sel = NVME_LM_SEL_DELETE_CDQ, .cdqid = {CDQID}))",
        fixed={"SEL": 1},
    ),
    Built(
        "SQE Track Send",
        "nvme_lm_track_send(ARGS(lm_track_send, .sel = NVME_LM_SEL_LOG_USER_DATA_CHANGES,"
        " .mos = NVME_SET({LACT}, LM_LACT), .cdqid = {CDQID}))",
        fixed={"SEL": 0},
    ),
    Built(
        "SQE Migration Send, Suspend",
        "nvme_lm_migration_send(ARGS(lm_migration_send, .sel = NVME_LM_SEL_SUSPEND, .cntlid = {CNTLID},"
        " .stype = {STYPE}, .dudmq = {DUDMQ}, .uidx = {UIDX}))",
        fixed={"SEL": 0},
    ),
    Built(
        "SQE Migration Send, Resume",
        "nvme_lm_migration_send(ARGS(lm_migration_send, .sel = NVME_LM_SEL_RESUME, .cntlid = {CNTLID},"
        " .uidx = {UIDX}))",
        fixed={"SEL": 1},
    ),
    Built(
        "SQE Migration Send, Set Controller State",
        "nvme_lm_migration_send(ARGS(lm_migration_send, .sel = NVME_LM_SEL_SET_CONTROLLER_STATE,"
        " .mos = NVME_SET({SEQIND}, LM_SEQIND), .cntlid = {CNTLID}, .csvi = {CSVI}, .csuuidi = {CSUUIDI},"
        " .offset = {CSOU} << 32 | {CSOL}, .uidx = {UIDX}, .numd = {NUMD}, .data = AT({PRP1})))",
        fixed={"SEL": 2},
    ),
    Built(
        "SQE Migration Receive",
        "nvme_lm_migration_recv(ARGS(lm_migration_recv, .sel = NVME_LM_SEL_GET_CONTROLLER_STATE,"
        " .mos = NVME_SET({CSVI}, LM_GET_CONTROLLER_STATE_CSVI), .cntlid = {CNTLID}, .csuuidi = {CSUUIDI},"
        " .csuidxp = {CSUIDXP}, .offset = {OU} << 32 | {OL}, .uidx = {UIDX}, .numd = {NUMDL},"
        " .data = AT({PRP1})))",
        fixed={"SEL": 0},
    ),
    Built(
        "SQE Set Features, Controller Data Queue",
        "nvme_lm_set_features_ctrl_data_queue(0, {CDQID}, {HP}, {TPT}, {ETPT}, &ignored)",
        fixed={"FID": 0x21},
        unset=("SV",),
    ),
    Built(
        "SQE Get Features, Controller Data Queue",
        "nvme_lm_get_features_ctrl_data_queue(0, {CDQID}, AT({PRP1}), &ignored)",
        fixed={"FID": 0x21},
        unset=("SEL",),
    ),
    Built(
        "SQE Get LBA Status",
        "nvme_get_lba_status(ARGS(get_lba_status, .nsid = {NSID}, .slba = {SLBA}, .mndw = {MNDW},"
        " .atype = {ATYPE}, .rl = {RL}, .lbas = AT({PRP1})))",
    ),
)

_ADMIN = (
    Built(
        "SQE Get Log Page",
        "nvme_get_log(ARGS(get_log, .nsid = {NSID}, .lid = {LID}, .lsp = {LSP}, .rae = {RAE},"
        " .len = 4 * (({NUMDU} << 16 | {NUMDL}) + 1), .lsi = {LSI}, .lpo = {LPOU} << 32 | {LPOL},"
        " .uuidx = {UIDX}, .ot = {OT}, .csi = {CSI}, .log = AT({PRP1})))",
        most={"NUMDU": 0x3FFF},
    ),
    Built(
        "SQE Identify",
        "nvme_identify(ARGS(identify, .cns = {CNS}, .csi = {CSI}, .nsid = {NSID}, .cntid = {CNTID},"
        " .cns_specific_id = {CNSSID}, .uuidx = {UIDX}, .data = AT({PRP1})))",
    ),
    Built(
        "SQE Set Features",
        "nvme_set_features(ARGS(set_features, .nsid = {NSID}, .fid = {FID}, .save = {SV}, .cdw11 = {CDW11},"
        " .cdw12 = {CDW12}, .cdw13 = {CDW13}, .cdw15 = {CDW15}, .uuidx = {UIDX}, .data = AT({PRP1})))",
    ),
    Built(
        "SQE Get Features",
        "nvme_get_features(ARGS(get_features, .nsid = {NSID}, .fid = {FID}, .sel = {SEL}, .cdw11 = {CDW11},"
        " .uuidx = {UIDX}, .data = AT({PRP1})))",
        unset=("CDW12", "CDW13", "CDW15"),
    ),
    Built(
        "SQE Set Features, Arbitration",
        "nvme_set_features_arbitration(0, {AB}, {LPW}, {MPW}, {HPW}, {SV}, &ignored)",
        fixed={"FID": 1},
    ),
    Built(
        "SQE Set Features, Number of Queues",
        "nvme_set_features(ARGS(set_features, .fid = NVME_FEAT_FID_NUM_QUEUES, .save = {SV},"
        " .cdw11 = NVME_SET({NSQR}, FEAT_NRQS_NSQR) | NVME_SET({NCQR}, FEAT_NRQS_NCQR)))",
        fixed={"FID": 7},
    ),
    Built(
        "SQE Get Features, Number of Queues",
        "nvme_get_features_num_queues(0, {SEL}, &ignored)",
        fixed={"FID": 7},
    ),
    Built(
        "SQE Namespace Management",
        "nvme_ns_mgmt(ARGS(ns_mgmt, .nsid = {NSID}, .sel = {SEL}, .csi = {CSI}, .data = AT({PRP1})))",
    ),
    Built(
        "SQE Namespace Attachment",
        "nvme_ns_attach(ARGS(ns_attach, .nsid = {NSID}, .sel = {SEL}, .ctrlist = AT({PRP1})))",
    ),
    Built(
        "SQE Virtualization Management",
        "nvme_virtual_mgmt(ARGS(virtual_mgmt, .act = {ACT}, .rt = {RT}, .cntlid = {CNTLID}, .nr = {NR}))",
    ),
    Built(
        "SQE Format NVM",
        "nvme_format_nvm(ARGS(format_nvm, .nsid = {NSID}, .lbaf = {LBAFL}, .mset = {MSET}, .pi = {PI},"
        " .pil = {PIL}, .ses = {SES}, .lbafu = {LBAFU}))",
    ),
    Built(
        "SQE Sanitize",
        "nvme_sanitize_nvm(ARGS(sanitize_nvm, .sanact = {SANACT}, .ause = {AUSE}, .owpass = {OWPASS},"
        " .oipbp = {OIPBP}, .nodas = {NDAS}, .emvs = {EMVS}, .ovrpat = {OVRPAT}))",
    ),
)

_IO = (
    Built("SQE Flush", "nvme_flush(0, {NSID})"),
    Built(
        "SQE Write",
        f"nvme_write(ARGS(io, {_RANGE}, {_TAGS}, .control = {_CONTROL} | {_DTYPE}, .dsm = {{DSM}},"
        " .data = AT({PRP1})))",
        unset=("CETYPE",),
    ),
    Built(
        "SQE Read",
        f"nvme_read(ARGS(io, {_READ_RANGE}, {_TAGS}, .control = {_CONTROL}, .dsm = {{DSM}},"
        " .data = AT({PRP1})))",
        unset=("CETYPE",),
    ),
    Built(
        "SQE Compare",
        f"nvme_compare(ARGS(io, {_READ_RANGE}, {_TAGS}, .control = {_CONTROL}, .data = AT({{PRP1}})))",
        unset=("CETYPE", "CEV"),
    ),
    Built(
        "SQE Verify",
        f"nvme_verify(ARGS(io, {_READ_RANGE}, {_TAGS}, .control = {_CONTROL}))",
        unset=("CETYPE", "CEV"),
    ),
    Built(
        "SQE Write Uncorrectable",
        f"nvme_write_uncorrectable(ARGS(io, {_RANGE}, .control = {_DTYPE}))",
    ),
    Built(
        "SQE Write Zeroes",
        f"nvme_write_zeros(ARGS(io, {_RANGE}, {_TAGS}, .control = {_CONTROL} | {_DTYPE}"
        " | {NSZ} * NVME_IO_NSZ | {DEAC} * NVME_IO_DEAC))",
        unset=("CETYPE",),
    ),
    Built(
        "SQE Dataset Management",
        "nvme_dsm(ARGS(dsm, .nsid = {NSID}, .nr_ranges = {NR} + 1, .dsm = AT({PRP1}), .attrs ="
        " {IDR} * NVME_DSMGMT_IDR | {IDW} * NVME_DSMGMT_IDW | {AD} * NVME_DSMGMT_AD))",
    ),
    Built(
        "SQE Copy",
        "nvme_copy(ARGS(copy, .nsid = {NSID}, .sdlba = {SDLBA}, .nr = {NR} + 1, .format = {DESFMT},"
        " .prinfor = {PRINFOR}, .dtype = {DTYPE}, .prinfow = {PRINFOW}, .fua = {FUA}, .lr = {LR},"
        " .dspec = {DSPEC}, .ilbrt_u64 = {CDW14}, .lbat = {LBAT}, .lbatm = {LBATM}, .copy = AT({PRP1})))",
        unset=("CETYPE", "STCW", "STCR", "CEV"),
    ),
)

BUILT = (*_MIGRATION, *_ADMIN, *_IO)

NOT_BUILT = {
    "SQE Create I/O Submission Queue": "the kernel's driver makes the queues",
    "SQE Create I/O Completion Queue": "the kernel's driver makes the queues",
    "SQE Delete I/O Submission Queue": "the kernel's driver deletes the queues",
    "SQE Delete I/O Completion Queue": "the kernel's driver deletes the queues",
    "SQE Abort": "the kernel's driver aborts commands",
    "SQE Asynchronous Event Request": "the kernel's driver asks for events",
    "SQE Track Send, Track Memory Changes": "libnvme knows the number of the operation, and nothing more of it",
    "SQE Track Receive": "libnvme knows the opcode alone",
}
"""Commands that libnvme cannot build, and why."""
