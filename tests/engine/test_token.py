"""Replay tokens: one line of text that brings a run back, or says why it cannot."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Replay, Token, Trace, decode_token, encode_token
from nvmelm_lab.errors import InputError
from tests.engine.actors import Diary

KIT = "1.2.3"
TOKEN = Token(KIT, {"blocks": 176, "workload": "zipf"}, ["random", 7], {"trace.log": "ab" * 32})
TEXT = encode_token(TOKEN)

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=10,
)


@settings(deadline=None)
@given(
    scenario=st.dictionaries(st.text(), json_values, max_size=4),
    schedule=st.lists(json_values, max_size=4),
    hashes=st.dictionaries(st.text(), st.text(), max_size=2),
)
def test_what_goes_into_a_token_comes_out_of_it(
    scenario: dict[str, object], schedule: list[object], hashes: dict[str, str]
) -> None:
    token = Token(KIT, scenario, schedule, hashes)
    assert decode_token(encode_token(token), kit=KIT) == token


def test_a_token_is_one_line_without_spaces_and_the_same_each_time() -> None:
    assert len(TEXT.split()) == 1
    assert encode_token(Token(KIT, {"workload": "zipf", "blocks": 176}, ["random", 7], TOKEN.hashes)) == TEXT


def test_a_token_that_a_mail_program_has_wrapped_is_still_good() -> None:
    assert decode_token(f"  {TEXT[:20]}\n  {TEXT[20:40]}\r\n{TEXT[40:]}\n", kit=KIT) == TOKEN


def test_a_token_brings_an_order_of_steps_back() -> None:
    def run(names: list[str]) -> str:
        diary = Diary(Replay(names), trace=Trace())
        for name in "abc":
            diary.writer(name, 1, 2)
        diary.run()
        return diary.order

    token = decode_token(encode_token(Token(KIT, {}, ["replay", list("cbabca"), []])), kit=KIT)
    assert run(token.schedule[1]) == "cbabca"


@pytest.mark.parametrize("text", ["", "hello", TEXT[1:], "nvmelm2." + TEXT[8:], "x" * 500])
def test_text_that_is_no_token_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a replay token; one begins with 'nvmelm1\.'") as refused:
        decode_token(text, kit=KIT)
    assert len(str(refused.value)) < 120


def test_a_token_cut_short_is_refused_wherever_it_was_cut() -> None:
    for length in range(len("nvmelm1."), len(TEXT)):
        with pytest.raises(InputError, match=r"is damaged .*copy the whole line again"):
            decode_token(TEXT[:length], kit=KIT)


def test_a_token_with_a_changed_letter_is_refused() -> None:
    draw = random.Random(1)
    for at in range(len("nvmelm1."), len(TEXT) - 1):
        other = draw.choice([c for c in "ABCDEFGHabcdefgh01234567-_é*" if c != TEXT[at]])
        with pytest.raises(InputError, match="is damaged"):
            decode_token(TEXT[:at] + other + TEXT[at + 1 :], kit=KIT)


def test_a_token_of_another_version_is_refused_with_both_versions() -> None:
    with pytest.raises(InputError, match=r"made by version 1\.2\.3 of the kit, this is 2\.0"):
        decode_token(TEXT, kit="2.0")
