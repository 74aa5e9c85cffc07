"""All layouts by name, and the layout of a given structure: which command an SQE is, how long a list is."""

from collections.abc import Mapping

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme import layouts_admin, layouts_data, layouts_io, layouts_memory, layouts_migration
from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    CdqSelect,
    Feature,
    IoOpcode,
    LbaChange,
    MigrationReceiveSelect,
    MigrationSendSelect,
    TrackSendSelect,
    VirtualizationAction,
)
from nvmelm_lab.nvme.fields import (
    Buffer,
    Decoded,
    Field,
    Layout,
    as_plain,
    decode,
    layout,
    moved,
    whole_bytes,
)
from nvmelm_lab.nvme.sqe_fields import dword, shared

__all__ = [
    "LAYOUTS",
    "Decoded",
    "Field",
    "Layout",
    "as_plain",
    "decode",
    "layout_of_controller_state",
    "layout_of_cqe",
    "layout_of_lba_status",
    "layout_of_mqe",
    "layout_of_sqe",
]

SQE = layout(
    "SQE",
    64,
    "Base 2.1, 4.1.1",
    *shared({}),
    *(dword(n, 31, 0, f"CDW{n}", "what the command makes of it", hexadecimal=True) for n in range(10, 16)),
)

_ADMIN: Mapping[int, Layout] = {
    AdminOpcode.DELETE_IO_SQ: layouts_admin.DELETE_IO_SQ,
    AdminOpcode.CREATE_IO_SQ: layouts_admin.CREATE_IO_SQ,
    AdminOpcode.GET_LOG_PAGE: layouts_admin.GET_LOG_PAGE,
    AdminOpcode.DELETE_IO_CQ: layouts_admin.DELETE_IO_CQ,
    AdminOpcode.CREATE_IO_CQ: layouts_admin.CREATE_IO_CQ,
    AdminOpcode.IDENTIFY: layouts_admin.IDENTIFY,
    AdminOpcode.ABORT: layouts_admin.ABORT,
    AdminOpcode.SET_FEATURES: layouts_admin.SET_FEATURES,
    AdminOpcode.GET_FEATURES: layouts_admin.GET_FEATURES,
    AdminOpcode.ASYNC_EVENT_REQUEST: layouts_admin.ASYNC_EVENT_REQUEST,
    AdminOpcode.NAMESPACE_MANAGEMENT: layouts_admin.NAMESPACE_MANAGEMENT,
    AdminOpcode.NAMESPACE_ATTACHMENT: layouts_admin.NAMESPACE_ATTACHMENT,
    AdminOpcode.VIRTUALIZATION_MANAGEMENT: layouts_admin.VIRTUALIZATION,
    AdminOpcode.TRACK_RECEIVE: layouts_migration.TRACK_RECEIVE,
    AdminOpcode.MIGRATION_RECEIVE: layouts_migration.GET_STATE,
    AdminOpcode.FORMAT_NVM: layouts_admin.FORMAT_NVM,
    AdminOpcode.SANITIZE: layouts_admin.SANITIZE,
    AdminOpcode.GET_LBA_STATUS: layouts_migration.GET_LBA_STATUS,
}

_ADMIN_BY_SELECT: Mapping[tuple[int, int], Layout] = {
    (AdminOpcode.SET_FEATURES, Feature.ARBITRATION): layouts_admin.SET_ARBITRATION,
    (AdminOpcode.SET_FEATURES, Feature.NUMBER_OF_QUEUES): layouts_admin.SET_QUEUES,
    (AdminOpcode.GET_FEATURES, Feature.NUMBER_OF_QUEUES): layouts_admin.GET_QUEUES,
    (AdminOpcode.SET_FEATURES, Feature.CONTROLLER_DATA_QUEUE): layouts_admin.SET_CDQ,
    (AdminOpcode.GET_FEATURES, Feature.CONTROLLER_DATA_QUEUE): layouts_admin.GET_CDQ,
    (AdminOpcode.TRACK_SEND, TrackSendSelect.LOG_USER_DATA): layouts_migration.TRACK_SEND,
    (AdminOpcode.TRACK_SEND, TrackSendSelect.TRACK_MEMORY): layouts_migration.TRACK_MEMORY,
    (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.SUSPEND): layouts_migration.SUSPEND,
    (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.RESUME): layouts_migration.RESUME,
    (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.SET_STATE): layouts_migration.SET_STATE,
    (AdminOpcode.CONTROLLER_DATA_QUEUE, CdqSelect.CREATE): layouts_migration.CREATE_CDQ,
    (AdminOpcode.CONTROLLER_DATA_QUEUE, CdqSelect.DELETE): layouts_migration.DELETE_CDQ,
}

