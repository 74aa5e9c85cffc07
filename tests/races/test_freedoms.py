"""Each freedom of the table has somebody who fails under one of its options, and under no other habit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from nvmelm_lab.races import LADDER, Explorer, Scenario, World
from nvmelm_lab.races.scenario import Vmm, reference
from nvmelm_lab.ssd import FREEDOMS, Habits
from tests.races import habit_hosts, habit_vmms

Verdict = Callable[[Habits], str]
"""Gives what went wrong with an SSD of these habits; empty when nothing did."""

WRITE = next(scenario for scenario in LADDER if scenario.name == "one write, no round")
DEALLOCATION = next(scenario for scenario in LADDER if scenario.name == "one deallocation")


def explored(vmm: Vmm, scenario: Scenario) -> Verdict:
    """What goes wrong with a VMM in some order of a small scenario."""

    def verdict(habits: Habits) -> str:
        found = Explorer(lambda: World(replace(scenario, habits=habits), vmm)).run()
        return "; ".join(found.failures)

    verdict.__name__ = vmm.__name__
    return verdict


@dataclass(frozen=True)
class Case:
    """Who fails, under which option of which freedom."""

    freedom: str
    option: str
    verdict: Verdict
    what: str

    @property
    def others(self) -> list[Habits]:
        """All habits that differ from an SSD's without this option in one freedom."""
        (own,) = [freedom for freedom in FREEDOMS if freedom.name == self.freedom]
        spared = next(option for option in own.options if option != self.option)
        base = Habits(**{self.freedom: spared})
        found = [replace(base, **{self.freedom: option}) for option in own.options if option != self.option]
        for freedom in FREEDOMS:
            if freedom.name != self.freedom:
                found += [replace(base, **{freedom.name: option}) for option in freedom.options[1:]]
        return found


CASES = (
    Case(
        "first_entry",
        "marker at once",
        explored(habit_vmms.takes_every_entry_for_a_range, WRITE),
        "there is no namespace 0",
    ),
    Case(
        "entry_order",
        "completion first",
        explored(habit_vmms.takes_a_completion_for_an_entry, WRITE),
        "no write lost: LBA 0",
    ),
    Case(
        "deallocation_flag",
        "as a change",
        explored(habit_vmms.compares_how_many_blocks_are_used, DEALLOCATION),
        "0 LBAs are used at the source and 1 at the destination",
    ),
    Case("no_change", "not logged", habit_hosts.sends_a_mark_through_the_log, "the mark never came"),
    Case("ranges", "merged", habit_hosts.counts_an_entry_for_each_range, "1 entries for 2 ranges"),
    Case(
        "start_logging",
        "at once",
        habit_hosts.takes_what_was_submitted_before_for_unlogged,
        "of a command submitted before",
    ),
    Case("reset_resumes", "own controller", habit_hosts.resumes_by_a_reset, "still suspended"),
    Case("queue_limit", "Invalid Field", habit_hosts.makes_room_when_queues_run_out, "Invalid Field"),
    Case("tracking_resources", "scarce", habit_hosts.tracks_page_by_page, "Not Enough Resources"),
    Case("tracking_lengths", "powers of two", habit_hosts.tracks_three_pages, "Invalid Field"),
    Case("tracking_report", "coarser", habit_hosts.reads_lengths_as_it_asked_for_them, "stale"),
    Case("abort", "never", habit_hosts.takes_an_abort_for_the_end, "holds 2"),
    Case(
        "whole_namespace",
        "all LBs",
        habit_hosts.passes_over_entries_without_a_range,
        "of 64 blocks that were formatted 0 are copied",
    ),
    Case("scan_result", "forgotten", habit_hosts.scans_first_and_asks_later, "LBA 3 is not marked"),
    Case(
        "suspend_marker",
        "after the completion",
        explored(habit_vmms.finds_the_marker_at_once, WRITE),
        "after the suspend",
    ),
    Case("stop_marker", "after the completion", habit_hosts.finds_the_stop_marker_at_once, "no entry says"),
    Case(
        "queue_identifiers",
        "counting on",
        habit_hosts.knows_the_first_queues_number,
        "Invalid Controller Data",
    ),
    Case("lba_status_end", "not told", habit_hosts.goes_on_only_when_told_so, "LBA 4"),
    Case("queue_feature", "8 bytes", habit_hosts.reads_reserved_bytes_as_zeros, "bytes of the structure"),
    Case("do_not_retry", "clear", habit_hosts.retries_what_may_be_retried, "still retrying"),
    Case(
        "aggregation",
        "several commands",
        habit_hosts.counts_an_entry_for_each_command,
        "entries for 4 commands",
    ),
)


def test_every_freedom_has_somebody_who_fails_under_it() -> None:
    assert {case.freedom for case in CASES} == {freedom.name for freedom in FREEDOMS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.freedom}: {case.option}")
def test_somebody_fails_under_it(case: Case) -> None:
    verdict = case.verdict(Habits(**{case.freedom: case.option}))
    assert verdict, "nothing went wrong"
    assert case.what in verdict


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.freedom}: {case.option}")
def test_and_under_no_other(case: Case) -> None:
    for habits in case.others:
        verdict = case.verdict(habits)
        assert not verdict, f"fails with {habits.plain() or 'own habits'}: {verdict}"


@pytest.mark.parametrize(
    "habits",
    [Habits(**{freedom.name: option}) for freedom in FREEDOMS for option in freedom.options[1:]],
    ids=lambda habits: ", ".join(f"{name}: {option}" for name, option in habits.plain().items()),
)
@pytest.mark.parametrize("scenario", [WRITE, DEALLOCATION], ids=lambda scenario: scenario.name)
def test_the_reference_vmm_is_right_with_every_ssd(habits: Habits, scenario: Scenario) -> None:
    assert explored(reference, scenario)(habits) == ""


@pytest.mark.parametrize("order", ["entry first", "completion first"])
def test_no_order_is_missed_where_commands_share_entries(order: str) -> None:
    habits = Habits(aggregation="several commands", entry_order=order)
    scenario = Scenario("two writes under way", "w0 w1", 2, slots=5, rounds=0, depth=2, habits=habits)
    reduced, full = (
        Explorer(lambda: World(scenario), reduction=reduction, observe=World.content).run()
        for reduction in ("source-dpor", "sleep sets")
    )
    assert reduced.failures == full.failures == {}
    assert reduced.executions == full.executions
    assert reduced.finals == full.finals
