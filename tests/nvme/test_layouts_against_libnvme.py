"""Our layouts and numbers against libnvme's, which others wrote: the compiler says where libnvme puts things.

Where libnvme or a C compiler is missing these tests are skipped and say so; in CI that fails.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import fields
from enum import IntEnum
from pathlib import Path
from struct import calcsize

import pytest

from nvmelm_lab.nvme import LAYOUTS, codes, identify, log_pages
from nvmelm_lab.nvme.bits import Bits as OurBits
from nvmelm_lab.nvme.fields import RESERVED, Field, Layout
from nvmelm_lab.nvme.identify_lists import (
    SecondaryController,
    pack_controller_list,
    pack_namespace_list,
    pack_secondary_controllers,
)
from nvmelm_lab.nvme.log_pages import (
    pack_command_effects,
    pack_feature_effects,
    pack_firmware_slots,
    pack_supported_log_pages,
)
from nvmelm_lab.nvme.status import Status
from tests.nvme import libnvme
from tests.nvme.libnvme import offset, size
from tests.nvme.libnvme_commands import BUILT, EVERYWHERE, NOT_BUILT, Built
from tests.nvme.libnvme_structures import (
    CQE_BITS,
    FLAGS,
    LOWER_HALVES,
    NOT_IN_LIBNVME,
    NUMBERS,
    NUMBERS_NOT_IN_LIBNVME,
    PAGES,
    REGISTER_BITS,
    SQE_MEMBERS,
    STRUCTURES,
    Bits,
    Within,
)
from tools.libnvme import missing

Number = Callable[[str], int]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where programs are compiled, if they can be."""
    lack = missing()
    if lack is not None and "CI" in os.environ:
        pytest.fail(f"the layouts must be compared with libnvme's here. {lack}")
    if lack is not None:
        pytest.skip(f"the layouts are not compared with libnvme's. {lack}")
    return tmp_path_factory.mktemp("libnvme")


@pytest.fixture(scope="module")
def number(folder: Path) -> Number:
    """What libnvme makes of a C expression; all are asked at once."""
    return libnvme.numbers(expressions(), folder).__getitem__


@pytest.fixture(scope="module")
def submitted(folder: Path) -> Callable[[str], bytes]:
    """The SQE that a call submits; all are asked at once."""
    calls = [call for built in BUILT for call, _ in walks(built)]
    return libnvme.commands(calls, folder).__getitem__


def expressions() -> list[str]:
    """Everything that is asked of libnvme's headers."""
    asked = [expression for members in NUMBERS.values() for expression in members.values()]
    for structure, members in STRUCTURES.values():
        asked.append(size(structure, ""))
        for place in members.values():
            member = place if isinstance(place, str) else place.member
            asked += [offset(structure, member), size(structure, member)]
            if isinstance(place, Bits):
                asked += [f"{place.name}_SHIFT", f"{place.name}_MASK"]
    for member in (*SQE_MEMBERS.values(), "timeout_ms"):
        asked += [offset("nvme_passthru_cmd", member), size("nvme_passthru_cmd", member)]
    for page, (structure, _) in PAGES.items():
        asked.append(size(structure, ""))
        for each in fields(page):
            asked += [ask(structure, member_of(page, each.name)) for ask in (offset, size)]
    for _, shift, mask in CQE_BITS.values():
        asked += [shift, mask]
    for name in REGISTER_BITS.values():
        asked += [f"{name}_SHIFT", f"{name}_MASK"]
    return asked + list(FLAGS.values()) + LIST_EXPRESSIONS


def member_of(page: type, name: str) -> str:
    return PAGES[page][1].get(name, name)


def bits_of(field: Field) -> tuple[int, int]:
    """The lowest bit of a field in its structure, and its largest value."""
    return field.start, field.most


def named(layout: Layout) -> dict[str, Field]:
    return {each.name: each for each in layout.fields if each.name != RESERVED}


# -- structures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_has_libnvmes_size(name: str, number: Number) -> None:
    assert LAYOUTS[name].size == number(size(STRUCTURES[name][0], ""))


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, (_, members) in STRUCTURES.items() for field in members]
)
def test_a_field_lies_where_libnvme_has_it(name: str, field: str, number: Number) -> None:
    structure, members = STRUCTURES[name]
    place, ours = members[field], named(LAYOUTS[name])[field]
    member = place if isinstance(place, str) else place.member
    start, length = 8 * number(offset(structure, member)), 8 * number(size(structure, member))
    if isinstance(place, Within):
        assert start <= ours.start < ours.start + ours.most.bit_length() <= start + length
    elif isinstance(place, Bits):
        assert bits_of(ours) == (start + number(f"{place.name}_SHIFT"), number(f"{place.name}_MASK"))
    else:
        assert bits_of(ours) == (start, (1 << length) - 1)


