"""Identify pages: where each field lies, and that a page comes back as it went."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme import identify
from nvmelm_lab.nvme.identify import (
    IdentifyController,
    IdentifyNamespace,
    IdentifyNvmController,
    IdentifyNvmNamespace,
    PrimaryCapabilities,
)
from nvmelm_lab.nvme.identify_lists import (
    SecondaryController,
    StateFormats,
    pack_controller_list,
    pack_namespace_list,
    pack_secondary_controllers,
    pack_state_formats,
    unpack_controller_list,
    unpack_namespace_list,
    unpack_secondary_controllers,
    unpack_state_formats,
)
from nvmelm_lab.nvme.pages import pack_page, unpack_page

PAGES = [
    IdentifyController,
    IdentifyNamespace,
    IdentifyNvmNamespace,
    IdentifyNvmController,
    PrimaryCapabilities,
]


def number_at(page, first, last):
    return int.from_bytes(page[first : last + 1], "little")


@pytest.mark.parametrize(
    ("page", "first", "last"),
    [
        (IdentifyController(vid=0x55), 0, 1),
        (IdentifyController(mdts=0x55), 77, 77),
        (IdentifyController(cntlid=0x55), 78, 79),
        (IdentifyController(ver=0x55), 80, 83),
        (IdentifyController(oaes=0x55), 92, 95),
        (IdentifyController(oacs=0x55), 256, 257),
        (IdentifyController(hmpre=0x55), 272, 275),
        (IdentifyController(sqes=0x55), 512, 512),
        (IdentifyController(cqes=0x55), 513, 513),
        (IdentifyController(nn=0x55), 516, 519),
        (IdentifyController(oncs=0x55), 520, 521),
        (IdentifyController(sgls=0x55), 536, 539),
        (IdentifyController(cmmrtd=0x55), 570, 571),
        (IdentifyController(nmmrtd=0x55), 572, 573),
        (IdentifyController(minmrtg=0x55), 574, 574),
        (IdentifyController(maxmrtg=0x55), 575, 575),
        (IdentifyController(trattr=0x55), 576, 576),
        (IdentifyController(mcudmq=0x55), 578, 579),
        (IdentifyController(mnsudmq=0x55), 580, 581),
        (IdentifyController(mcmr=0x55), 582, 583),
        (IdentifyController(nmcmr=0x55), 584, 585),
        (IdentifyController(mcdqpc=0x55), 586, 587),
        (IdentifyController(sanicap=0x55), 328, 331),
        (IdentifyController(fna=0x55), 524, 524),
        (IdentifyController(ocfs=0x55), 534, 535),
        (IdentifyNamespace(nsze=0x55), 0, 7),
        (IdentifyNamespace(ncap=0x55), 8, 15),
        (IdentifyNamespace(nuse=0x55), 16, 23),
        (IdentifyNamespace(nsfeat=0x55), 24, 24),
        (IdentifyNamespace(flbas=0x55), 26, 26),
        (IdentifyNamespace(nmic=0x55), 30, 30),
        (IdentifyNamespace(dlfeat=0x55), 33, 33),
        (IdentifyNamespace(mssrl=0x55), 74, 75),
        (IdentifyNamespace(mcl=0x55), 76, 79),
        (IdentifyNamespace(msrc=0x55), 80, 80),
        (IdentifyNamespace(lbads=0x55), 130, 130),
        (IdentifyNvmNamespace(tlbaag=0x55), 292, 295),
        (IdentifyNvmController(aocs=0x55), 18, 19),
        (PrimaryCapabilities(crt=0x55), 4, 4),
        (PrimaryCapabilities(vqrfa=0x55), 36, 39),
        (PrimaryCapabilities(vigran=0x55), 78, 79),
        (IdentifyNvmController(ver=0x55), 20, 23),
        (IdentifyNvmController(lbamqf=0x55), 24, 24),
    ],
)
def test_a_field_lies_at_the_bytes_that_the_standard_gives(page, first, last):
    assert number_at(pack_page(page), first, last) == 0x55


@pytest.mark.parametrize(
    ("bits", "place"),
    [
        (identify.OACS_NMS, 3),
        (identify.OACS_VMS, 7),
        (identify.OACS_GLSS, 9),
        (identify.OACS_HMLMS, 11),
        (identify.TRATTR_THMCS, 0),
        (identify.TRATTR_TUDCS, 1),
        (identify.TRATTR_MRTLL, 2),
        (identify.AOCS_RALBAS, 0),
        (identify.ONCS_NVMWUSV, 1),
        (identify.ONCS_NVMDSMSV, 2),
        (identify.ONCS_NVMWZSV, 3),
        (identify.ONCS_NVMVFYS, 7),
        (identify.ONCS_NVMCPYS, 8),
        (identify.ONCS_NVMCSA, 9),
        (identify.ONCS_NSZS, 12),
    ],
)
def test_a_capability_bit_lies_where_the_standard_puts_it(bits, place):
    assert bits.put(1) == 1 << place


@pytest.mark.parametrize("kind", PAGES)
def test_no_two_fields_of_a_page_share_a_byte(kind):
    sizes = {"B": 1, "H": 2, "I": 4, "Q": 8}
    taken = []
    for each in fields(kind):
        offset, form = each.metadata["offset"], each.metadata["form"].lstrip("<")
        size = int(form[:-1]) if form.endswith("s") else sizes[form]
        taken += range(offset, offset + size)
    assert len(taken) == len(set(taken))
    assert max(taken) < 4096


def test_text_is_padded_with_spaces_and_read_without_them():
    packed = pack_page(IdentifyController(sn="LM0001", mn="Teaching SSD"))
    assert packed[4:24] == b"LM0001              "
    page = unpack_page(IdentifyController, packed)
    assert (page.sn, page.mn) == ("LM0001", "Teaching SSD")


def test_a_usual_controller_says_its_version_and_entry_sizes():
    packed = pack_page(IdentifyController())
    assert packed[80:84] == bytes([0x00, 0x01, 0x02, 0x00])
    assert (packed[512], packed[513]) == (0x66, 0x44)


@given(
    st.builds(
        IdentifyNamespace,
        nsze=st.integers(0, 2**64 - 1),
        nuse=st.integers(0, 2**64 - 1),
        nmic=st.integers(0, 255),
        lbads=st.integers(9, 16),
    )
)
def test_a_page_comes_back_as_it_went(page):
    assert unpack_page(IdentifyNamespace, pack_page(page)) == page


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (IdentifyController(cntlid=65536), "cntlid 65536 of Identify: must be 0 to 65535"),
        (IdentifyController(sn="x" * 21), "must be at most 20 ASCII characters"),
        (IdentifyController(mn="SSD\u2122"), "must be at most 40 ASCII characters"),
    ],
)
def test_values_that_do_not_fit_are_refused(page, sentence):
    with pytest.raises(InputError, match=sentence):
        pack_page(page)


def test_a_page_of_another_size_is_refused():
    with pytest.raises(InputError, match="Identify page of 512 bytes: must be 4096"):
        unpack_page(IdentifyController, bytes(512))


def test_a_namespace_list_ends_at_the_first_zero():
    packed = pack_namespace_list([1, 2, 0x10000])
    assert packed[:16] == bytes.fromhex("01000000 02000000 00000100 00000000")
    assert len(packed) == 4096


@given(st.sets(st.integers(1, 0xFFFFFFFE), max_size=50))
def test_a_namespace_list_comes_back_as_it_went(nsids):
    assert unpack_namespace_list(pack_namespace_list(sorted(nsids))) == tuple(sorted(nsids))


def test_a_full_namespace_list_needs_no_zero_at_its_end():
    assert unpack_namespace_list(pack_namespace_list(range(1, 1025))) == tuple(range(1, 1025))


def test_a_controller_list_starts_with_its_count():
    assert pack_controller_list([5, 0x102])[:8] == bytes.fromhex("0200 0500 0201 0000")


@given(st.sets(st.integers(0, 0xFFEF), max_size=50))
def test_a_controller_list_comes_back_as_it_went(cntlids):
    assert unpack_controller_list(pack_controller_list(sorted(cntlids))) == tuple(sorted(cntlids))


@pytest.mark.parametrize(
    ("pack", "ids", "sentence"),
    [
        (pack_namespace_list, [2, 1], "namespace id 1 after 2: ids must ascend"),
        (pack_namespace_list, [0], "namespace id 0 after 0: ids must ascend and lie between 1"),
        (pack_namespace_list, range(1, 1026), "list of 1025 namespace ids: must be at most 1024"),
        (pack_controller_list, [3, 3], "controller id 3 after 3: ids must ascend"),
        (pack_controller_list, [0xFFF0], "controller id 65520 after -1: ids must ascend and lie between 0"),
        (pack_controller_list, range(2048), "list of 2048 controller ids: must be at most 2047"),
    ],
)
def test_a_list_out_of_order_or_too_long_is_refused(pack, ids, sentence):
    with pytest.raises(InputError, match=sentence):
        pack(ids)


def test_a_controller_list_that_says_more_than_it_holds_is_refused():
    with pytest.raises(InputError, match="controller list of 65535 ids: must be at most 2047"):
        unpack_controller_list(b"\xff\xff" + bytes(4094))
    with pytest.raises(InputError, match="controller id 0 after 0"):
        unpack_controller_list(b"\x02\x00" + bytes(4094))


def test_a_secondary_controller_lies_where_the_standard_puts_it():
    packed = pack_secondary_controllers([SecondaryController(0x0102, 0x0304, True, 0x0506, 0x0708, 0x090A)])
    assert packed[0] == 1
    assert packed[1:32] == bytes(31)
    assert packed[32:46] == bytes.fromhex("0201 0403 01 000000 0605 0807 0A09")
    assert packed[46:] == bytes(4050)


def test_secondary_controllers_come_back_as_they_went():
    listed = tuple(SecondaryController(n, 0, n % 2 == 0, n, 3, 1) for n in range(1, 128))
    assert unpack_secondary_controllers(pack_secondary_controllers(listed)) == listed


def test_a_secondary_controller_list_that_says_more_than_it_holds_is_refused():
    with pytest.raises(InputError, match="secondary controller list of 128 entries: must be at most 127"):
        unpack_secondary_controllers(bytes([128]) + bytes(4095))


def test_the_least_answer_to_supported_state_formats():
    packed = pack_state_formats(StateFormats(versions=(0,)))
    assert packed[:4] == bytes.fromhex("01 00 00 00")
    assert packed == b"\x01" + bytes(4095)


def test_state_formats_lie_where_the_standard_puts_them():
    uuid = bytes(range(16))
    packed = pack_state_formats(StateFormats((0, 0x0102), (uuid,)))
    assert packed[:6] == bytes.fromhex("02 01 0000 0201")
    assert packed[6:22] == uuid


@given(
    st.lists(st.integers(0, 65535), max_size=20),
    st.lists(st.binary(min_size=16, max_size=16), max_size=20),
)
def test_state_formats_come_back_as_they_went(versions, uuids):
    formats = StateFormats(tuple(versions), tuple(uuids))
    assert unpack_state_formats(pack_state_formats(formats)) == formats


@pytest.mark.parametrize(
    ("formats", "sentence"),
    [
        (StateFormats((65536,)), "version 65536 of controller state: must be 0 to 65535"),
        (StateFormats((0,), (b"ab",)), "UUID 6162 of controller state: must be 16 bytes"),
        (StateFormats((0,) * 256), "256 versions of controller state: must be at most 255"),
        (StateFormats((0,) * 255, (bytes(16),) * 255), "must be at most 4096"),
    ],
)
def test_state_formats_that_do_not_fit_are_refused(formats, sentence):
    with pytest.raises(InputError, match=sentence):
        pack_state_formats(formats)


def test_state_formats_longer_than_their_page_are_refused():
    with pytest.raises(InputError, match="255 versions and 255 UUIDs of controller state: need 4592 bytes"):
        unpack_state_formats(b"\xff\xff" + bytes(4094))
