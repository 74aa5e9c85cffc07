"""`nvmelm races` as people and scripts meet it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nvmelm_lab import cli
from nvmelm_lab.errors import InputError
from nvmelm_lab.races import LADDER, SAFEGUARDS
from nvmelm_lab.races.catalogue import DEFECTS


def races(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["races", *arguments])


def told(*arguments: str) -> dict[str, Any]:
    result = races(*arguments, "--json")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_list_names_every_defect_with_its_kind_and_the_property_that_it_breaks() -> None:
    rows = told("list")["defects"]
    assert [row["name"] for row in rows] == list(DEFECTS)
    assert all({"name", "kind", "property"} <= row.keys() for row in rows)
    text = races("list").stdout
    assert all(name in text for name in DEFECTS)


def test_find_tells_the_story_in_80_columns_and_ends_with_status_0() -> None:
    result = races("find", "no-last-drain")
    assert result.exit_code == 0
    *lines, replay = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "What broke: LBA 0 holds v0 at the destination" in result.stdout
    assert replay.startswith("Replay: nvmelm races find --token nvmelm1.")


def test_find_gives_scripts_what_they_rely_on() -> None:
    found = told("find", "no-last-drain")
    assert found["name"] == "no-last-drain"
    assert found["found"] is True
    assert found["executions"] > 0
    assert found["steps"] > 0
    assert found["seconds"] > 0
    assert found["token"].startswith("nvmelm1.")


def test_a_token_tells_the_same_story_again() -> None:
    first = told("find", "both-resumed")
    again = told("find", "--token", first["token"])
    assert again["explanation"] == first["explanation"]


def test_the_story_can_be_given_away_as_one_file(tmp_path: Path) -> None:
    file = tmp_path / "story.html"
    assert races("find", "no-last-drain", "--html", str(file)).exit_code == 0
    page = file.read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "What broke" in page


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["find", "no-last-drian"], "did you mean 'no-last-drain'"),
        (["find", "whatever it is"], "nvmelm races list shows their names"),
        (["find"], "name one defect"),
        (["find", "no-last-drain", "--token", "x"], "name one defect"),
        (["find", "--token", "nvmelm1.x"], "damaged"),
        (["find", "no-last-drain", "--html", "/nowhere/at/all.html"], "cannot be written"),
        (["verify", "--vmm", "/nowhere/vmm.py"], "cannot be read as a VMM"),
    ],
)
def test_bad_input_is_named_in_one_sentence(arguments: list[str], what: str) -> None:
    error = races(*arguments).exception
    assert isinstance(error, InputError)
    assert what in str(error)


def test_verify_proves_the_reference_vmm_on_every_rung() -> None:
    result = races("verify", "--json")
    verdict = json.loads(result.stdout)
    assert result.exit_code == 0
    assert verdict["verdict"] == "holds"
    assert [row["name"] for row in verdict["rungs"]] == [each.name for each in (*LADDER, *SAFEGUARDS)]
    assert all({"name", "executions", "redundant", "seconds"} <= row.keys() for row in verdict["rungs"])


def test_two_processes_come_to_the_same_counts() -> None:
    alone, shared = told("verify"), told("verify", "--workers", "2")

    def counts(verdict: dict[str, Any]) -> list[tuple[str, int]]:
        return [(row["name"], row["executions"]) for row in verdict["rungs"]]

    assert counts(alone) == counts(shared)
    assert alone["verdict"] == shared["verdict"] == "holds"


def test_a_search_that_runs_out_of_time_is_unknown_and_no_success() -> None:
    result = races("verify", "--seconds", "0.01", "--json")
    assert result.exit_code == 1
    verdict = json.loads(result.stdout)
    assert verdict["verdict"] == "unknown"
    assert verdict["stopped"] == "its 0.01 s are over"


def test_ctrl_c_keeps_what_was_found() -> None:
    line = [sys.executable, "-m", "nvmelm_lab.cli", "races", "verify", "--all-freedoms", "--json"]
    code = "import sys; from nvmelm_lab import cli; sys.argv[0] = 'nvmelm'; cli.main()"
    line[1:3] = ["-c", code]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    verdict = json.loads(out)
    assert process.returncode == 1
    assert verdict["verdict"] == "unknown"
    assert verdict["stopped"] == "Ctrl-C was pressed"
    assert verdict["rungs"]


def test_a_loop_without_steps_in_a_learners_file_is_ended_and_named(tmp_path: Path) -> None:
    file = tmp_path / "vmm.py"
    file.write_text("async def migrate(vm, source, destination, tasks):\n    while True: pass\n")
    result = races("verify", "--vmm", str(file), "--json")
    assert result.exit_code == 1
    assert "never finishes" in json.loads(result.stdout)["sentence"]
