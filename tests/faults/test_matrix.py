"""Every fault at every step of a small migration ends as its row of the table says, and the matrix would show it
if not."""

from collections.abc import Callable

import pytest

from nvmelm_lab.engine import Random, stream
from nvmelm_lab.faults import COLUMNS, FAULTS, Fault
from nvmelm_lab.faults import actions as faults_actions
from nvmelm_lab.faults.matrix import as_text, sites, try_fault
from nvmelm_lab.faults.small import SmallRun
from nvmelm_lab.host import adoption, recovery
from nvmelm_lab.host.caretaker import Caretaker
from nvmelm_lab.host.copier import Copier
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.queue_pair import QueuePair

STEPS = sites()
SEEDS = range(2)
STRIDE = 17
"""In random orders of steps every so many sites are tried; under the clock all of them are."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_every_step_ends_as_its_row_says(name: str) -> None:
    tally = try_fault(name, STEPS)
    assert tally.odd == []
    assert sum(tally.ends.values()) == len(STEPS) > 250


@pytest.mark.parametrize("name", FAULTS)
def test_so_it_does_where_the_ssd_itself_tells_which_pages_it_wrote(name: str) -> None:
    for step in STEPS[3::31]:
        end = SmallRun((Fault(name, step),), memory_tracking="device").finish()
        assert end.wrong == "", step
        assert ("moved" if end.moved else "stayed") in FAULTS[name].allowed(end.phase)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_a_random_order_of_steps_ends_as_its_row_says(name: str, seed: int) -> None:
    assert try_fault(name, sites(seed)[seed::STRIDE], seed).odd == []


def test_every_phase_has_steps_at_which_a_fault_is_tried() -> None:
    tally = try_fault("cancel", STEPS[::4])
    assert {phase for _, phase, _ in tally.ends} == set(COLUMNS)
    lines = as_text(tally).splitlines()
    assert lines[0].split() == " ".join(COLUMNS).split()
    assert [line.split()[0] for line in lines[1 : 1 + len(FAULTS)]] == list(FAULTS)


# -- a missing safeguard shows ----------------------------------------------------------------------------


async def _nothing(*_: object) -> None:
    return None


def _nobody_looks_after_resets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Caretaker, "_revive", _nothing)


def _nothing_goes_offline_on_the_way_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recovery, "fence", _nothing)


def _the_new_vmm_leaves_the_destination(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(adoption, "fence", _nothing)


def _nobody_restarts_the_vmm(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(faults_actions.ACTIONS, "vmm-crash", faults_actions.Action(faults_actions._crash))


def _logging_goes_on_after_a_cancel(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recovery, "end_logging", _nothing)


def _what_was_created_over_there_is_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recovery, "release_destination", _nothing)


def _an_overflow_is_taken_for_the_end(patch: pytest.MonkeyPatch) -> None:
    async def no_baseline(self: Migration, *, suspended: bool) -> object:
        self.progress.overflows += 1
        return self._behind

    patch.setattr(Migration, "_new_baseline", no_baseline)


def _commands_of_a_lost_controller_count_as_done(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(QueuePair, "_cancel", lambda self: self.pending.clear())


def _an_unreadable_block_is_not_marked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Copier, "_copy_around_error", _nothing)


def _a_lost_ring_keeps_its_positions(patch: pytest.MonkeyPatch) -> None:
    def come_up(self: QueuePair) -> None:
        self.is_down = False
        self._room = self.entries - 1
        self.arrived.count()

    patch.setattr(QueuePair, "come_up", come_up)


@pytest.mark.parametrize(
    ("defect", "name", "why"),
    [
        (_nobody_looks_after_resets, "reset-x", "never end"),
        (_nobody_looks_after_resets, "reset-y", "never end"),
        (_nothing_goes_offline_on_the_way_back, "reset-h", "the controller H is still online"),
        (_the_new_vmm_leaves_the_destination, "vmm-crash", "both Y and H served guest"),
        (_nobody_restarts_the_vmm, "vmm-crash", "it goes on for more than"),
        (_logging_goes_on_after_a_cancel, "cancel", "a Migration Queue is left"),
        (_what_was_created_over_there_is_left, "link-lost", "a namespace is left at the destination"),
        (_an_overflow_is_taken_for_the_end, "queue-overflow", "no write lost: LBA 1"),
        (_commands_of_a_lost_controller_count_as_done, "reset-y", "never end"),
        (_an_unreadable_block_is_not_marked, "media-error", "guest read LBA 0, and got what"),
        (_a_lost_ring_keeps_its_positions, "reset-y", "never end"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_missing_safeguard_shows_in_the_matrix(
    defect: Callable[[pytest.MonkeyPatch], None], name: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    defect(monkeypatch)
    odd = try_fault(name, STEPS[::9]).odd
    assert odd
    assert any(why in each for _, each in odd), odd[:3]


def test_two_faults_of_any_kinds_anywhere_lose_nothing_either() -> None:
    draw = stream(7, "pairs of faults").randrange
    names = list(FAULTS)
    for number in range(60):
        pair = tuple(Fault(names[draw(len(names))], 20 + draw(480)) for _ in range(2))
        end = SmallRun(pair, Random(number) if number % 2 else None).finish()
        assert end.wrong == "", [fault.text for fault in pair]