@pytest.mark.parametrize("field", SQE_MEMBERS)
def test_a_field_of_the_sqe_lies_where_libnvme_has_it(field: str, number: Number) -> None:
    member = SQE_MEMBERS[field]
    first, length = number(offset("nvme_passthru_cmd", member)), number(size("nvme_passthru_cmd", member))
    assert bits_of(named(LAYOUTS["SQE"])[field]) == (8 * first, (1 << 8 * length) - 1)


def test_behind_the_sqe_libnvme_has_fields_of_its_own(number: Number) -> None:
    assert LAYOUTS["SQE"].size == number(offset("nvme_passthru_cmd", "timeout_ms"))


@pytest.mark.parametrize(("name", "field"), CQE_BITS)
def test_a_field_of_a_completion_lies_where_libnvme_has_it(name: str, field: str, number: Number) -> None:
    first, shift, mask = CQE_BITS[name, field]
    assert bits_of(named(LAYOUTS[name])[field]) == (first + number(shift), number(mask))


@pytest.mark.parametrize(
    ("page", "name"), [(page, each.name) for page in PAGES for each in fields(page)], ids=str
)
def test_a_field_of_identify_lies_where_libnvme_has_it(page: type, name: str, number: Number) -> None:
    structure, member = PAGES[page][0], member_of(page, name)
    (ours,) = [each for each in fields(page) if each.name == name]
    assert ours.metadata["offset"] == number(offset(structure, member))
    length = 2 * calcsize(ours.metadata["form"]) if name in LOWER_HALVES else calcsize(ours.metadata["form"])
    assert length == number(size(structure, member))


@pytest.mark.parametrize("page", PAGES)
def test_an_identify_page_has_libnvmes_size(page: type, number: Number) -> None:
    assert number(size(PAGES[page][0], "")) == 4096


# -- lists ------------------------------------------------------------------------------------------------

_ENTRY = {"scid": 0x0102, "pcid": 0x0304, "scs": 1, "vfn": 0x0506, "nvq": 0x0708, "nvi": 0x090A}
LIST_EXPRESSIONS = [
    *(ask("nvme_secondary_ctrl", member) for member in _ENTRY for ask in (offset, size)),
    size("nvme_secondary_ctrl", ""),
    offset("nvme_secondary_ctrl_list", "num"),
    offset("nvme_secondary_ctrl_list", "sc_entry"),
    offset("nvme_ctrl_list", "num"),
    offset("nvme_ctrl_list", "identifier[1]"),
    size("nvme_ctrl_list", "identifier[1]"),
    offset("nvme_ns_list", "ns[1]"),
    size("nvme_ns_list", "ns[1]"),
    offset("nvme_cmd_effects_log", "acs[7]"),
    offset("nvme_cmd_effects_log", "iocs[7]"),
    size("nvme_cmd_effects_log", ""),
    offset("nvme_supported_log_pages", "lid_support[7]"),
    size("nvme_supported_log_pages", ""),
    offset("nvme_fid_supported_effects_log", "fid_support[7]"),
    size("nvme_fid_supported_effects_log", ""),
    offset("nvme_firmware_slot", "afi"),
    offset("nvme_firmware_slot", "frs"),
    size("nvme_firmware_slot", ""),
]


def test_a_secondary_controller_lies_where_libnvme_has_it(number: Number) -> None:
    values = list(_ENTRY.values())
    entry = SecondaryController(*values[:2], True, *values[3:])
    page = pack_secondary_controllers([SecondaryController(0, 0, False, 0, 0, 0), entry])
    assert page[number(offset("nvme_secondary_ctrl_list", "num"))] == 2
    first = number(offset("nvme_secondary_ctrl_list", "sc_entry")) + number(size("nvme_secondary_ctrl", ""))
    for member, value in _ENTRY.items():
        at = first + number(offset("nvme_secondary_ctrl", member))
        length = number(size("nvme_secondary_ctrl", member))
        assert int.from_bytes(page[at : at + length], "little") == value


@pytest.mark.parametrize(
    ("page", "structure", "member"),
    [
        (pack_controller_list([7, 0x0102]), "nvme_ctrl_list", "identifier[1]"),
        (pack_namespace_list([7, 0x0102]), "nvme_ns_list", "ns[1]"),
    ],
)
def test_an_item_of_a_list_lies_where_libnvme_has_it(
    page: bytes, structure: str, member: str, number: Number
) -> None:
    at, length = number(offset(structure, member)), number(size(structure, member))
    assert int.from_bytes(page[at : at + length], "little") == 0x0102