_IO: Mapping[int, Layout] = {
    IoOpcode.FLUSH: layouts_io.FLUSH,
    IoOpcode.WRITE: layouts_io.WRITE,
    IoOpcode.READ: layouts_io.READ,
    IoOpcode.WRITE_UNCORRECTABLE: layouts_io.WRITE_UNCORRECTABLE,
    IoOpcode.COMPARE: layouts_io.COMPARE,
    IoOpcode.WRITE_ZEROES: layouts_io.WRITE_ZEROES,
    IoOpcode.DATASET_MANAGEMENT: layouts_io.DATASET_MANAGEMENT,
    IoOpcode.VERIFY: layouts_io.VERIFY,
    IoOpcode.COPY: layouts_io.COPY,
}

_IO_COMPLETIONS: Mapping[int, Layout] = {IoOpcode.WRITE_ZEROES: layouts_data.CQE_WRITE_ZEROES}

_COMPLETIONS: Mapping[tuple[int, int], Layout] = {
    (AdminOpcode.CONTROLLER_DATA_QUEUE, CdqSelect.CREATE): layouts_data.CQE_CREATE_CDQ,
    (AdminOpcode.GET_FEATURES, Feature.CONTROLLER_DATA_QUEUE): layouts_data.CQE_GET_CDQ,
    (AdminOpcode.SET_FEATURES, Feature.NUMBER_OF_QUEUES): layouts_data.CQE_QUEUES,
    (AdminOpcode.GET_FEATURES, Feature.NUMBER_OF_QUEUES): layouts_data.CQE_QUEUES,
    (AdminOpcode.MIGRATION_RECEIVE, MigrationReceiveSelect.GET_STATE): layouts_data.CQE_GET_STATE,
    (AdminOpcode.TRACK_SEND, TrackSendSelect.TRACK_MEMORY): layouts_memory.CQE_TRACK_MEMORY,
    (AdminOpcode.NAMESPACE_MANAGEMENT, 0): layouts_data.CQE_CREATE_NAMESPACE,
    **dict.fromkeys(
        ((AdminOpcode.VIRTUALIZATION_MANAGEMENT, action) for action in VirtualizationAction),
        layouts_data.CQE_VIRTUALIZATION,
    ),
}

_ANY_COMPLETION: Mapping[int, Layout] = {
    AdminOpcode.ABORT: layouts_data.CQE_ABORT,
    AdminOpcode.ASYNC_EVENT_REQUEST: layouts_data.CQE_ASYNC_EVENT,
}

LAYOUTS: Mapping[str, Layout] = {
    each.name: each
    for each in (
        SQE,
        *_ADMIN.values(),
        *_ADMIN_BY_SELECT.values(),
        *_IO.values(),
        layouts_data.CQE,
        *_COMPLETIONS.values(),
        *_ANY_COMPLETION.values(),
        *_IO_COMPLETIONS.values(),
        layouts_data.MQE,
        layouts_data.MQE_NO_RANGE,
        layouts_data.CONTROLLER_STATE,
        layouts_data.NVME_CONTROLLER_STATE,
        layouts_data.SQ_STATE,
        layouts_data.CQ_STATE,
        layouts_data.LBA_STATUS,
        layouts_data.LBA_STATUS_DESCRIPTOR,
        layouts_data.DSM_RANGE,
        layouts_data.COPY_RANGE,
        layouts_data.LBA_STATUS_INFORMATION,
        layouts_data.LBA_STATUS_ELEMENT,
        layouts_data.LBA_STATUS_RANGE,
        layouts_memory.TRACK_MEMORY_CHANGES,
        layouts_memory.TRACKED_RANGE,
        layouts_memory.TRACKED_MEMORY_CHANGE,
        layouts_memory.CHANGED_RANGE,
    )
}
"""Every layout by its name, for example "SQE Write", "CQE", "MQE" or "Controller State"."""


