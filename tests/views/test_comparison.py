"""Latency, downtime and occupancy: the figures stand to scale, and their words carry the numbers of the run."""

import itertools
import re
from collections import Counter
from dataclasses import replace
from statistics import median_low

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.methods import METHODS, SAME_GUEST, compared
from nvmelm_lab.notebook import compare, downtime, queue_occupancy
from nvmelm_lab.runs import start
from nvmelm_lab.views.axes import Linear, log_scale
from nvmelm_lab.views.comparison import comparison_text, facts, ways
from nvmelm_lab.views.comparison_figure import comparison
from nvmelm_lab.views.downtime import LEFT, RIGHT, downtime_text
from nvmelm_lab.views.downtime import downtime as downtime_figure
from nvmelm_lab.views.occupancy import occupancy, occupancy_text
from nvmelm_lab.views.palette import COPYING, LOST, MAPPED
from nvmelm_lab.views.text import short_duration

OUTCOMES = dict(zip(METHODS, compared(), strict=True))
CROWDED = start(replace(SAME_GUEST, queue_entries=8, writes_per_second=60_000), observed=True).finish()
each_method = pytest.mark.parametrize("method", METHODS)


# -- three ways ----------------------------------------------------------------------------------------------


def test_the_three_methods_have_the_same_guest():
    specs = {replace(outcome.run, method="ssd") for outcome in OUTCOMES.values()}
    assert specs == {SAME_GUEST}
    assert [outcome.run.method for outcome in OUTCOMES.values()] == ["stop", "shim", "ssd"]


def test_what_the_course_says_of_the_three_methods_is_what_they_show():
    stop, shim, ssd = (ways([OUTCOMES[method]])[0] for method in METHODS)
    assert stop.outcome.downtime_ns > 10 * max(shim.outcome.downtime_ns, ssd.outcome.downtime_ns)
    assert shim.medians["write"] > ssd.medians["write"]
    assert shim.medians["read"] > ssd.medians["read"]
    assert (stop.touched, shim.touched, ssd.touched) == (0, shim.commands, 0)
    assert shim.outcome.host_ns > ssd.outcome.host_ns > stop.outcome.host_ns == 0


@each_method
def test_the_words_carry_the_numbers_of_the_run(method):
    outcome = OUTCOMES[method]
    waits = [wait.ns for wait in outcome.observed.waits]
    told = "; ".join(facts(ways([outcome])[0]))
    assert f"VM stands still {short_duration(outcome.downtime_ns)}" in told
    assert f"longest {short_duration(max(waits))}" in told
    reads = [wait.ns for wait in outcome.observed.waits if wait.kind == "read"]
    assert f"Reads ≤ {short_duration(median_low(reads))}" in told
    assert f"of {outcome.guest_commands} I/Os" in told
    assert told in comparison_text([outcome])


