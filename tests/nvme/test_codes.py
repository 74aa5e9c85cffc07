"""The numbers of the standard, as the fact sheet prints them."""

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme import codes
from nvmelm_lab.nvme.bits import Bits
from nvmelm_lab.nvme.codes import AdminOpcode, Code, IoOpcode, Property

ENUMERATIONS = [each for each in vars(codes).values() if isinstance(each, type) and issubclass(each, Code)]


def test_opcodes_of_live_migration():
    assert AdminOpcode.TRACK_SEND == 0x3D
    assert AdminOpcode.TRACK_RECEIVE == 0x3E
    assert AdminOpcode.MIGRATION_SEND == 0x41
    assert AdminOpcode.MIGRATION_RECEIVE == 0x42
    assert AdminOpcode.CONTROLLER_DATA_QUEUE == 0x45
    assert AdminOpcode.GET_LBA_STATUS == 0x86


@pytest.mark.parametrize(
    ("opcode", "direction"),
    [
        (AdminOpcode.TRACK_SEND, 0b01),
        (AdminOpcode.TRACK_RECEIVE, 0b10),
        (AdminOpcode.MIGRATION_SEND, 0b01),
        (AdminOpcode.MIGRATION_RECEIVE, 0b10),
        (AdminOpcode.CONTROLLER_DATA_QUEUE, 0b01),
        (AdminOpcode.GET_LBA_STATUS, 0b10),
        (AdminOpcode.IDENTIFY, 0b10),
        (AdminOpcode.ABORT, 0b00),
        (IoOpcode.WRITE, 0b01),
        (IoOpcode.READ, 0b10),
        (IoOpcode.WRITE_ZEROES, 0b00),
        (IoOpcode.WRITE_UNCORRECTABLE, 0b00),
        (IoOpcode.DATASET_MANAGEMENT, 0b01),
        (IoOpcode.FLUSH, 0b00),
    ],
)
def test_opcode_bits_1_0_tell_the_data_direction(opcode, direction):
    assert opcode & 0b11 == direction


@pytest.mark.parametrize("enumeration", ENUMERATIONS, ids=lambda each: each.__name__)
def test_every_number_has_a_meaning_and_every_enumeration_a_source(enumeration):
    if enumeration is Code:
        return
    assert all(code.meaning for code in enumeration)
    assert "Base" in enumeration.__doc__ or "NVM" in enumeration.__doc__


@pytest.mark.parametrize("enumeration", ENUMERATIONS, ids=lambda each: each.__name__)
def test_no_number_stands_for_two_things(enumeration):
    assert len(enumeration.__members__) == len(set(enumeration.__members__.values()))


def test_a_number_is_looked_up_by_its_value():
    assert codes.EntrySpecial(7) is codes.EntrySpecial.FULL
    assert codes.LbaStatusAction(0x02) is codes.LbaStatusAction.ALLOCATED
    with pytest.raises(ValueError, match="5 is not a valid EntrySpecial"):
        codes.EntrySpecial(5)


def test_properties_do_not_overlap():
    wide = {Property.CAP, Property.ASQ, Property.ACQ}
    taken = [offset for each in Property for offset in range(each, each + (8 if each in wide else 4))]
    assert len(taken) == len(set(taken))


def test_doorbells_lie_pairwise_from_1000h_on():
    assert codes.sq_tail_doorbell(0) == 0x1000
    assert codes.cq_head_doorbell(0) == 0x1004
    assert codes.sq_tail_doorbell(3) == 0x1018
    assert codes.cq_head_doorbell(3) == 0x101C


def test_controller_configuration_of_a_usual_driver():
    configured = codes.CC_EN.put(1) | codes.CC_IOSQES.put(6) | codes.CC_IOCQES.put(4)
    assert configured == 0x00460001
    assert codes.CC_SHN.get(0x00464001) == 1
    assert codes.CC_MPS.get(configured) == 0


def test_admin_queue_attributes_hold_0s_based_sizes():
    assert codes.AQA_ASQS.put(31) | codes.AQA_ACQS.put(63) == 0x003F001F


def test_capabilities_are_taken_apart():
    cap = 0x0000_0020_1401_07FF
    assert codes.CAP_MQES.get(cap) == 2047
    assert codes.CAP_CQR.get(cap) == 1
    assert codes.CAP_TO.get(cap) == 20
    assert codes.CAP_DSTRD.get(cap) == 0
    assert codes.CAP_CSS.get(cap) == 1


@pytest.mark.parametrize("value", [-1, 8])
def test_a_value_too_large_for_its_bits_is_refused(value):
    with pytest.raises(InputError, match=f"value {value} for bits 6:4: must be 0 to 7"):
        Bits(6, 4).put(value)
