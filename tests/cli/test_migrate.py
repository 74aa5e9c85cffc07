"""`nvmelm migrate` as people and scripts meet it."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nvmelm_lab import cli, cli_migrate
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.migration import Migration
from nvmelm_lab.host.move import PHASES
from nvmelm_lab.host.workloads import WORKLOADS
from nvmelm_lab.lab import METHODS
from nvmelm_lab.oracle import PROPERTIES
from nvmelm_lab.runs import MigrationRun, replay

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--blocks", "256", "--chunk", "16")

CONTRACT = {
    "verdict": str,
    "properties": dict,
    "virtual_ns": int,
    "downtime_ns": int,
    "rounds": int,
    "bytes_copied": int,
    "guest_writes": int,
    "entries_drained": int,
    "token": str,
    "phases": list,
}
"""Keys that scripts rely on."""


def migrate(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["migrate", *arguments])


def as_json(*arguments: str) -> dict[str, Any]:
    result = migrate(*arguments, "--json")
    assert result.exit_code == 0, result.output
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


def nvmelm(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from nvmelm_lab.cli import main; main()", "migrate", *arguments]


# -- what comes out ---------------------------------------------------------------------------------------


def test_json_is_one_object_with_the_keys_of_the_contract() -> None:
    found = as_json(*SMALL)
    assert {key: type(found[key]) for key in CONTRACT} == CONTRACT
    assert found["verdict"] == "good"
    assert found["properties"] == dict.fromkeys(PROPERTIES, True)
    assert [phase["name"] for phase in found["phases"]] == list(PHASES)


def test_people_get_a_table_of_phases_the_downtime_and_a_line_for_each_property() -> None:
    result = migrate(*SMALL)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    for phase in PHASES:
        assert any(re.match(rf"{phase} +\d+\.\d{{3}} ms +\d+\.\d{{3}} ms", line) for line in lines), phase
    head = next(line for line in lines if line.startswith("phase"))
    for column in ("begins at", "takes", "rounds", "copied", "entries drained"):
        assert column in head
    assert any(re.match(r"downtime \d+\.\d{3} ms", line) for line in lines)
    assert "verdict: good" in lines
    for name in PROPERTIES:
        assert any(line.startswith(f"  yes  {name} ") for line in lines), name
    assert all(len(line) <= 100 for line in lines if "--token" not in line)


def test_the_token_that_is_printed_brings_the_run_back() -> None:
    first = as_json(*SMALL, "--workload", "mixed", "--seed", "4", "--method", "shim", "--no-iommu")
    assert as_json("--token", first["token"]) == first


def test_a_recording_is_played_and_what_was_changed_is_said() -> None:
    result = migrate(*SMALL, "--workload", str(ROOT / "nvmelm_lab/samples/null_mixed.log"))
    assert "null_mixed.log on 256 LBAs" in result.stdout
    assert "wrapped around" in result.stdout


@pytest.mark.parametrize(
    ("options", "key", "value"),
    [
        (("--blocks", "2MiB"), "blocks", 512),
        (("--blocks", "2MiB", "--block-bytes", "512"), "blocks", 4096),
        (("--workload", "uniform"), "workload", "uniform"),
        (("--method", "stop"), "method", "stop"),
        (("--seed", "12"), "seed", 12),
        (("--rounds", "0"), "rounds", 0),
        (("--random-order",), "virtual_ns", 0),
        (("--pct", "3"), "virtual_ns", 0),
    ],
)
def test_options_reach_the_run(options: tuple[str, ...], key: str, value: object) -> None:
    assert as_json("--blocks", "64", *options)[key] == value


def test_more_options_reach_the_run() -> None:
    usual = as_json("--blocks", "256")
    for options, key in (
        (("--filled", "16"), "bytes_copied"),
        (("--whole-namespace",), "bytes_copied"),
        (("--writes-per-second", "1000"), "guest_writes"),
        (("--queue-entries", "3"), "overflows"),
        (("--copy-tasks", "1"), "virtual_ns"),
        (("--chunk", "1"), "virtual_ns"),
        (("--depth", "1"), "latencies"),
        (("--burst", "64", "--writes-per-second", "1000000"), "latencies"),
        (("--granularity", "512"), "bytes_copied"),
        (("--link-bytes-per-second", "100000000"), "virtual_ns"),
        (("--link-latency-ns", "0"), "virtual_ns"),
        (("--downtime-budget-ns", "0"), "rounds"),
        (("--no-iommu",), "memory_bytes"),
        (("--memory-tracking", "none"), "memory_bytes"),
        (("--memory-tracking", "device"), "virtual_ns"),
        (("--no-neighbour",), "words"),
    ):
        assert as_json("--blocks", "256", *options)[key] != usual[key], options


SEQUENTIAL = ("--blocks", "1024", "--workload", "sequential", "--writes-per-second", "60000")


def test_how_much_the_vm_was_slowed_down_is_told_to_people_and_scripts() -> None:
    found = as_json(*SEQUENTIAL, "--throttle", "90")
    assert found["throttle"] == 90
    assert len(found["round_throttle"]) == found["rounds"]
    most = max(found["round_throttle"])
    text = migrate(*SEQUENTIAL, "--throttle", "90").stdout
    assert re.search(rf"^phase .* slowed by .*\n(?:.*\n)*Iterate .* {most} % ", text, re.MULTILINE)
    assert f"took up to {most} % of the processors' time from the VM" in text
    assert "slowed" not in migrate(*SEQUENTIAL).stdout


def test_an_order_by_priorities_has_its_depth_and_seed_in_the_token() -> None:
    found = as_json(*SMALL, "--pct", "3", "--seed", "7")
    assert replay(found["token"]).schedule == ("pct", 3, 7)
    assert as_json("--token", found["token"]) == found
    assert as_json(*SMALL, "--pct", "4", "--seed", "7")["steps"] != found["steps"]


def test_help_names_the_usual_values_as_they_are() -> None:
    usual, text = MigrationRun(), " ".join(migrate("--help").stdout.split())
    for name, (value, _) in cli_migrate.NUMBERS.items():
        assert value == getattr(usual, name), name
        assert f"--{name.replace('_', '-')} INTEGER" in text
    assert f"[default: {usual.blocks}]" in text
    assert f"[default: {usual.block_bytes}]" in text
    for name in (*WORKLOADS, *METHODS):
        assert re.search(rf"\b{name}\b", text), name


# -- how it ends ------------------------------------------------------------------------------------------


def test_a_lost_write_ends_with_status_1_and_a_bad_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    async def copy_nothing(self: Migration) -> None:
        self.move.enter("Initial copy")
        await self.memory.begin()

    monkeypatch.setattr(Migration, "initial_copy", copy_nothing)
    result = migrate(*SMALL, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["verdict"] == "bad"
    assert found["properties"]["no write lost"] is False
    assert "destination has zeros" in found["words"]["no write lost"]
    text = migrate(*SMALL)
    assert text.exit_code == 1
    assert "verdict: BAD" in text.stdout
    assert re.search(r"  NO +no write lost +LBA \d+: destination has zeros", text.stdout)


def test_a_migration_that_failed_ends_with_status_1_and_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: Migration) -> None:
        raise InputError("the destination is dead")

    monkeypatch.setattr(Migration, "move_and_resume", fail)
    result = migrate(*SMALL)
    assert result.exit_code == 1
    assert "the migration ended early: the destination is dead" in result.stdout
    assert "verdict: good" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--blocks", "0"], "'0' is too small: give at least 1 LBA"),
        (["--blocks", "64GB"], "'64GB' cannot be read: give a count of LBAs"),
        (["--blocks", "5KiB"], "'5KiB' is no whole number of LBAs of 4096 bytes"),
        (["--blocks", "16PiB"], "'16PiB' cannot be read"),
        (["--blocks", "4096TiB"], "of memory here, and this machine has"),
        (["--blocks", "8", "--filled", "9"], "filled cannot be 9 of 8 LBAs; give 0 to 8"),
        (["--workload", "zpf"], "did you mean 'zipf'"),
        (["--workload", "no/such/file"], "There is no workload and no file 'no/such/file'"),
        (["--workload", "."], "."),
        (["--workload", __file__], "which is neither 'fio version 2 iolog'"),
        (["--method", "fly"], "there is no method 'fly'; there are: ssd, shim, stop"),
        (["--queue-entries", "1"], "queue_entries cannot be 1"),
        (["--chunk", "0"], "give 1 to 128"),
        (
            ["--throttle", "100"],
            "throttle cannot be 100; give a whole number from 0 (never slow the VM down) to 99",
        ),
        (["--pct", "0"], "PCT cannot have the depth 0; give 1 or more"),
        (["--pct", "2", "--random-order"], "--random-order and --pct are two orders of steps; leave one"),
        (["--memory-tracking", "guess"], "memory_tracking cannot be 'guess'; give 'iommu', 'device', 'none'"),
        (["--memory-tracking", "device", "--no-iommu"], "--no-iommu is short for --memory-tracking none"),
        (["--token", "nvmelm1.x"], "is damaged"),
        (["--token", "nvmelm1.x", "--blocks", "5", "--json"], "leave --blocks away, or --token"),
        (["--workload", "null_mixed.log", "--writes-per-second", "5"], "brings its own times"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_sentence(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nvmelm", "migrate", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("nvmelm: ")
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--fly"], ["--seed", "x"], ["--block-bytes", "1000"], ["left over"]])
def test_bad_usage_ends_with_status_2_and_names_what_is_wrong(arguments: list[str]) -> None:
    result = migrate(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert arguments[-1] in result.stderr


# -- as a process -----------------------------------------------------------------------------------------


def test_nothing_but_the_object_is_on_stdout_and_nothing_heavy_is_loaded() -> None:
    program = (
        "import sys; from nvmelm_lab.cli import app; app(['migrate', '--blocks', '64', '--json'], "
        "standalone_mode=False); heavy = {'numpy', 'plotly', 'ipywidgets', 'networkx', 'rich'}; "
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    assert run.returncode == 0
    assert json.loads(run.stdout)["verdict"] == "good"


class Watched:
    """A run whose stderr is a terminal: what it shows there can be waited for."""

    def __init__(self, *arguments: str) -> None:
        self.terminal, end = pty.openpty()
        self.process = subprocess.Popen(nvmelm(*arguments), cwd=ROOT, stdout=subprocess.PIPE, stderr=end)
        os.close(end)
        self.shown = ""

    def wait_for(self, words: str) -> None:
        while words not in self.shown:
            self.shown += os.read(self.terminal, 4096).decode()

    def end(self) -> tuple[int, bytes]:
        """Exit status and stdout."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        status = self.process.wait()
        os.set_blocking(self.terminal, False)
        with contextlib.suppress(OSError):
            self.shown += os.read(self.terminal, 1 << 20).decode()
        os.close(self.terminal)
        return status, out

    @property
    def left(self) -> str:
        """What stands in the last line at the end."""
        return self.shown.rpartition("\r")[0].rpartition("\r")[2].strip()


ENDLESS = ("--blocks", "4096", "--downtime-budget-ns", "0", "--rounds", "100000")


def test_ctrl_c_ends_the_migration_early_and_keeps_what_was_found() -> None:
    run = Watched(*ENDLESS, "--json")
    run.wait_for("Iterate: 100 % copied")
    run.process.send_signal(signal.SIGINT)
    status, out = run.end()
    assert status == 1
    found = json.loads(out)
    assert found["failure"] == "cancelled"
    assert found["verdict"] == "good"
    assert found["bytes_copied"] > 0
    assert found["phases"][-1]["name"] == "Clean up"
    assert run.left == ""


def test_on_a_terminal_a_run_shows_how_far_it_is_and_clears_that_away() -> None:
    run = Watched("--blocks", "4096", "--workload", "mixed", "--writes-per-second", "60000")
    status, out = run.end()
    assert status == 0
    assert b"verdict: good" in out
    assert "setting up" in run.shown
    assert re.search(r"(Initial copy|Iterate): \d+ % copied, \d+ % changed since, \d+\.\d{3} ms", run.shown)
    assert run.left == ""
