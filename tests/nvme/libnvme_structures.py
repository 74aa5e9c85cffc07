"""Which structure, bit and number of libnvme's headers is which of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nvmelm_lab.nvme import codes, identify, status


class Bits(NamedTuple):
    """A field within a member: libnvme has `{name}_SHIFT` and `{name}_MASK` for it, the latter not shifted."""

    member: str
    name: str


class Within(NamedTuple):
    """A field within a member, of which libnvme does not say where it lies there."""

    member: str


Place = str | Bits | Within
"""The member that a field of ours is, or where in it the field lies."""

STRUCTURES: Mapping[str, tuple[str, Mapping[str, Place]]] = {
    "Controller State": (
        "nvme_lm_controller_state_data_header",
        {"VER": "ver", "CP": Within("csattr"), "NVMECSS": "nvmecss", "VSS": "vss"},
    ),
    "NVMe Controller State": (
        "nvme_lm_nvme_controller_state_data_header",
        {"VER": "ver", "NIOSQ": "niosq", "NIOCQ": "niocq"},
    ),
    "I/O Submission Queue State": (
        "nvme_lm_io_submission_queue_data",
        {
            "PRP1": "iosqprp1",
            "QSIZE": "iosqqsize",
            "QID": "iosqqid",
            "CQID": "iosqcqid",
            "PC": Bits("iosqa", "NVME_LM_IOSQPC"),
            "QPRIO": Bits("iosqa", "NVME_LM_IOSQPRIO"),
            "HEAD": "iosqhp",
            "TAIL": "iosqtp",
        },
    ),
    "I/O Completion Queue State": (
        "nvme_lm_io_completion_queue_data",
        {
            "PRP1": "iocqprp1",
            "QSIZE": "iocqqsize",
            "QID": "iocqqid",
            "HEAD": "iocqhp",
            "TAIL": "iocqtp",
            "PC": Bits("iocqa", "NVME_LM_IOCQPC"),
            "IEN": Bits("iocqa", "NVME_LM_IOCQIEN"),
            "S0PT": Bits("iocqa", "NVME_LM_S0PT"),
            "IV": Bits("iocqa", "NVME_LM_IOCQIV"),
        },
    ),
    "LBA Status": ("nvme_lba_status", {"NLSD": "nlsd", "CMPC": "cmpc"}),
    "LBA Status Descriptor": (
        "nvme_lba_status_desc",
        {"DSLBA": "dslba", "NLB": "nlb", "LBARS": Within("status")},
    ),
    "DSM Range": ("nvme_dsm_range", {"CATTR": "cattr", "LLB": "nlb", "SLBA": "slba"}),
    "LBA Status Information": (
        "nvme_lba_status_log",
        {"LSLPLEN": "lslplen", "NLSLNE": "nlslne", "ESTULB": "estulb", "LSGC": "lsgc"},
    ),
    "LBA Status Log Namespace Element": (
        "nvme_lbas_ns_element",
        {"NEID": "neid", "NLRD": "nlrd", "RATYPE": "ratype"},
    ),
    "LBA Range Descriptor": ("nvme_lba_rd", {"RSLBA": "rslba", "RNLB": "rnlb"}),
    "Copy Range": (
        "nvme_copy_range",
        {"SLBA": "slba", "NLB": "nlb", "ELBT": "eilbrt", "ELBAT": "elbat", "ELBATM": "elbatm"},
    ),
}
"""Our layout: the structure, and of each of our fields the member."""

SQE_MEMBERS = {
    "OPC": "opcode",
    "NSID": "nsid",
    "MPTR": "metadata",
    "PRP1": "addr",
    **{f"CDW{n}": f"cdw{n}" for n in range(10, 16)},
}
"""Of the plain SQE, the members of `nvme_passthru_cmd`, which ends differently."""

STATUS_AT = 96 + 17
"""Lowest bit of the status in a CQE: libnvme counts from there, as the kernel shifts the phase tag out."""

CQE_BITS: Mapping[tuple[str, str], tuple[int, str, str]] = {
    ("CQE", "STATUS"): (
        STATUS_AT,
        "NVME_SC_SHIFT",
        "NVME_SCT_MASK<<NVME_SCT_SHIFT|NVME_SC_MASK",
    ),
    ("CQE", "CRD"): (STATUS_AT, "__builtin_ctz(NVME_SC_CRD)", "NVME_SC_CRD>>__builtin_ctz(NVME_SC_CRD)"),
    ("CQE", "M"): (STATUS_AT, "__builtin_ctz(NVME_SC_MORE)", "1"),
    ("CQE", "DNR"): (STATUS_AT, "__builtin_ctz(NVME_SC_DNR)", "1"),
    ("CQE Controller Data Queue, Create", "CDQID"): (
        0,
        "NVME_LM_CREATE_CDQ_CDQID_SHIFT",
        "NVME_LM_CREATE_CDQ_CDQID_MASK",
    ),
    ("CQE Migration Receive", "CSUP"): (0, "__builtin_ctz(NVME_LM_GET_CONTROLLER_STATE_CSUP)", "1"),
    ("CQE Get Features, Controller Data Queue", "ETPT"): (
        0,
        "NVME_LM_CTRL_DATA_QUEUE_ETPT_SHIFT",
        "NVME_LM_CTRL_DATA_QUEUE_ETPT_MASK",
    ),
    ("CQE Number of Queues", "NSQA"): (0, "NVME_FEAT_NRQS_NSQR_SHIFT", "NVME_FEAT_NRQS_NSQR_MASK"),
    ("CQE Number of Queues", "NCQA"): (0, "NVME_FEAT_NRQS_NCQR_SHIFT", "NVME_FEAT_NRQS_NCQR_MASK"),
}
"""Fields of completions: the bit that libnvme counts from, its shift and its mask."""

NOT_IN_LIBNVME = {
    "MQE": "libnvme leaves the entries of a Controller Data Queue to its users",
    "MQE, no range": "libnvme leaves the entries of a Controller Data Queue to its users",
    "CQE Asynchronous Event Request": "the kernel's driver takes the events",
    "CQE Namespace Management": "libnvme returns DW0 as it is",
    "CQE Virtualization Management": "libnvme returns DW0 as it is",
    "CQE Abort": "the kernel's driver aborts commands",
    "CQE Write Zeroes": "libnvme returns DW0 as it is",
    "CQE Track Send, Track Memory Changes": "libnvme knows the number of the operation, and nothing more of it",
    "Track Memory Changes": "libnvme knows the number of the operation, and nothing more of it",
    "Tracked Memory Range": "libnvme knows the number of the operation, and nothing more of it",
    "Tracked Memory Change": "libnvme knows the opcode alone",
    "Tracked Memory Changed Descriptor": "libnvme knows the opcode alone",
}
"""Layouts that libnvme has no structure or bits for, and why; commands are in `libnvme_commands`."""

PAGES: Mapping[type, tuple[str, Mapping[str, str]]] = {
    identify.IdentifyController: ("nvme_id_ctrl", {}),
    identify.IdentifyNamespace: (
        "nvme_id_ns",
        {"ms": "lbaf[0].ms", "lbads": "lbaf[0].ds", "rp": "lbaf[0].rp"},
    ),
    identify.IdentifyNvmNamespace: ("nvme_nvm_id_ns", {}),
    identify.PrimaryCapabilities: ("nvme_primary_ctrl_cap", {}),
    identify.IdentifyNvmController: ("nvme_id_ctrl_nvm", {}),
}
"""Identify pages: the structure, and the members that have another name than our field."""

LOWER_HALVES = {"tnvmcap", "unvmcap"}
"""Fields of 16 bytes of which the kit uses the lower 8."""

REGISTER_BITS = {
    **{
        name: f"NVME_{name}"
        for name in dir(codes)
        if name.startswith(("CAP_", "CC_", "CSTS_")) and name != "CAP_NSSRS"
    },
    "CAP_NSSRS": "NVME_CAP_NSSRC",
    **{name: f"NVME_CTRL_{name}" for name in dir(identify) if name.startswith(("OACS_", "TRATTR_"))},
}
"""Bits of properties and of Identify: the name to which libnvme adds _SHIFT and _MASK."""

FLAGS = {
    "ONCS_NVMCMPS": "NVME_CTRL_ONCS_COMPARE",
    "ONCS_NVMWUSV": "NVME_CTRL_ONCS_WRITE_UNCORRECTABLE",
    "ONCS_NVMDSMSV": "NVME_CTRL_ONCS_DSM",
    "ONCS_NVMWZSV": "NVME_CTRL_ONCS_WRITE_ZEROES",
    "ONCS_NVMVFYS": "NVME_CTRL_ONCS_VERIFY",
    "ONCS_NVMCPYS": "NVME_CTRL_ONCS_COPY",
    "ONCS_NVMCSA": "NVME_CTRL_ONCS_COPY_SINGLE_ATOMICITY",
    "ONCS_NSZS": "NVME_CTRL_ONCS_NAMESPACE_ZEROES",
    "FNA_FNS": "NVME_CTRL_FNA_FMT_ALL_NAMESPACES",
    "FNA_SENS": "NVME_CTRL_FNA_SEC_ALL_NAMESPACES",
    "FNA_CRYES": "NVME_CTRL_FNA_CRYPTO_ERASE",
    "FNA_FNVMBS": "NVME_CTRL_FNA_NSID_FFFFFFFF",
    "SANICAP_CES": "NVME_CTRL_SANICAP_CES",
    "SANICAP_BES": "NVME_CTRL_SANICAP_BES",
    "SANICAP_OWS": "NVME_CTRL_SANICAP_OWS",
    "SANICAP_NDI": "NVME_CTRL_SANICAP_NDI",
    "SANICAP_NODMMAS": "NVME_CTRL_SANICAP_NODMMAS&0xFFFFFFFFull",
    "LPA_CSES": "NVME_CTRL_LPA_CMD_EFFECTS",
    "LPA_LPEDS": "NVME_CTRL_LPA_EXTENDED",
    "FRMW_FFSRO": "NVME_CTRL_FRMW_1ST_RO",
    "FEATURES_FSUPP": "NVME_FID_SUPPORTED_EFFECTS_FSUPP",
    "FEATURES_CSCPE": "NVME_FID_SUPPORTED_EFFECTS_SCOPE_CTRL<<NVME_FID_SUPPORTED_EFFECTS_SCOPE_SHIFT",
    "FEATURES_CDQSCP": "NVME_FID_SUPPORTED_EFFECTS_CDQSCP<<NVME_FID_SUPPORTED_EFFECTS_SCOPE_SHIFT",
    "EFFECTS_CSUPP": "NVME_CMD_EFFECTS_CSUPP",
    "EFFECTS_LBCC": "NVME_CMD_EFFECTS_LBCC",
    "EFFECTS_NIC": "NVME_CMD_EFFECTS_NIC",
    "DLFEAT_DRB": "NVME_NS_DLFEAT_RB",
    "DLFEAT_WZDS": "NVME_NS_DLFEAT_WRITE_ZEROES",
    "NMIC_SHRNS": "NVME_NS_NMIC_SHARED",
}
"""Bits of Identify and of log pages that libnvme has as masks in place."""

_STATUS_NAMES = {
    "COMMAND_ID_CONFLICT": "CMDID_CONFLICT",
    "DATA_TRANSFER_ERROR": "DATA_XFER_ERROR",
    "INTERNAL_ERROR": "INTERNAL",
    "ABORT_REQUESTED": "ABORT_REQ",
    "ABORTED_SQ_DELETION": "ABORT_QUEUE",
    "INVALID_NAMESPACE_OR_FORMAT": "INVALID_NS",
    "COMMAND_SEQUENCE_ERROR": "CMD_SEQ_ERROR",
    "PRP_OFFSET_INVALID": "PRP_INVALID_OFFSET",
    "OPERATION_DENIED": "OP_DENIED",
    "NAMESPACE_WRITE_PROTECTED": "NS_WRITE_PROTECTED",
    "COMMAND_INTERRUPTED": "CMD_INTERRUPTED",
    "LBA_OUT_OF_RANGE": "LBA_RANGE",
    "CAPACITY_EXCEEDED": "CAP_EXCEEDED",
    "NAMESPACE_NOT_READY": "NS_NOT_READY",
    "COMPLETION_QUEUE_INVALID": "CQ_INVALID",
    "INVALID_QUEUE_IDENTIFIER": "QID_INVALID",
    "INVALID_QUEUE_SIZE": "QUEUE_SIZE",
    "INVALID_INTERRUPT_VECTOR": "INVALID_VECTOR",
    "INVALID_QUEUE_DELETION": "INVALID_QUEUE",
    "FEATURE_NOT_NAMESPACE_SPECIFIC": "FEATURE_NOT_PER_NS",
    "NAMESPACE_INSUFFICIENT_CAPACITY": "NS_INSUFFICIENT_CAP",
    "NAMESPACE_IDENTIFIER_UNAVAILABLE": "NS_ID_UNAVAILABLE",
    "NAMESPACE_ALREADY_ATTACHED": "NS_ALREADY_ATTACHED",
    "NAMESPACE_PRIVATE": "NS_IS_PRIVATE",
    "NAMESPACE_NOT_ATTACHED": "NS_NOT_ATTACHED",
    "THIN_PROVISIONING_NOT_SUPPORTED": "THIN_PROV_NOT_SUPP",
    "CONTROLLER_LIST_INVALID": "CTRL_LIST_INVALID",
    "INVALID_CONTROLLER_IDENTIFIER": "INVALID_CTRL_ID",
    "INVALID_SECONDARY_CONTROLLER_STATE": "INVALID_SEC_CTRL_STATE",
    "INVALID_NUMBER_OF_CONTROLLER_RESOURCES": "INVALID_CTRL_RESOURCES",
    "INVALID_RESOURCE_IDENTIFIER": "INVALID_RESOURCE_ID",
    "INVALID_CONTROLLER_DATA_QUEUE": "INVALID_CONTROLER_DATA_QUEUE",
    "CONFLICTING_ATTRIBUTES": "BAD_ATTRIBUTES",
    "READ_ONLY_RANGE": "READ_ONLY",
    "SIZE_LIMIT_EXCEEDED": "CMD_SIZE_LIMIT_EXCEEDED",
    "UNRECOVERED_READ_ERROR": "READ_ERROR",
    "COMPARE_FAILURE": "COMPARE_FAILED",
    "DEALLOCATED_OR_UNWRITTEN": "UNWRITTEN_BLOCK",
    "ABORTED_BY_HOST": "CMD_ABORTED_BY_HOST",
}
_TYPES = ("NVME_SCT_GENERIC", "NVME_SCT_CMD_SPECIFIC", "NVME_SCT_MEDIA", "NVME_SCT_PATH")

NUMBERS: Mapping[type, Mapping[str, str]] = {
    status.Status: {
        each.name: f"{_TYPES[each >> 8]}<<NVME_SCT_SHIFT|NVME_SC_{_STATUS_NAMES.get(each.name, each.name)}"
        for each in status.Status
    },
    codes.AdminOpcode: {
        "DELETE_IO_SQ": "nvme_admin_delete_sq",
        "CREATE_IO_SQ": "nvme_admin_create_sq",
        "GET_LOG_PAGE": "nvme_admin_get_log_page",
        "DELETE_IO_CQ": "nvme_admin_delete_cq",
        "CREATE_IO_CQ": "nvme_admin_create_cq",
        "IDENTIFY": "nvme_admin_identify",
        "ABORT": "nvme_admin_abort_cmd",
        "SET_FEATURES": "nvme_admin_set_features",
        "GET_FEATURES": "nvme_admin_get_features",
        "ASYNC_EVENT_REQUEST": "nvme_admin_async_event",
        "NAMESPACE_MANAGEMENT": "nvme_admin_ns_mgmt",
        "NAMESPACE_ATTACHMENT": "nvme_admin_ns_attach",
        "VIRTUALIZATION_MANAGEMENT": "nvme_admin_virtual_mgmt",
        "TRACK_SEND": "nvme_admin_track_send",
        "TRACK_RECEIVE": "nvme_admin_track_receive",
        "MIGRATION_SEND": "nvme_admin_migration_send",
        "MIGRATION_RECEIVE": "nvme_admin_migration_receive",
        "CONTROLLER_DATA_QUEUE": "nvme_admin_ctrl_data_queue",
        "FORMAT_NVM": "nvme_admin_format_nvm",
        "SANITIZE": "nvme_admin_sanitize_nvm",
        "GET_LBA_STATUS": "nvme_admin_get_lba_status",
    },
    codes.IoOpcode: {
        "FLUSH": "nvme_cmd_flush",
        "WRITE": "nvme_cmd_write",
        "READ": "nvme_cmd_read",
        "WRITE_UNCORRECTABLE": "nvme_cmd_write_uncor",
        "COMPARE": "nvme_cmd_compare",
        "WRITE_ZEROES": "nvme_cmd_write_zeroes",
        "DATASET_MANAGEMENT": "nvme_cmd_dsm",
        "VERIFY": "nvme_cmd_verify",
        "COPY": "nvme_cmd_copy",
    },
    codes.Cns: {
        "NAMESPACE": "NVME_IDENTIFY_CNS_NS",
        "CONTROLLER": "NVME_IDENTIFY_CNS_CTRL",
        "ACTIVE_NAMESPACES": "NVME_IDENTIFY_CNS_NS_ACTIVE_LIST",
        "NAMESPACE_DESCRIPTORS": "NVME_IDENTIFY_CNS_NS_DESC_LIST",
        "IOCS_NAMESPACE": "NVME_IDENTIFY_CNS_CSI_NS",
        "IOCS_CONTROLLER": "NVME_IDENTIFY_CNS_CSI_CTRL",
        "ALLOCATED_NAMESPACES": "NVME_IDENTIFY_CNS_ALLOCATED_NS_LIST",
        "ALLOCATED_NAMESPACE": "NVME_IDENTIFY_CNS_ALLOCATED_NS",
        "ATTACHED_CONTROLLERS": "NVME_IDENTIFY_CNS_NS_CTRL_LIST",
        "CONTROLLERS": "NVME_IDENTIFY_CNS_CTRL_LIST",
        "PRIMARY_CAPABILITIES": "NVME_IDENTIFY_CNS_PRIMARY_CTRL_CAP",
        "SECONDARY_CONTROLLERS": "NVME_IDENTIFY_CNS_SECONDARY_CTRL_LIST",
        "CONTROLLER_STATE_FORMATS": "NVME_IDENTIFY_CNS_SUPPORTED_CTRL_STATE_FORMATS",
    },
    codes.Feature: {
        "ARBITRATION": "NVME_FEAT_FID_ARBITRATION",
        "VOLATILE_WRITE_CACHE": "NVME_FEAT_FID_VOLATILE_WC",
        "NUMBER_OF_QUEUES": "NVME_FEAT_FID_NUM_QUEUES",
        "ASYNC_EVENT_CONFIGURATION": "NVME_FEAT_FID_ASYNC_EVENT",
        "CONTROLLER_DATA_QUEUE": "NVME_FEAT_FID_CTRL_DATA_QUEUE",
    },
    codes.LogPage: {
        "SUPPORTED_LOG_PAGES": "NVME_LOG_LID_SUPPORTED_LOG_PAGES",
        "FIRMWARE_SLOTS": "NVME_LOG_LID_FW_SLOT",
        "COMMAND_EFFECTS": "NVME_LOG_LID_CMD_EFFECTS",
        "LBA_STATUS": "NVME_LOG_LID_LBA_STATUS",
        "FEATURE_EFFECTS": "NVME_LOG_LID_FID_SUPPORTED_EFFECTS",
    },
    codes.CdqSelect: {"CREATE": "NVME_LM_SEL_CREATE_CDQ", "DELETE": "NVME_LM_SEL_DELETE_CDQ"},
    codes.TrackSendSelect: {
        "LOG_USER_DATA": "NVME_LM_SEL_LOG_USER_DATA_CHANGES",
        "TRACK_MEMORY": "NVME_LM_SEL_TRACK_MEMORY_CHANGES",
    },
    codes.LogAction: {"STOP": "NVME_LM_LACT_STOP_LOGGING", "START": "NVME_LM_LACT_START_LOGGING"},
    codes.MigrationSendSelect: {
        "SUSPEND": "NVME_LM_SEL_SUSPEND",
        "RESUME": "NVME_LM_SEL_RESUME",
        "SET_STATE": "NVME_LM_SEL_SET_CONTROLLER_STATE",
    },
    codes.MigrationReceiveSelect: {"GET_STATE": "NVME_LM_SEL_GET_CONTROLLER_STATE"},
    codes.SuspendType: {
        "NOTIFICATION": "NVME_LM_STYPE_SUSPEND_NOTIFICATION",
        "SUSPEND": "NVME_LM_STYPE_SUSPEND",
    },
    codes.SequenceIndicator: {
        "MIDDLE": "NVME_LM_SEQIND_NOT_FIRST_NOT_LAST",
        "FIRST": "NVME_LM_SEQIND_FIRST",
        "LAST": "NVME_LM_SEQIND_LAST",
        "ONLY": "NVME_LM_SEQIND_ENTIRE",
    },
    codes.SanitizeAction: {
        "EXIT_FAILURE": "NVME_SANITIZE_SANACT_EXIT_FAILURE",
        "BLOCK_ERASE": "NVME_SANITIZE_SANACT_START_BLOCK_ERASE",
        "OVERWRITE": "NVME_SANITIZE_SANACT_START_OVERWRITE",
        "CRYPTO_ERASE": "NVME_SANITIZE_SANACT_START_CRYPTO_ERASE",
        "EXIT_VERIFICATION": "NVME_SANITIZE_SANACT_EXIT_MEDIA_VERIF",
    },
    codes.LbaStatusAction: {
        "ALLOCATED": "NVME_LBA_STATUS_ATYPE_ALLOCATED",
        "SCAN": "NVME_LBA_STATUS_ATYPE_SCAN_UNTRACKED",
        "TRACKED": "NVME_LBA_STATUS_ATYPE_TRACKED",
    },
    codes.Completeness: {
        "NO_INDICATION": "NVME_LBA_STATUS_CMPC_NO_CMPC",
        "INCOMPLETE": "NVME_LBA_STATUS_CMPC_INCOMPLETE",
        "COMPLETE": "NVME_LBA_STATUS_CMPC_COMPLETE",
    },
    codes.VirtualizationAction: {
        "PRIMARY_FLEXIBLE": "NVME_VIRT_MGMT_ACT_PRIM_CTRL_FLEX_ALLOC",
        "SECONDARY_OFFLINE": "NVME_VIRT_MGMT_ACT_OFFLINE_SEC_CTRL",
        "SECONDARY_ASSIGN": "NVME_VIRT_MGMT_ACT_ASSIGN_SEC_CTRL",
        "SECONDARY_ONLINE": "NVME_VIRT_MGMT_ACT_ONLINE_SEC_CTRL",
    },
    codes.ResourceType: {
        "QUEUES": "NVME_VIRT_MGMT_RT_VQ_RESOURCE",
        "INTERRUPTS": "NVME_VIRT_MGMT_RT_VI_RESOURCE",
    },
    codes.AsyncEventType: {
        "ERROR": "NVME_AER_ERROR",
        "SMART": "NVME_AER_SMART",
        "NOTICE": "NVME_AER_NOTICE",
        "IMMEDIATE": "NVME_AER_IMMEDIATE",
        "ONE_SHOT": "NVME_AER_ONESHOT",
        "IO_COMMAND_SET": "NVME_AER_CSS",
        "VENDOR": "NVME_AER_VS",
    },
    codes.Property: {each.name: f"NVME_REG_{each.name}" for each in codes.Property},
}
"""Our numbers: the names that libnvme gives them."""

NUMBERS_NOT_IN_LIBNVME = {
    codes.TrackReceiveSelect,
    codes.LbaRangeStatus,
    codes.LbaChange,
    codes.EntrySpecial,
    codes.OneShotEvent,
    codes.FunctionRegister,
}
