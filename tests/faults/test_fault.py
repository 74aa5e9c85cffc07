"""A fault as data: its text and back, and that it happens where it says."""

import pytest

from nvmelm_lab.engine import Timed, Trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.faults import FAULTS, Fault, parse
from nvmelm_lab.faults.actions import ACTIONS
from nvmelm_lab.faults.small import SmallRun


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("reset-x@120", Fault("reset-x", 120)),
        ("cancel@start-logging", Fault("cancel", phase="Start logging")),
        ("vmm-crash@VMM#12", Fault("vmm-crash", 12, actor="VMM")),
        ("reset-y@Y.sq1#3#2", Fault("reset-y", 2, actor="Y.sq1#3")),
        ("media-error:7@State", Fault("media-error", phase="State", lba=7)),
    ],
)
def test_a_fault_is_read_as_it_is_written(text: str, fault: Fault) -> None:
    assert parse(text) == fault
    assert parse(fault.text) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reset-q@1", "there is no fault 'reset-q'; there are: media-error"),
        ("cancel", "'cancel' does not say where; write cancel@STEP"),
        ("cancel@later", "and one of: prepare, start-logging"),
        ("cancel@VMM#0", "does not say where"),
        ("cancel:3@5", "only a media error has an LBA"),
        ("media-error:x@5", "only a media error has an LBA"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(text)


def test_every_row_of_the_table_can_happen() -> None:
    assert ACTIONS.keys() == FAULTS.keys()


def traced(fault: Fault) -> Trace:
    trace = Trace()
    assert SmallRun((fault,), trace=trace).finish().wrong == ""
    return trace


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_step_of_its_own_in_the_trace(name: str) -> None:
    trace = traced(Fault(name, 300))
    (index,) = (n for n, record in enumerate(trace.steps) if record.kind == "fault")
    record = trace.steps[index]
    assert record.actor == f"fault {name}@300"
    assert record.label == FAULTS[name].title
    assert ("fault", name, f"{name}@300") in record.effects


def test_it_happens_at_the_step_the_phase_or_behind_the_step_of_an_actor_that_it_names() -> None:
    when: list[tuple[str, int, str]] = []

    class Noting(SmallRun):
        def _on_fault(self, effect: tuple[object, ...]) -> None:
            super()._on_fault(effect)
            when.append((str(effect[2]), self.engine.step_index, self.phase))

    asked = SmallRun().finish().asked
    step = asked[len(asked) // 2]
    for fault in (Fault("cancel", step), Fault("cancel", phase="Iterate"), Fault("cancel", 10, actor="VMM")):
        assert Noting((fault,)).finish().happened
    assert when[0][1] == step
    assert when[1][2] == "Iterate"
    assert when[2][2] == "Prepare"


def test_a_site_that_is_never_reached_changes_nothing() -> None:
    plain, late = SmallRun().finish(), SmallRun((Fault("reset-x", 10**6),)).finish()
    assert not late.happened
    assert (late.moved, late.wrong) == (plain.moved, plain.wrong) == (True, "")


def test_several_faults_in_one_run_each_happen() -> None:
    run = SmallRun(
        (Fault("media-error", phase="Start logging"), Fault("queue-overflow", phase="Iterate")), Timed()
    )
    assert run.finish().wrong == ""
    assert run.schedule.left == []
    assert run.method.progress.overflows == 1
