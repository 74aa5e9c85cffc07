"""Status codes and the status word of a completion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.status import Status, StatusWord, status_word, unpack_status_word


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.INVALID_CONTROLLER_DATA_QUEUE, 0x026E),
        (Status.NOT_ENOUGH_RESOURCES, 0x0270),
        (Status.CONTROLLER_SUSPENDED, 0x0272),
        (Status.CONTROLLER_NOT_SUSPENDED, 0x0274),
        (Status.CONTROLLER_DATA_QUEUE_FULL, 0x0276),
        (Status.INVALID_CONTROLLER_IDENTIFIER, 0x023E),
        (Status.SUCCESS, 0x0000),
    ],
)
def test_status_words_of_the_fact_sheet(status, word):
    assert status_word(status, phase=0) == word
    assert status_word(status, phase=1) == word | 1
    assert status_word(status, phase=0, dnr=True) == word | 0x8000


@pytest.mark.parametrize(
    ("status", "sct", "sc"),
    [
        (Status.INVALID_OPCODE, 0, 0x01),
        (Status.INVALID_FIELD, 0, 0x02),
        (Status.INVALID_NAMESPACE_OR_FORMAT, 0, 0x0B),
        (Status.COMMAND_SEQUENCE_ERROR, 0, 0x0C),
        (Status.PRP_OFFSET_INVALID, 0, 0x13),
        (Status.SANITIZE_IN_PROGRESS, 0, 0x1D),
        (Status.LBA_OUT_OF_RANGE, 0, 0x80),
        (Status.INVALID_QUEUE_DELETION, 1, 0x0C),
        (Status.NAMESPACE_NOT_ATTACHED, 1, 0x1A),
        (Status.INVALID_SECONDARY_CONTROLLER_STATE, 1, 0x20),
        (Status.INVALID_CONTROLLER_DATA_QUEUE, 1, 0x37),
        (Status.CONTROLLER_DATA_QUEUE_FULL, 1, 0x3B),
        (Status.WRITE_FAULT, 2, 0x80),
        (Status.UNRECOVERED_READ_ERROR, 2, 0x81),
        (Status.COMPARE_FAILURE, 2, 0x85),
    ],
)
def test_a_status_is_its_type_and_code(status, sct, sc):
    assert (status >> 8, status & 0xFF) == (sct, sc)


@pytest.mark.parametrize("status", Status)
def test_every_status_has_a_title_one_sentence_and_a_source(status):
    assert status.title
    assert status.sentence.endswith(".")
    assert ". " not in status.sentence
    assert status.source.startswith("Base 2.1 Figure")


@given(st.sampled_from(Status), st.integers(0, 1), st.booleans())
def test_a_status_word_comes_apart_as_it_was_put_together(status, phase, dnr):
    assert unpack_status_word(status_word(status, phase, dnr)) == StatusWord(status, phase, dnr)


def test_an_unknown_status_is_refused_by_its_type_and_code():
    with pytest.raises(InputError, match="status word 0279h: SCT 1h, SC 3Ch is no status that the kit knows"):
        unpack_status_word(0x0279)