def layout_of_sqe(opcode: int, admin: bool, select: int = 0) -> Layout:
    """The layout of the SQE with this opcode on an admin or an I/O queue.  `select` is CDW10 bits 7:0:
    SEL, FID or CNS, where the command has one.  What the kit does not know gets the plain "SQE".
    """
    if not admin:
        return _IO.get(opcode, SQE)
    return _ADMIN_BY_SELECT.get((opcode, select)) or _ADMIN.get(opcode, SQE)


def layout_of_cqe(opcode: int, admin: bool, select: int = 0) -> Layout:
    """The layout of a successful completion of the command with this opcode and `select`.  Commands
    that return nothing in DW0 and DW1 have the plain "CQE".
    """
    if not admin:
        return _IO_COMPLETIONS.get(opcode, layouts_data.CQE)
    return _COMPLETIONS.get((opcode, select)) or _ANY_COMPLETION.get(opcode, layouts_data.CQE)


def layout_of_mqe(data: Buffer) -> Layout:
    """The layout of this very Migration Queue Entry, with a range or without.  InputError unless `data`
    is 32 bytes.
    """
    change = layouts_data.MQE.unpack(data)["LBACIR"]
    return layouts_data.MQE if change == LbaChange.RANGE else layouts_data.MQE_NO_RANGE


def layout_of_controller_state(data: Buffer) -> Layout:
    """The layout of this very controller state, with as many queues as it says and holds.  InputError
    when even the header is cut off.
    """
    header, inner = layouts_data.CONTROLLER_STATE, layouts_data.NVME_CONTROLLER_STATE
    if len(data) < header.size:
        raise InputError(f"controller state of {len(data)} bytes: must be at least {header.size}")
    end = min(header.size + 4 * int.from_bytes(data[16:32], "little"), len(data))
    fields = [*header.fields, *_repeated(inner, 1, header.size, end, "NVMECS.")]
    if _end_of(fields) > header.size:
        sqs, cqs = int.from_bytes(data[50:52], "little"), int.from_bytes(data[52:54], "little")
        fields += _repeated(layouts_data.SQ_STATE, sqs, _end_of(fields), end, "SQ[{}].")
        fields += _repeated(layouts_data.CQ_STATE, cqs, _end_of(fields), end, "CQ[{}].")
    return _filled(header, fields, len(data), "VSD", "vendor data, and what was read beyond the state")


def layout_of_lba_status(data: Buffer) -> Layout:
    """The layout of this very LBA Status Descriptor List, with as many descriptors as it says and holds.
    InputError when even the header is cut off.
    """
    header, count = layouts_data.LBA_STATUS, int.from_bytes(data[0:4], "little")
    if len(data) < header.size:
        raise InputError(f"LBA status of {len(data)} bytes: must be at least {header.size}")
    listed = _repeated(layouts_data.LBA_STATUS_DESCRIPTOR, count, header.size, len(data), "[{}].")
    return _filled(header, [*header.fields, *listed], len(data), "Beyond", "what was read beyond the list")


def _repeated(part: Layout, count: int, at: int, end: int, prefix: str) -> list[Field]:
    """The fields of up to `count` parts from byte `at` on, as many as lie wholly before `end`."""
    fitting = min(count, (end - at) // part.size)
    return [
        moved(each, at + part.size * index, prefix.format(index))
        for index in range(fitting)
        for each in part.fields
    ]


def _end_of(fields: list[Field]) -> int:
    return fields[-1].byte + fields[-1].size


def _filled(header: Layout, fields: list[Field], size: int, name: str, meaning: str) -> Layout:
    """A layout of `size` bytes: `fields`, then one field `name` for whatever bytes remain."""
    at = _end_of(fields)
    if at < size:
        rest = whole_bytes(at, size - 1, name, meaning, hexadecimal=True)
        fields = [*fields, rest._replace(source=header.fields[0].source)]
    return Layout(header.name, size, tuple(fields))
