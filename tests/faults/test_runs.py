"""Faults of whole runs: from the command line, in tokens, in outcomes."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from nvmelm_lab import cli
from nvmelm_lab.errors import InputError
from nvmelm_lab.faults import FAULTS
from nvmelm_lab.host.move import PHASES
from nvmelm_lab.runs import MigrationRun, Outcome, replay, start

SPEC = MigrationRun(blocks=128, queue_entries=16, chunk=8, copy_tasks=2, after=16)


def run(*faults: str, **changes: object) -> Outcome:
    return start(replace(SPEC, faults=faults, **changes)).finish()


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", FAULTS)
def test_whatever_fails_in_whatever_phase_nothing_is_lost(name: str, phase: str) -> None:
    outcome = run(f"{name}@{phase.lower().replace(' ', '-')}")
    assert outcome.verdict.broken == ()
    assert outcome.notes == ()
    ends = FAULTS[name].allowed(phase)
    assert ("stayed" if outcome.failure else "moved") in ends


@pytest.mark.parametrize("name", FAULTS)
def test_nor_in_random_orders_of_steps(name: str) -> None:
    for seed in range(6):
        outcome = run(f"{name}@{400 + 331 * seed}", schedule=("random", seed), workload="mixed", seed=seed)
        assert outcome.verdict.broken == (), outcome.token


def test_a_token_brings_the_same_faults_back() -> None:
    outcome = run("reset-x@iterate", "media-error:5@start-logging")
    again = start(replay(outcome.token)).finish()
    assert again.run.faults == ("reset-x@iterate", "media-error:5@start-logging")
    assert (again.steps, again.failure, again.virtual_ns) == (
        outcome.steps,
        outcome.failure,
        outcome.virtual_ns,
    )


def test_a_fault_that_did_not_happen_is_said() -> None:
    outcome = run("cancel@100000000")
    assert outcome.notes == ("the fault cancel@100000000 did not happen: the run was over before",)
    assert outcome.good


@pytest.mark.parametrize(
    ("faults", "changes", "message"),
    [
        (("reset-q@3",), {}, "there is no fault 'reset-q'"),
        (("cancel@State",), {"method": "shim"}, "the method 'shim' does not recover from faults"),
        (("media-error:128@state",), {}, "names an LBA beyond the 128 that there are"),
    ],
)
def test_what_cannot_be_is_refused(faults: tuple[str, ...], changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        start(replace(SPEC, faults=faults, **changes))


def migrate(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["migrate", "--blocks", "128", *arguments])


def test_the_command_line_lets_faults_happen_and_says_so() -> None:
    result = migrate("--fault", "media-error:3@iterate", "--fault", "queue-overflow@iterate")
    assert result.exit_code == 0
    assert "fault media-error:3@iterate\nfault queue-overflow@iterate\n" in result.output
    assert "the Migration Queue was full 1 times" in result.output
    result = migrate("--fault", "reset-x@iterate", "--json")
    assert result.exit_code == 1, "the guest did not move"
    report = json.loads(result.stdout)
    assert report["faults"] == ["reset-x@iterate"]
    assert report["verdict"] == "good"
    assert report["failure"]


def test_bad_faults_on_the_command_line_are_refused_in_one_sentence() -> None:
    result = migrate("--fault", "cancel@noon")
    assert isinstance(result.exception, InputError)
    assert "write cancel@STEP" in str(result.exception)
    result = migrate("--token", "x", "--fault", "cancel@state")
    assert "leave --blocks, --fault away" in str(result.exception)
