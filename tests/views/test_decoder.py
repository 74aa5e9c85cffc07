"""The decoder: bytes to meaning and back, for every structure of the kit, with what cannot be said in one sentence."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.notebook import decode, decoder, watch
from nvmelm_lab.nvme import LAYOUTS, MQE, commands, unpack_controller_state, unpack_mqe
from nvmelm_lab.views.decoder import KINDS, Structure, kind_of, parse_hex, parse_value, structure

each_kind = pytest.mark.parametrize("kind", KINDS)
MQE_HEX = KINDS["MQE"].example.hex()


def told(found):
    return {row.name: row.told for row in found.rows}


# -- bytes to meaning ----------------------------------------------------------------------------------------


@each_kind
def test_every_byte_of_a_structure_belongs_to_a_field(kind):
    found = Structure(kind, KINDS[kind].example)
    covered = [byte for row in found.rows for byte in range(row.first, row.last + 1)]
    assert set(covered) == set(range(len(found.data)))
    assert covered == sorted(covered)


@each_kind
def test_every_field_has_its_meaning_and_its_place_in_the_standard(kind):
    for row in Structure(kind, KINDS[kind].example).rows:
        assert row.meaning
        assert row.source.startswith(("Base 2.1, ", "NVM Command Set 1.2, "))


def test_values_are_told_in_words():
    found = told(decode(MQE_HEX, "MQE"))
    assert found["NLB"] == "NLB 7 (8 blocks)"
    assert found["SLBA"] == "SLBA 40"
    assert found["ESA"] == "ESA 0: ordinary entry"


def test_the_bytes_of_an_sqe_say_which_command_it_is():
    read = commands.read(1, 1, 0, 1, 0).hex()
    assert decode(read, "I/O SQE").layout.name == "SQE Read"
    identify = "06" + read[2:]
    assert decode(identify, "admin SQE").layout.name == "SQE Identify"


def test_text_and_html_carry_the_same_facts():
    found = decode(MQE_HEX, "MQE")
    html, text = found._repr_html_(), repr(found)
    for row in found.rows:
        assert row.place in text
        assert row.told in text
        assert row.meaning in text
        assert row.source in text
        assert row.place in html
        assert row.words in html
    assert "01 00 00 00 07 00 00 00 28" in html
    assert "01 00 00 00 07 00 00 00 28" in text


def test_a_place_counts_bits_within_the_bytes_that_it_names():
    places = {row.name: row.place for row in decode(KINDS["CQE"].example.hex(), "CQE").rows}
    assert places["CID"] == "bytes 12-13"
    assert places["P"] == "byte 14, bit 0"
    assert places["STATUS"] == "bytes 14-15, bits 11:1"


# -- and back ------------------------------------------------------------------------------------------------


@given(st.binary(min_size=32, max_size=32), st.data())
def test_a_field_that_is_edited_changes_its_own_bits_and_no_others(data, draw):
    before = Structure("MQE, no range", data)
    index = draw.draw(st.integers(0, len(before.rows) - 1))
    value = draw.draw(st.integers(0, before.layout.fields[index].most))
    after = before.with_value(index, str(value))
    rows = list(zip(before.rows, after.rows, strict=True))
    assert parse_value(after.layout.fields[index], after.rows[index].value) == value
    assert all(one.value == other.value for n, (one, other) in enumerate(rows) if n != index)


@each_kind
def test_every_value_can_be_typed_as_it_is_shown(kind):
    found = Structure(kind, KINDS[kind].example)
    for index, row in enumerate(found.rows):
        assert found.with_value(index, row.value) == found


def test_an_edited_opcode_makes_another_command_of_the_bytes():
    found = decode(commands.write(1, 1, 8, 4, 0x1000).hex(), "I/O SQE").with_value(0, "2")
    assert found.layout.name == "SQE Read"
    assert told(found)["SLBA"] == "SLBA 8"


def test_another_number_of_queues_makes_other_fields_of_a_controller_state():
    found = Structure("Controller State", KINDS["Controller State"].example)
    assert unpack_controller_state(found.data).queues.submission[0].tail == 7
    names = [row.name for row in found.rows]
    fewer = found.with_value(names.index("NVMECS.NIOCQ"), "0")
    assert not any(row.name.startswith("CQ[") for row in fewer.rows)


@pytest.mark.parametrize("text", ["01 00", "0100", "0x01,0x00", "01:00", " 01\n00\t"])
def test_hex_digits_may_be_written_in_the_usual_ways(text):
    assert parse_hex(text) == b"\x01\0"


@pytest.mark.parametrize("text", ["40", "28h", "0x28", " 28H "])
def test_a_value_may_be_written_in_the_usual_ways(text):
    slba = next(each for each in LAYOUTS["MQE"].fields if each.name == "SLBA")
    assert parse_value(slba, text) == 40


# -- what cannot be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("01 0", "3 hex digits are no whole number of bytes; give two digits a byte"),
        ("01 0g", r"'g' is no hex digit \(after 3 of them\); give 0 to 9 and A to F"),
        ("01 00", "MQE of 2 bytes: must be 32 bytes"),
        ("00" * 5000, "MQE of 5000 bytes: give at most 4096"),
    ],
)
def test_bytes_that_cannot_be_are_refused(text, says):
    with pytest.raises(InputError, match=says):
        decode(text, "MQE")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("eight", "NLB cannot be 'eight'; give a whole number such as 40, 28h or 0x28"),
        ("", "NLB cannot be ''; give a whole number"),
        ("-1", r"NLB cannot be -1; give 0 to 4294967295 \(FFFFFFFFh\)"),
        ("1FFFFFFFFh", "NLB cannot be 1FFFFFFFFh; give 0 to 4294967295"),
    ],
)
def test_values_that_cannot_be_are_refused(text, says):
    with pytest.raises(InputError, match=says):
        decode(MQE_HEX, "MQE").with_value(1, text)


def test_a_kind_that_there_is_not_is_named_with_the_one_that_was_meant():
    with pytest.raises(InputError, match="there is no kind 'MQEs'; did you mean 'MQE'"):
        decode(MQE_HEX, "MQEs")
    with pytest.raises(InputError, match="bytes alone do not say what they are; give one of I/O SQE"):
        decode(MQE_HEX)
    with pytest.raises(InputError, match="bytes cannot be taken for 'X'"):
        structure("X", MQE_HEX)


# -- from a run ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def player():
    return watch(blocks=32, filled=8, neighbour=False)


def test_every_step_of_a_run_that_shows_bytes_can_be_decoded(player):
    shown = [step["bytes"] for step in player._run["steps"] if step.get("bytes")]
    assert len(shown) > 20
    for name, digits in shown:
        found = structure(kind_of(name), digits)
        assert found.layout.name == name


def test_a_step_is_named_by_its_number_or_its_words(player):
    index = next(
        n for n, step in enumerate(player._run["steps"]) if (step.get("bytes") or [""])[0].startswith("MQE")
    )
    found = decode(player, at=index)
    assert found.kind == "MQE"
    slba, blocks = player._run["steps"][index]["lbas"]
    entry = unpack_mqe(found.data)
    assert (entry.slba, entry.blocks) == (slba, blocks)
    first = next(
        n for n, step in enumerate(player._run["steps"]) if "reads the entry in slot" in step["text"]
    )
    assert decode(player, at="reads the entry in slot") == decode(player, at=first)


def test_a_step_without_bytes_is_refused_with_some_that_have_them(player):
    bare = next(n for n, step in enumerate(player._run["steps"]) if not step.get("bytes"))
    with pytest.raises(InputError, match=rf"step {bare} shows no SQE, CQE or MQE; near it, these do: \d+"):
        decode(player, at=bare)
    with pytest.raises(InputError, match="this run has steps 0 to"):
        decode(player, at=10**6)


# -- the widget ----------------------------------------------------------------------------------------------


def hear(widget, **request):
    widget._hear(widget, request, [])
    return widget._plain()


def test_a_field_that_is_typed_changes_the_bytes_and_bytes_the_fields():
    widget = decoder("MQE")
    view = hear(widget, kind="field", index=2, text="48")
    assert MQE.unpack(widget.structure.data)[2] == 48
    assert view["lines"][0].split()[8] == "30"
    view = hear(widget, kind="bytes", text=MQE_HEX)
    assert view["rows"][2]["value"] == "40"
    assert view["refused"] == {}


def test_what_cannot_be_is_said_in_place_and_nothing_changes():
    widget = decoder("MQE")
    before = widget.structure
    view = hear(widget, kind="field", index=1, text="many")
    assert view["refused"]["at"] == 1
    assert view["refused"]["words"].startswith("NLB cannot be 'many'")
    assert hear(widget, kind="bytes", text="0x")["refused"]["at"] == -1
    assert widget.structure == before
    assert hear(widget, kind="view")["refused"] == {}


def test_bytes_can_be_taken_for_another_kind():
    widget = decoder("I/O SQE")
    data = widget.structure.data
    assert hear(widget, kind="as", name="admin SQE")["title"] == "SQE Create I/O Submission Queue, 64 bytes"
    assert widget.structure.data == data
    assert hear(widget, kind="as", name="CQE")["title"] == "CQE, 16 bytes"


def test_by_name_from_a_cell():
    widget = decoder("MQE")
    widget.set_value("NLB", "0")
    assert "(1 block)" in repr(widget)
    widget.set_bytes(MQE_HEX)
    assert widget.structure.data.hex() == MQE_HEX
    with pytest.raises(InputError, match="MQE has no field 'LBA'; there are: NSID, NLB, SLBA"):
        widget.set_value("LBA", "0")


def test_the_saved_widget_holds_neither_code_nor_bytes():
    state = decoder("Controller State").get_state()
    assert len(json.dumps({name: state[name] for name in ("_esm", "_key")})) < 8000
    assert not any(isinstance(value, bytes) and len(value) > 100 for value in state.values())


def test_what_goes_to_the_browser_is_plain():
    widget = decoder("CQE")
    sent = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers))
    hear(widget, kind="ask")
    (content, (code, style, packed)) = sent[0]
    assert content["kind"] == "run"
    assert b"class Decoder" in code
    assert b".nvd" in style
    assert json.loads(zlib.decompress(packed))["title"] == "CQE, 16 bytes"
