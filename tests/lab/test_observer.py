"""What is seen of a run from close by: nothing of the run changes, and every number fits the others."""

import itertools
from dataclasses import replace
from functools import cache

import pytest

from nvmelm_lab.lab import METHODS
from nvmelm_lab.runs import MigrationRun, Outcome, start
from nvmelm_lab.runs.observer import PARTS

SMALL = MigrationRun(blocks=512, workload="mixed", writes_per_second=20_000, neighbour=False, after=16)
each_method = pytest.mark.parametrize("method", METHODS)


@cache
def outcome(method: str = "ssd", **more) -> Outcome:
    return start(replace(SMALL, method=method, **more), observed=True).finish()


@each_method
def test_a_run_that_is_observed_is_the_same_run(method):
    plain = start(replace(SMALL, method=method)).finish()
    assert plain.observed is None
    assert replace(outcome(method), observed=None) == plain


@each_method
def test_every_command_of_the_guest_has_its_wait(method):
    found = outcome(method)
    assert len(found.observed.waits) == found.guest_commands
    for latency in found.latencies:
        assert latency.longest_ns <= max(
            each.ns for each in found.observed.waits if each.kind == latency.kind
        )
    ends = [each.end_ns for each in found.observed.waits]
    assert ends == sorted(ends)


@each_method
def test_the_parts_of_the_downtime_are_the_whole_downtime(method):
    found = outcome(method)
    parts = found.observed.downtime
    assert [part.name for part in parts] == [name for name in PARTS if name in {part.name for part in parts}]
    assert sum(part.ns for part in parts) == found.downtime_ns > 0
    assert all(one.end_ns == other.start_ns for one, other in itertools.pairwise(parts))


def test_who_stops_the_vm_for_long_makes_its_commands_wait_for_as_long():
    for method in METHODS:
        found = outcome(method)
        down = found.observed.downtime
        waiting = [
            each
            for each in found.observed.waits
            if each.at_ns <= down[0].start_ns and each.end_ns >= down[-1].end_ns
        ]
        assert all(each.ns >= found.downtime_ns for each in waiting)
    assert "last entries" not in {part.name for part in outcome("stop").observed.downtime}


@pytest.mark.parametrize("method", ["ssd", "stop"])
def test_host_software_touches_no_command_of_a_guest_that_talks_to_its_ssd(method):
    assert outcome(method).observed.touched == 0


def test_a_shim_touches_every_command_of_its_guest():
    found = outcome("shim")
    assert found.observed.touched == found.guest_commands


def test_the_levels_of_the_queue_tell_every_entry_once():
    found = outcome()
    levels = found.observed.levels
    assert found.observed.slots == SMALL.queue_entries
    assert levels[-1].consumed == found.entries_drained
    for one, other in itertools.pairwise(levels):
        assert 0 <= other.used < SMALL.queue_entries
        steps = other.posted - one.posted, other.consumed - one.consumed
        assert steps in ((0, 0), (1, 0), (0, 1))
        assert one.at_ns <= other.at_ns
    assert outcome("stop").observed.levels == ()


def test_an_overflow_is_seen_when_it_happens():
    found = outcome(queue_entries=4, writes_per_second=200_000)
    assert found.overflows > 0
    assert len(found.observed.overflows) == found.overflows
    assert max(level.used for level in found.observed.levels) == 3


def test_a_migration_that_is_cancelled_after_the_pause_has_a_downtime_too():
    found = outcome(faults=("cancel@suspend",))
    assert found.failure
    assert found.observed.downtime[-1].name == "resume"
    assert sum(part.ns for part in found.observed.downtime) == found.downtime_ns