def test_every_io_has_its_sign_or_one_that_it_hides_behind():
    drawn = comparison([OUTCOMES["ssd"]])
    signs = {each.marker.color: each for each in drawn.data if each.marker.color in (COPYING, MAPPED)}
    counts = Counter(wait.kind for wait in OUTCOMES["ssd"].observed.waits)
    for kind, fill in (("read", COPYING), ("write", MAPPED)):
        places = list(zip(signs[fill].x, signs[fill].y, strict=True))
        assert 0.4 * counts[kind] < len(places) <= counts[kind]
        assert len({(int(x) // 3, int(y) // 3) for x, y in places}) >= 0.9 * len(places)


def test_a_longer_wait_stands_higher_and_a_later_one_further_right():
    drawn = comparison([OUTCOMES["ssd"]])
    reads = next(each for each in drawn.data if each.marker.color == COPYING)
    by_x = sorted(zip(reads.x, (nanoseconds(words, " at (.*):") for words in reads.hovertext), strict=True))
    assert all(one[1] <= other[1] + 20_000 for one, other in itertools.pairwise(by_x))
    by_wait = sorted((nanoseconds(words, ": (.*)") for words in reads.hovertext), reverse=True)
    by_height = [
        nanoseconds(words, ": (.*)") for _, words in sorted(zip(reads.y, reads.hovertext, strict=True))
    ]
    assert by_height == pytest.approx(by_wait, rel=0.02)


def nanoseconds(words, pattern):
    value = re.search(pattern, words)[1].replace("−", "-")
    number, unit = value.split()
    return float(number) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[unit]


def test_panels_can_be_compared():
    one = comparison(list(OUTCOMES.values()))
    ticks = [words for words in one.data[-1].text if words in ("10 µs", "10 ms")]
    assert Counter(ticks) == {"10 µs": 3, "10 ms": 3}
    assert one.layout.width == 840


# -- downtime ------------------------------------------------------------------------------------------------


@each_method
def test_the_bars_of_the_downtime_follow_each_other_to_scale(method):
    outcome = OUTCOMES[method]
    drawn = downtime_figure(outcome)
    bars = [each for each in drawn.data if each.fill == "toself"]
    parts = outcome.observed.downtime
    assert len(bars) == len(parts)
    pitch = (RIGHT - LEFT) / outcome.downtime_ns
    for bar, part in zip(bars, parts, strict=True):
        assert min(bar.x) == pytest.approx(LEFT + (part.start_ns - parts[0].start_ns) * pitch, abs=0.1)
        assert max(bar.x) - min(bar.x) == pytest.approx(max(2, part.ns * pitch), abs=0.1)


@each_method
def test_the_words_of_the_downtime_name_each_part(method):
    told = downtime_text(OUTCOMES[method])
    assert short_duration(OUTCOMES[method].downtime_ns) in told.splitlines()[0]
    for part in OUTCOMES[method].observed.downtime:
        assert f"\n{part.name}: {short_duration(part.ns)} (" in told


def test_a_migration_that_went_back_says_so():
    outcome = start(replace(SAME_GUEST, faults=("link-lost@state",)), observed=True).finish()
    assert "resume: " in downtime_text(outcome)
    assert "the guest goes on at the source" in downtime_text(outcome)


# -- occupancy -----------------------------------------------------------------------------------------------


def test_the_line_of_the_queue_reaches_as_high_as_the_fullest_it_was():
    drawn = occupancy(CROWDED)
    line = next(each for each in drawn.data if each.mode == "lines" and len(each.x) > 50)
    full = next(each for each in drawn.data if each.line.dash == "dash")
    assert min(line.y) == full.y[0]
    assert list(line.x) == sorted(line.x)


def test_overflows_are_marked_where_they_happened():
    marks = next(each for each in occupancy(CROWDED).data if each.marker.color == LOST)
    assert len(marks.x) == CROWDED.overflows > 0
    assert f"{CROWDED.overflows} times it was full" in occupancy_text(CROWDED)
    assert not [each for each in occupancy(OUTCOMES["ssd"]).data if each.marker.color == LOST]


def test_the_words_of_the_queue_carry_the_numbers_of_the_run():
    told = occupancy_text(OUTCOMES["ssd"])
    levels = OUTCOMES["ssd"].observed.levels
    assert f"At most {max(level.used for level in levels)} of 127 usable slots" in told
    assert f"the VMM read {OUTCOMES['ssd'].entries_drained}." in told


# -- from a notebook, and what cannot be ---------------------------------------------------------------------


def test_short_calls_make_the_runs_themselves():
    small = {"blocks": 64, "filled": 32, "after": 4}
    assert "Host shim: VM stands still" in str(compare(**small).layout.meta)
    assert "everything is copied" in str(downtime(method="stop", **small).layout.meta)
    assert "of 15 usable slots" in str(queue_occupancy(queue_entries=16, **small).layout.meta)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: compare(block=3), "there is no field 'block'; did you mean 'blocks'"),
        (lambda: compare(schedule=("random", 3)), "the schedule 'random' has no clock to compare by"),
        (lambda: compare(workload="idle", blocks=64), "the guest of the run 'Stop-and-copy' issued no I/O"),
        (lambda: queue_occupancy(method="stop", blocks=64), "the method 'stop' has no Migration Queue"),
        (lambda: downtime(faults=("cancel@iterate",)), "the VM of this run was never paused"),
        (lambda: downtime(schedule=("random", 3), blocks=64), "no clock ran, so nothing has a duration"),
        (lambda: comparison([start(replace(SAME_GUEST, blocks=64)).finish()]), "was not looked at closely"),
        (lambda: downtime(theme="grey"), "there is no theme 'grey'"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(make, says):
    with pytest.raises(InputError, match=says):
        make()


# -- axes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high"), [(0, 7), (0, 127), (-2, 11), (0, 1), (0, 5_650), (0, 3_000_000)])
def test_ticks_are_few_even_and_on_the_scale(low, high):
    scale = Linear(low, high, 100, 500)
    ticks = scale.ticks(6)
    assert 2 <= len(ticks) <= 6
    assert len({other - one for one, other in itertools.pairwise(ticks)}) == 1
    assert all(100 <= scale.at(tick) <= 500 for tick in ticks)
    assert 0 in ticks


def test_a_logarithmic_scale_holds_all_values_between_powers_of_ten():
    scale = log_scale([13, 950, 0, 20_000], 200, 80)
    assert scale.ticks() == [10, 100, 1_000, 10_000, 100_000]
    assert scale.at(10) == 200
    assert scale.at(100_000) == 80
    assert scale.at(1_000) == pytest.approx(140)
