"""Get LBA Status at each granularity: what SSDs answer about one namespace, against what its guest has written."""

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import OperationKind
from nvmelm_lab.lessons.granularity import BLOCKS, GRANULARITIES, SPARSE, surveys
from nvmelm_lab.nvme import unpack_lba_status

FOUND = surveys()
each_survey = pytest.mark.parametrize("survey", FOUND.surveys, ids=lambda survey: str(survey.granularity))


def lbas(ranges):
    return {lba for slba, blocks in ranges for lba in range(slba, slba + blocks)}


def written():
    mapped = set()
    for kind, slba, blocks in SPARSE:
        own = set(range(slba, slba + blocks))
        mapped = mapped - own if kind is OperationKind.TRIM else mapped | own
    return mapped


def test_the_finest_granularity_reports_what_was_written_and_nothing_else():
    assert FOUND.mapped == written()


def test_unreadable_blocks_count_as_mapped():
    marked = lbas(each[1:] for each in SPARSE if each[0] is OperationKind.UNCORRECTABLE)
    assert FOUND.unreadable == marked
    assert FOUND.unreadable <= FOUND.mapped


@each_survey
def test_a_granule_is_reported_as_a_whole_if_any_of_its_blocks_is_mapped(survey):
    size = survey.granularity
    granules = {lba // size for lba in FOUND.mapped}
    assert lbas(survey.ranges) == {lba for lba in range(BLOCKS) if lba // size in granules}


@each_survey
def test_ranges_are_in_order_and_never_touch(survey):
    ends = [slba + blocks for slba, blocks in survey.ranges]
    assert all(end < slba for end, (slba, _) in zip(ends, survey.ranges[1:], strict=False))


@each_survey
def test_the_answer_is_the_one_that_the_ssd_returned(survey):
    listed = unpack_lba_status(survey.answer)
    assert tuple((each.slba, each.blocks) for each in listed.descriptors) == survey.ranges


def test_coarser_costs_more_blocks_and_less_memory():
    copied = [survey.copied for survey in FOUND.surveys]
    bits = [FOUND.bits(survey) for survey in FOUND.surveys]
    assert copied == sorted(copied)
    assert bits == [BLOCKS // granularity for granularity in GRANULARITIES]
    assert FOUND.needless(FOUND.surveys[0]) == 0 < FOUND.needless(FOUND.surveys[3])


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="granularity cannot be 3 here; give one of 1, 2, 4"):
        FOUND.at(3)
    with pytest.raises(InputError, match="blocks cannot be 12; give 128 to 4096"):
        surveys(blocks=12)
    with pytest.raises(InputError, match="write of 9 LBAs from 250 on: the namespace has LBAs 0 to 255"):
        surveys(((OperationKind.WRITE, 250, 9),))
