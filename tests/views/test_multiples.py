"""One knob at several positions: each run is its own, all panels have one scale, and the words say the same."""

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.methods import SAME_GUEST
from nvmelm_lab.lessons.sweeps import NUMBERS, swept
from nvmelm_lab.notebook import sweep
from nvmelm_lab.views.copies import copies, told
from nvmelm_lab.views.multiples import multiples, multiples_text
from nvmelm_lab.views.palette import COPYING, EDGE

RATES = (2_000, 40_000)
RUNS = swept("writes_per_second", RATES)


def test_each_run_has_its_value_and_nothing_else_differs():
    assert tuple(outcome.run.writes_per_second for outcome in RUNS) == RATES
    assert all(outcome.good for outcome in RUNS)
    assert RUNS[0].run.blocks == RUNS[1].run.blocks == SAME_GUEST.blocks


def test_a_busier_guest_needs_more_rounds():
    assert RUNS[0].rounds < RUNS[1].rounds
    assert RUNS[0].downtime_ns < RUNS[1].downtime_ns


def test_each_copy_has_a_bar_as_high_as_its_blocks_on_one_scale():
    drawn = multiples("writes_per_second", RUNS)
    bars = [each for each in drawn.data if each.fill == "toself"]
    made = [copy for outcome in RUNS for copy in copies(outcome) if copy.blocks]
    assert [bar.fillcolor == EDGE for bar in bars] == [copy.name == "Suspend" for copy in made]
    assert {bar.fillcolor for bar in bars} == {COPYING, EDGE}
    high = sorted(zip((copy.blocks for copy in made), (max(bar.y) - min(bar.y) for bar in bars), strict=True))
    assert [height for _, height in high] == sorted(height for _, height in high)


def test_the_words_tell_every_copy_of_every_run():
    text = multiples_text("writes_per_second", RUNS)
    for outcome in RUNS:
        for copy in copies(outcome):
            assert told(copy) in text
    assert "converged in" in text
    assert "did not converge in 6 rounds" in text
    assert str(sweep("writes_per_second", RATES).layout.meta) == text


def test_a_full_queue_is_told_in_its_panel():
    crowded = sweep("queue_entries", (8, 128), blocks=256, writes_per_second=60_000)
    assert [words for words in crowded.data[-1].text if "MQ full" in words]
    assert len([words for words in crowded.data[-1].text if "VM stood still" in words]) == 2


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sweep("queue", (1, 2)), "there is no knob 'queue'"),
        (lambda: sweep("workload", (1, 2)), "there is no knob 'workload'"),
        (lambda: swept("workload", (1, 2)), "'workload' is no knob to sweep; there are: after, block_bytes"),
        (lambda: sweep("rounds", ()), "0 values of rounds: give 1 to 9"),
        (lambda: sweep("rounds", range(10)), "10 values of rounds: give 1 to 9"),
        (lambda: sweep("rounds", (-1,)), "rounds cannot be -1; give a whole number from 0"),
    ],
)
def test_what_cannot_be_swept_is_said_in_a_sentence(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_only_numbers_can_be_swept():
    assert {"writes_per_second", "queue_entries", "granularity", "rounds"} <= NUMBERS
    assert not {"workload", "faults", "neighbour", "schedule"} & NUMBERS
