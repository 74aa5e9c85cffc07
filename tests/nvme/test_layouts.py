"""Layouts: they explain every bit exactly once, agree with the packed structures, and read well."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError, KitError
from nvmelm_lab.nvme import commands, migration_commands
from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    CdqSelect,
    Completeness,
    EntrySpecial,
    Feature,
    IoOpcode,
    LbaChange,
    LbaStatusAction,
    LogAction,
    MigrationSendSelect,
    OneShotEvent,
    TrackSendSelect,
)
from nvmelm_lab.nvme.controller_state import (
    CompletionQueueState,
    ControllerState,
    QueueStates,
    SubmissionQueueState,
    pack_controller_state,
)
from nvmelm_lab.nvme.fields import RESERVED
from nvmelm_lab.nvme.layouts import (
    LAYOUTS,
    as_plain,
    decode,
    layout_of_controller_state,
    layout_of_cqe,
    layout_of_lba_status,
    layout_of_mqe,
    layout_of_sqe,
)
from nvmelm_lab.nvme.lba_status import LbaStatusDescriptor, pack_lba_status
from nvmelm_lab.nvme.status import Status, status_word
from nvmelm_lab.nvme.structs import CQE, MQE, SQE, Cqe, Sqe, pack_copy_ranges, pack_mqe, pack_ranges

ALL = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
COMMANDS = [each for name, each in LAYOUTS.items() if name.startswith("SQE ")]


def bits_of(layout):
    return [bit for each in layout.fields for bit in range(each.start, each.start + each.most.bit_length())]


def texts(layout, data):
    return [each.text for each in decode(layout, data) if each.name != RESERVED]


@ALL
def test_every_bit_is_explained_exactly_once_and_in_order_of_bytes(layout):
    assert sorted(bits_of(layout)) == list(range(8 * layout.size))
    assert [each.byte // 4 for each in layout.fields] == sorted(each.byte // 4 for each in layout.fields)


@ALL
def test_every_field_lies_within_its_bytes_and_names_its_source(layout):
    for each in layout.fields:
        assert 0 <= each.low_bit <= each.high_bit < 8 * each.size
        assert each.byte + each.size <= layout.size
        assert each.meaning
        assert each.source.startswith(("Base 2.1, ", "NVM Command Set 1.2, "))


@ALL
def test_no_two_fields_have_one_name(layout):
    names = [each.name for each in layout.fields if each.name != RESERVED]
    assert len(names) == len(set(names))


@ALL
def test_named_values_fit_their_field(layout):
    for each in layout.fields:
        assert all(0 <= value <= each.most for value in each.values)


@ALL
def test_a_field_is_packed_into_its_own_bits_and_no_others(layout):
    named = [each for each in layout.fields if each.name != RESERVED]
    for each in named:
        packed = layout.pack({each.name: each.most})
        assert int.from_bytes(packed, "little") == each.most << each.start
        assert layout.unpack(packed) == {other.name: 0 for other in named} | {each.name: each.most}


@given(st.data())
def test_what_is_packed_comes_back(data):
    layout = data.draw(st.sampled_from(list(LAYOUTS.values())))
    values = {
        each.name: data.draw(st.integers(0, each.most), each.name)
        for each in layout.fields
        if each.name != RESERVED
    }
    packed = layout.pack(values)
    assert layout.unpack(packed) == values
    assert {each.name: each.value for each in decode(layout, packed) if each.name != RESERVED} == values


@ALL
def test_a_browser_can_get_the_layout_as_json(layout):
    plain = json.loads(json.dumps(as_plain(layout)))
    assert (plain["name"], plain["size"], len(plain["fields"])) == (
        layout.name,
        layout.size,
        len(layout.fields),
    )
    for each, field in zip(plain["fields"], layout.fields, strict=True):
        assert {int(value): text for value, text in each.pop("values").items()} == dict(field.values)
        assert each == {name: getattr(field, name) for name in each}


@pytest.mark.parametrize("opcode", AdminOpcode)
def test_every_admin_opcode_has_a_layout_of_its_own(opcode):
    assert layout_of_sqe(opcode, admin=True).fields[0].values == {opcode: opcode.meaning}


@pytest.mark.parametrize("opcode", IoOpcode)
def test_every_io_opcode_has_a_layout_of_its_own(opcode):
    assert layout_of_sqe(opcode, admin=False).fields[0].values == {opcode: opcode.meaning}


@pytest.mark.parametrize(
    ("opcode", "select", "name"),
    [
        (AdminOpcode.CONTROLLER_DATA_QUEUE, CdqSelect.CREATE, "SQE Controller Data Queue, Create"),
        (AdminOpcode.CONTROLLER_DATA_QUEUE, CdqSelect.DELETE, "SQE Controller Data Queue, Delete"),
        (AdminOpcode.TRACK_SEND, TrackSendSelect.LOG_USER_DATA, "SQE Track Send"),
        (AdminOpcode.TRACK_SEND, TrackSendSelect.TRACK_MEMORY, "SQE Track Send, Track Memory Changes"),
        (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.SUSPEND, "SQE Migration Send, Suspend"),
        (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.RESUME, "SQE Migration Send, Resume"),
        (
            AdminOpcode.MIGRATION_SEND,
            MigrationSendSelect.SET_STATE,
            "SQE Migration Send, Set Controller State",
        ),
        (
            AdminOpcode.SET_FEATURES,
            Feature.CONTROLLER_DATA_QUEUE,
            "SQE Set Features, Controller Data Queue",
        ),
        (AdminOpcode.SET_FEATURES, Feature.VOLATILE_WRITE_CACHE, "SQE Set Features"),
        (AdminOpcode.IDENTIFY, 0x15, "SQE Identify"),
        (AdminOpcode.MIGRATION_SEND, 0x77, "SQE"),
        (0x77, 0, "SQE"),
    ],
)
def test_the_selector_picks_the_layout_and_the_unknown_gets_the_plain_one(opcode, select, name):
    assert layout_of_sqe(opcode, admin=True, select=select).name == name
    assert LAYOUTS[name].name == name


def test_io_and_admin_commands_of_one_opcode_are_told_apart():
    assert layout_of_sqe(0x01, admin=True).name == "SQE Create I/O Submission Queue"
    assert layout_of_sqe(0x01, admin=False).name == "SQE Write"
    assert layout_of_sqe(0x3D, admin=False).name == "SQE"


@pytest.mark.parametrize("layout", COMMANDS, ids=lambda each: each.name)
def test_the_common_part_of_a_command_lies_where_the_ring_entry_has_it(layout):
    values = {"OPC": 1, "CID": 3, "NSID": 4, "MPTR": 7, "PRP1": 8, "PRP2": 9}
    sqe = Sqe._make(SQE.unpack(layout.pack(values | {"FUSE": 1, "PSDT": 1})))
    assert sqe == Sqe(1, 0x41, 3, 4, 0, 0, 7, 8, 9, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("layout", COMMANDS, ids=lambda each: each.name)
def test_a_command_without_data_direction_needs_no_buffer(layout):
    (opcode,) = layout.fields[0].values
    (prp1,) = (each for each in layout.fields if each.name == "PRP1")
    if opcode & 0b11 == 0b00:
        assert prp1.meaning == "not used: the command moves no data"


def test_a_plain_completion_lies_where_the_ring_entry_has_it():
    values = {"DW0": 1, "DW1": 2, "SQHD": 3, "SQID": 4, "CID": 5, "P": 1, "STATUS": 0x139, "DNR": 1}
    cqe = Cqe._make(CQE.unpack(LAYOUTS["CQE"].pack(values)))
    assert cqe == Cqe(1, 2, 3, 4, 5, status_word(Status.CONTROLLER_SUSPENDED, 1, dnr=True))


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(1, 2**32),
    st.sampled_from(EntrySpecial),
    st.sampled_from(LbaChange),
    st.booleans(),
    st.integers(0, 1),
)
def test_a_migration_queue_entry_reads_as_it_was_packed(nsid, slba, blocks, esa, change, dlba, phase):
    data = pack_mqe(nsid, slba, blocks, esa=esa, change=change, deallocated=dlba, phase=phase)
    values = layout_of_mqe(data).unpack(data)
    assert tuple(values[name] for name in ("ESA", "LBACIR", "DLBA", "CDQP")) == (esa, change, dlba, phase)
    assert tuple(values[name] for name in ("NSID", "NLB", "SLBA")) == MQE.unpack(data)[:3]


def test_an_entry_with_a_range_in_words():
    data = pack_mqe(1, 0x100, 8, phase=1)
    assert texts(layout_of_mqe(data), data) == [
        "NSID 1",
        "NLB 7 (8 blocks)",
        "SLBA 256",
        "CDQP 1",
        "ESA 0: ordinary entry",
        "DLBA 0",
        "LBACIR 0: the range SLBA, NLB changed",
    ]


def test_a_marker_in_words_counts_no_blocks():
    data = pack_mqe(0, 0, 0, esa=EntrySpecial.SUSPENDED, change=LbaChange.NONE, phase=0)
    assert texts(layout_of_mqe(data), data) == [
        "NSID 0",
        "NLB 0",
        "SLBA 0",
        "CDQP 0",
        "ESA 3: last entry, controller suspended",
        "DLBA 0",
        "LBACIR 2: no range in this entry",
    ]


def test_commands_in_words():
    write = texts(layout_of_sqe(0x01, admin=False), commands.write(7, 1, 12, 1, 0x3000))
    assert write[0] == "OPC 1h: Write"
    assert {"CID 7", "NSID 1", "PRP1 3000h", "SLBA 12", "NLB 0 (1 block)", "FUA 0"} <= set(write)
    start = migration_commands.track_send(7, 3, LogAction.START)
    assert texts(layout_of_sqe(0x3D, admin=True), start)[-3:] == [
        "SEL 0: log changes of user data",
        "LACT 1: start logging",
        "CDQID 3",
    ]
    create = migration_commands.create_cdq(7, 0x1000, 1024, 5)
    assert texts(layout_of_sqe(0x45, admin=True), create)[-5:] == [
        "SEL 0: create a queue",
        "QT 0: User Data Migration Queue",
        "PC 1",
        "CQS 5",
        "CDQSIZE 1024 dwords",
    ]
    asked = migration_commands.get_lba_status(7, 1, 0, 8, 1024, LbaStatusAction.ALLOCATED, 0)
    assert texts(layout_of_sqe(0x86, admin=True), asked)[-4:] == [
        "SLBA 0",
        "MNDW 1023 (1024 dwords)",
        "RL 8 blocks",
        "ATYPE 2h: report allocated LBAs",
    ]


@pytest.mark.parametrize("status", Status)
def test_a_completion_says_its_status_in_words(status):
    said = texts(LAYOUTS["CQE"], CQE.pack(0, 0, 0, 0, 0, status_word(status, 1)))
    assert f"STATUS {status:X}h: {status.title}. {status.sentence}" in said


def test_an_unknown_status_a_reserved_bit_and_a_value_without_meaning_are_said_so():
    unknown = texts(LAYOUTS["CQE"], CQE.pack(0, 0, 0, 0, 0, 0x13C << 1))
    assert "STATUS 13Ch: a value without a meaning here" in unknown
    entry = bytearray(pack_mqe(1, 0, 1, phase=1))
    entry[16], entry[31] = 1, 0b1011
    said = [each.text for each in decode(LAYOUTS["MQE"], entry)]
    assert "Reserved 1h: should be 0" in said
    assert "ESA 5: a value without a meaning here" in said


@pytest.mark.parametrize(
    ("dw0", "event"),
    [
        (0x00000004, OneShotEvent.TAIL_POINTER),
        (0x00000104, OneShotEvent.QUEUE_FULL),
    ],
)
def test_one_shot_events_of_the_fact_sheet(dw0, event):
    layout = layout_of_cqe(AdminOpcode.ASYNC_EVENT_REQUEST, admin=True)
    said = texts(layout, CQE.pack(dw0, 3, 0, 0, 0, 1))
    assert said[:4] == ["AET 4: one-shot", f"AEI {event}: {event.meaning}", "LID 0h", "CDQID 3"]


@pytest.mark.parametrize(
    ("opcode", "select", "dw0", "text"),
    [
        (AdminOpcode.CONTROLLER_DATA_QUEUE, CdqSelect.CREATE, 3, "CDQID 3"),
        (AdminOpcode.MIGRATION_RECEIVE, 0, 1, "CSUP 1"),
        (AdminOpcode.GET_FEATURES, Feature.CONTROLLER_DATA_QUEUE, 0x80000003, "ETPT 1"),
        (AdminOpcode.SET_FEATURES, Feature.NUMBER_OF_QUEUES, 7 << 16 | 3, "NCQA 7 (8 queues)"),
        (AdminOpcode.NAMESPACE_MANAGEMENT, 0, 2, "NSID 2"),
        (AdminOpcode.VIRTUALIZATION_MANAGEMENT, 8, 3, "NRM 3"),
        (AdminOpcode.ABORT, 0x3F, 1, "IANP 1"),
        (AdminOpcode.TRACK_SEND, 0, 5, "DW0 5h"),
    ],
)
def test_what_a_completion_returns_depends_on_the_command(opcode, select, dw0, text):
    assert text in texts(layout_of_cqe(opcode, admin=True, select=select), CQE.pack(dw0, 0, 0, 0, 0, 1))


def test_io_completions_are_plain():
    assert layout_of_cqe(IoOpcode.READ, admin=False).name == "CQE"


STATE = ControllerState(
    suspended=True,
    queues=QueueStates(
        (SubmissionQueueState(1, 2, 0x12340000, 64, 5, 7), SubmissionQueueState(3, 2, 0, 2, 0, 1)),
        (CompletionQueueState(2, 0x12350000, 64, 5, 6, 1, vector=9),),
    ),
    vendor_data=b"\x01\x02\x03\x04",
)


def test_a_controller_state_is_explained_with_all_its_queues():
    data = pack_controller_state(STATE)
    layout = layout_of_controller_state(data)
    assert sorted(bits_of(layout)) == list(range(8 * len(data)))
    said = texts(layout, data)
    assert "NVMECSS 20 dwords" in said
    assert "SQ[0].QSIZE 63 (64 entries)" in said
    assert "SQ[1].QID 3" in said
    assert "CQ[0].S0PT 1" in said
    assert "CQ[0].IV 9" in said
    assert said[-1] == "VSD 4030201h"


def test_a_controller_state_without_queues_is_its_header():
    data = pack_controller_state(ControllerState(suspended=False, queues=None))
    assert layout_of_controller_state(data).fields == LAYOUTS["Controller State"].fields


@given(st.integers(48, 140), st.integers(0, 3), st.integers(0, 3), st.integers(0, 30))
def test_even_a_damaged_controller_state_is_explained_bit_by_bit(size, sqs, cqs, nvmecss):
    data = bytearray(size)
    data[16] = nvmecss
    data[50:53:2] = bytes([sqs, cqs])[: len(data[50:53:2])]
    layout = layout_of_controller_state(data)
    assert sorted(bits_of(layout)) == list(range(8 * len(data)))


def test_an_lba_status_list_is_explained_with_all_its_descriptors():
    listed = [LbaStatusDescriptor(0x100, 8), LbaStatusDescriptor(0x200, 1)]
    data = pack_lba_status(listed, Completeness.COMPLETE) + bytes(4)
    layout = layout_of_lba_status(data)
    assert sorted(bits_of(layout)) == list(range(8 * len(data)))
    assert texts(layout, data) == [
        "NLSD 2",
        "CMPC 2: everything asked for is in the list",
        "[0].DSLBA 256",
        "[0].NLB 7 (8 blocks)",
        "[0].LBARS 2: one or more of the LBAs are allocated",
        "[1].DSLBA 512",
        "[1].NLB 0 (1 block)",
        "[1].LBARS 2: one or more of the LBAs are allocated",
        "Beyond 0h",
    ]


def test_a_dataset_management_range_in_words():
    assert texts(LAYOUTS["DSM Range"], pack_ranges([(256, 8)])) == ["CATTR 0h", "LLB 8 blocks", "SLBA 256"]


def test_a_source_range_of_copy_in_words():
    assert texts(LAYOUTS["Copy Range"], pack_copy_ranges([(256, 8)])) == [
        "SLBA 256",
        "NLB 7 (8 blocks)",
        "ELBT 0",
        "ELBAT 0",
        "ELBATM 0",
    ]


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (lambda: decode(LAYOUTS["MQE"], bytes(31)), "MQE of 31 bytes: must be 32 bytes"),
        (lambda: LAYOUTS["CQE"].unpack(bytes(17)), "CQE of 17 bytes: must be 16 bytes"),
        (lambda: layout_of_mqe(b""), "MQE of 0 bytes: must be 32 bytes"),
        (
            lambda: layout_of_controller_state(bytes(47)),
            "controller state of 47 bytes: must be at least 48",
        ),
        (lambda: layout_of_lba_status(bytes(7)), "LBA status of 7 bytes: must be at least 8"),
    ],
)
def test_bytes_of_the_wrong_size_are_refused(read, sentence):
    with pytest.raises(InputError) as refused:
        read()
    assert str(refused.value) == sentence


def test_a_field_that_a_layout_lacks_is_a_defect_of_the_kit():
    with pytest.raises(KitError, match="SQE Flush has no field SLBA"):
        LAYOUTS["SQE Flush"].pack({"SLBA": 0})
    with pytest.raises(KitError, match="SQE Flush has no field Reserved"):
        LAYOUTS["SQE Flush"].pack({"Reserved": 0})


@pytest.mark.parametrize(
    ("name", "values", "dwords"),
    [
        ("SQE Track Send, Track Memory Changes", {"SEL": 1, "TACT": 1, "CNTLID": 5}, {10: 0x00010001, 11: 5}),
        ("SQE Track Receive", {"CNTLID": 5, "NUMDL": 1023}, {11: 5, 12: 1023}),
        ("SQE Get Log Page", {"LID": 5, "NUMDL": 0x3FF, "RAE": 1, "CSI": 0}, {10: 0x03FF8005}),
        ("SQE Format NVM", {"LBAFL": 1, "SES": 1, "LBAFU": 1}, {10: 0x00001201}),
        ("SQE Sanitize", {"SANACT": 2, "AUSE": 1, "NDAS": 1, "OVRPAT": 0xDEAD}, {10: 0x20A, 11: 0xDEAD}),
        ("SQE Compare", {"SLBA": 1 << 32, "NLB": 7, "FUA": 1}, {11: 1, 12: 0x40000007}),
        ("SQE Verify", {"SLBA": 9, "NLB": 7, "LR": 1}, {10: 9, 12: 0x80000007}),
        ("SQE Copy", {"SDLBA": 9, "NR": 1, "DESFMT": 2, "STCR": 1}, {10: 9, 12: 0x02000201}),
    ],
)
def test_commands_without_a_builder_lie_as_the_standard_prints_them(name, values, dwords):
    packed = LAYOUTS[name].pack(values)
    found = {at: int.from_bytes(packed[4 * at : 4 * at + 4], "little") for at in range(16)}
    assert found == dict.fromkeys(range(16), 0) | dwords