@pytest.mark.parametrize(
    ("page", "structure", "member"),
    [
        (pack_command_effects({7: 0x0102}, {}), "nvme_cmd_effects_log", "acs[7]"),
        (pack_command_effects({}, {7: 0x0102}), "nvme_cmd_effects_log", "iocs[7]"),
        (pack_supported_log_pages([7]), "nvme_supported_log_pages", "lid_support[7]"),
        (pack_feature_effects({7: 0x0102}), "nvme_fid_supported_effects_log", "fid_support[7]"),
    ],
)
def test_an_item_of_a_log_page_lies_where_libnvme_has_it(
    page: bytes, structure: str, member: str, number: Number
) -> None:
    assert len(page) == number(size(structure, ""))
    at = number(offset(structure, member))
    assert int.from_bytes(page[at : at + 4], "little") == (0x0102 if "effects" in structure else 1)
    assert not any(page[:at] + page[at + 4 :])


def test_the_firmware_slots_lie_where_libnvme_has_them(number: Number) -> None:
    page = pack_firmware_slots("2.1")
    assert len(page) == number(size("nvme_firmware_slot", ""))
    assert page[number(offset("nvme_firmware_slot", "afi"))] == 1
    first = number(offset("nvme_firmware_slot", "frs"))
    assert page[first : first + 8] == b"2.1     "


# -- commands ---------------------------------------------------------------------------------------------


def walks(built: Built) -> list[tuple[str, dict[str, int]]]:
    """The calls with all arguments 0 but one, which has all its bits set; and the fields that they set."""
    layout = named(LAYOUTS[built.layout])
    arguments = sorted(set(re.findall(r"{(.+?)}", built.call)))
    walks = []
    for chosen in ["", *arguments]:
        values = dict.fromkeys(arguments, 0)
        if chosen:
            values[chosen] = built.most.get(chosen, layout[chosen].most)
        call = re.sub(r"{(.+?)}", lambda match, values=values: f"{values[match[1]]}ull", built.call)
        walks.append((call, values))
    return walks


@pytest.mark.parametrize("built", BUILT, ids=lambda built: built.layout)
def test_a_command_is_as_libnvme_builds_it(built: Built, submitted: Callable[[str], bytes]) -> None:
    layout = LAYOUTS[built.layout]
    (opcode,) = named(layout)["OPC"].values
    for call, values in walks(built):
        assert layout.pack({"OPC": opcode, **built.fixed, **values}).hex() == submitted(call).hex(), call


@pytest.mark.parametrize("built", BUILT, ids=lambda built: built.layout)
def test_each_field_of_a_command_is_compared_or_named_as_left_out(built: Built) -> None:
    used = {each.name for each in LAYOUTS[built.layout].fields if not each.meaning.startswith("not used")}
    arguments = set(re.findall(r"{(.+?)}", built.call))
    assert used - {RESERVED} - EVERYWHERE == arguments | set(built.fixed) | set(built.unset)


# -- numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NUMBERS, ids=lambda kind: kind.__name__)
def test_numbers_are_libnvmes(kind: type[IntEnum], number: Number) -> None:
    assert {each.name: each.value for each in kind} == {
        name: number(expression) for name, expression in NUMBERS[kind].items()
    }


@pytest.mark.parametrize("name", REGISTER_BITS)
def test_bits_lie_where_libnvme_has_them(name: str, number: Number) -> None:
    ours: OurBits = getattr(codes, name, None) or getattr(identify, name)
    theirs = REGISTER_BITS[name]
    assert (ours.low, ours.get(-1)) == (number(f"{theirs}_SHIFT"), number(f"{theirs}_MASK"))


@pytest.mark.parametrize("name", FLAGS)
def test_flags_lie_where_libnvme_has_them(name: str, number: Number) -> None:
    ours: OurBits = getattr(identify, name, None) or getattr(log_pages, name)
    assert ours.put(ours.get(-1)) == number(FLAGS[name])


# -- nothing is forgotten ---------------------------------------------------------------------------------


def test_each_layout_is_compared_or_named_as_not_in_libnvme() -> None:
    compared = {"SQE", *STRUCTURES, *(built.layout for built in BUILT), *(name for name, _ in CQE_BITS)}
    left_out = {**NOT_BUILT, **NOT_IN_LIBNVME}
    assert not compared & left_out.keys()
    assert compared | left_out.keys() == LAYOUTS.keys()


@pytest.mark.parametrize("name", STRUCTURES)
def test_each_field_of_a_structure_is_compared(name: str) -> None:
    assert named(LAYOUTS[name]).keys() == STRUCTURES[name][1].keys()


def test_each_kind_of_number_is_compared_or_named_as_not_in_libnvme() -> None:
    ours = {Status, *codes.Code.__subclasses__()}
    assert ours == NUMBERS.keys() | NUMBERS_NOT_IN_LIBNVME
