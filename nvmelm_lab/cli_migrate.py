"""`nvmelm migrate`: one migration, its phases, what it cost, and the verdict.

How options are read and how an outcome is printed lives here; what a migration is lives in `runs.py`, which is
imported only once the options are read.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from nvmelm_lab.errors import InputError
from nvmelm_lab.sizes import in_words, parse_blocks

if TYPE_CHECKING:
    from nvmelm_lab.runs import MigrationRun, Outcome, Run

STEPS_AT_ONCE = 20_000
"""Steps between two looks at the progress and at Ctrl-C: a fraction of a second."""

NUMBERS: dict[str, tuple[int | None, str]] = {
    "seed": (1, "What the workload draws its places from, and the order of steps where that is random."),
    "writes_per_second": (None, "Write commands of a built-in workload per second of virtual time."),
    "depth": (8, "Commands that the guest keeps under way at most."),
    "burst": (1, "Commands that the SSD may take at once, 1 to 64: more runs faster here, coarser in time."),
    "granularity": (8, "LBAs whose allocation the SSD tracks as one (TLBAAG)."),
    "queue_entries": (128, "Slots of the Migration Queue."),
    "copy_tasks": (4, "Copies under way at once."),
    "chunk": (32, "LBAs that a copy reads and writes at once."),
    "rounds": (12, "Iterative copies at most, before the VM is paused whatever is left."),
    "downtime_budget_ns": (2_000_000, "Pause the VM once a round took no longer than this."),
    "throttle": (
        0,
        "Percent of the processors' time that the VMM may take from the VM, in growing steps, while rounds do not "
        "shrink; at most 99.",
    ),
    "link_bytes_per_second": (1_250_000_000, "Bandwidth of the link between the hosts."),
    "link_latency_ns": (20_000, "Latency of that link."),
}
"""Options that are whole numbers, by the field of `MigrationRun`: the usual value, and what it is."""


def _number_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each of `NUMBERS`."""
    for name, (usual, words) in reversed(NUMBERS.items()):
        text = words if usual is None else f"{words}  [default: {usual}]"
        function = click.option(f"--{name.replace('_', '-')}", type=int, help=text)(function)
    return function


@click.command("migrate")
@click.option(
    "--blocks", metavar="N|SIZE", help="LBAs of the guest's namespace, or bytes: 64GiB.  [default: 16384]"
)
@click.option("--block-bytes", type=click.Choice(["512", "4096"]), help="Bytes of an LBA.  [default: 4096]")
@click.option(
    "--filled", metavar="N|SIZE", help="How much of it holds data at first.  [default: three quarters]"
)
@click.option(
    "--workload",
    metavar="NAME|FILE",
    help="What the guest does: sequential, uniform, zipf, mixed, ai-training, diurnal or idle; or a recording, "
    "an fio iolog (version 2 or 3) or what blkparse prints, played again and again.  [default: zipf]",
)
@click.option(
    "--method",
    metavar="ssd|shim|stop",
    help="Who tells of changes: the SSD, a host shim, or nobody since the VM is stopped.  [default: ssd]",
)
@_number_options
@click.option("--whole-namespace", is_flag=True, help="Copy every LBA, not only those that are allocated.")
@click.option(
    "--memory-tracking",
    metavar="iommu|device|none",
    help="Who tells which pages of guest memory devices write: an IOMMU, the SSD, or nobody.  [default: iommu]",
)
@click.option(
    "--no-iommu", is_flag=True, help="Short for --memory-tracking none: guest memory goes at the end."
)
@click.option("--no-neighbour", is_flag=True, help="No other VM on the SSD.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME@WHERE",
    help="Let something fail: reset-x, media-error, vmm-crash ... before a step (reset-x@1200), behind a step of an "
    "actor (reset-x@VMM#12) or at the begin of a phase (reset-x@iterate).  nvmelm doctor --faults lists the names.",
)
@click.option("--random-order", is_flag=True, help="Take steps in a random order, without a clock.")
@click.option(
    "--pct",
    metavar="DEPTH",
    type=int,
    help="Take steps by random priorities that change DEPTH - 1 times (PCT), without a clock.",
)
@click.option(
    "--token", metavar="TOKEN", help="Run again what this token stands for; only --workload goes with it."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def command(context: click.Context, /, token: str | None, as_json: bool, **options: Any) -> None:
    """Migrate a running guest from one emulated SSD to another, once.

    Prints phases, rounds, bytes copied, downtime and the verdict.  Ends with status 1 when a property did not hold
    or the migration ended early.  Ctrl-C ends it early and keeps what was found.
    """
    from nvmelm_lab.runs import replay, start

    given = {
        name: value
        for name, value in options.items()
        if value is not None and value is not False and value != ()
    }
    if token is None:
        spec = _spec(given)
    else:
        _refuse_beside_token(given)
        spec = replay(token, workload=given.get("workload"))
    _tell("setting up")
    outcome = _run(start(spec))
    print(json.dumps(as_plain(outcome), indent=2) if as_json else as_text(outcome))
    context.exit(0 if outcome.good else 1)


def _spec(given: dict[str, Any]) -> MigrationRun:
    """The run that the options describe."""
    from nvmelm_lab.runs import MigrationRun

    values = {
        name: value
        for name, value in given.items()
        if name in (*NUMBERS, "workload", "method", "memory_tracking", "faults")
    }
    block_bytes = int(given.get("block_bytes", 4096))
    for name in ("blocks", "filled"):
        if name in given:
            values[name] = parse_blocks(given[name], block_bytes, least=int(name == "blocks"))
    values["whole_namespace"] = "whole_namespace" in given
    if "no_iommu" in given:
        if given.get("memory_tracking", "none") != "none":
            raise InputError("--no-iommu is short for --memory-tracking none; leave one of them away")
        values["memory_tracking"] = "none"
    values["neighbour"] = "no_neighbour" not in given
    if "random_order" in given and "pct" in given:
        raise InputError("--random-order and --pct are two orders of steps; leave one of them away")
    if "random_order" in given:
        values["schedule"] = ("random", given.get("seed", 1))
    if "pct" in given:
        values["schedule"] = ("pct", given["pct"], given.get("seed", 1))
    return MigrationRun(block_bytes=block_bytes, **values)


def _refuse_beside_token(given: dict[str, Any]) -> None:
    options = {"faults": "--fault"}
    beside = [options.get(name, f"--{name.replace('_', '-')}") for name in given if name != "workload"]
    if beside:
        raise InputError(f"a token brings its own options; leave {', '.join(beside)} away, or --token")


# -- running ----------------------------------------------------------------------------------------------


def _run(run: Run) -> Outcome:
    """Run to the end; the first Ctrl-C cancels the migration, so that there still is an outcome."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        run.cancel()

    before = signal.signal(signal.SIGINT, stop)
    try:
        while not run.advance(STEPS_AT_ONCE):
            now = run.progress
            _tell(
                f"{now.phase}: {now.copied_percent} % copied, {now.dirty_percent} % changed since, "
                f"{_ms(now.virtual_ns)} of virtual time"
            )
    finally:
        signal.signal(signal.SIGINT, before)
        _tell("")
    assert run.outcome is not None
    return run.outcome


def _tell(line: str) -> None:
    """Show a line in place of the last one, for whoever watches."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{line[:width]:<{width}}\r")
        sys.stderr.flush()


# -- printing ---------------------------------------------------------------------------------------------


def as_plain(outcome: Outcome) -> dict[str, Any]:
    """The outcome as what `--json` prints; scripts rely on its keys."""
    run, verdict = outcome.run, outcome.verdict
    return {
        "verdict": "good" if verdict.good else "bad",
        "properties": {each.name: each.holds for each in verdict.properties},
        "words": {each.name: each.word for each in verdict.properties},
        "failure": outcome.failure,
        "faults": list(run.faults),
        "method": run.method,
        "workload": outcome.workload,
        "notes": list(outcome.notes),
        "blocks": run.blocks,
        "block_bytes": run.block_bytes,
        "seed": run.seed,
        "virtual_ns": outcome.virtual_ns,
        "downtime_ns": outcome.downtime_ns,
        "rounds": outcome.rounds,
        "round_blocks": list(outcome.round_blocks),
        "throttle": run.throttle,
        "round_throttle": list(outcome.round_throttle),
        "bytes_copied": outcome.bytes_copied,
        "memory_bytes": outcome.memory_bytes,
        "guest_writes": outcome.guest_writes,
        "guest_commands": outcome.guest_commands,
        "entries_drained": outcome.entries_drained,
        "overflows": outcome.overflows,
        "host_steps": outcome.host_steps,
        "host_ns": outcome.host_ns,
        "phases": [asdict(phase) for phase in outcome.phases],
        "latencies": [asdict(latency) for latency in outcome.latencies],
        "steps": outcome.steps,
        "token": outcome.token,
    }


def as_text(outcome: Outcome) -> str:
    """The outcome for people."""
    run, most = outcome.run, max(outcome.round_throttle, default=0)
    slowed = f"{most} %" if most else ""
    rows: list[tuple[str, ...]] = [
        ("phase", "begins at", "takes", "rounds", "slowed by", "copied", "entries drained")
    ]
    for phase in outcome.phases:
        rows.append(
            (
                phase.name,
                _ms(phase.start_ns),
                _ms(phase.end_ns - phase.start_ns),
                str(phase.rounds or ""),
                slowed if phase.rounds else "",
                in_words(phase.bytes_copied) if phase.bytes_copied else "",
                str(phase.entries_drained or ""),
            )
        )
    rows.append(
        (
            "all",
            "",
            _ms(outcome.virtual_ns),
            str(outcome.rounds),
            slowed,
            in_words(outcome.bytes_copied),
            str(outcome.entries_drained),
        )
    )
    lines = [
        f"{outcome.workload} on {run.blocks} LBAs of {run.block_bytes} bytes, method {run.method}",
        *(f"fault {text}" for text in run.faults),
        *outcome.notes,
        "",
        *_table([row if most else (*row[:4], *row[5:]) for row in rows]),
        "",
        f"downtime {_ms(outcome.downtime_ns)}; the guest wrote {outcome.guest_writes} times before it was paused",
    ]
    for each in outcome.latencies:
        lines.append(
            f"{each.kind}s {each.period} the migration took {each.mean_ns // 1000} us, "
            f"{each.longest_ns // 1000} us at most"
        )
    if most:
        lines.append(
            f"rounds did not shrink, so the VMM took up to {most} % of the processors' time from the VM"
        )
    if outcome.overflows:
        lines.append(f"the Migration Queue was full {outcome.overflows} times, and the copy began anew")
    if outcome.failure:
        lines.append(f"the migration ended early: {outcome.failure}")
    lines += ["", f"verdict: {'good' if outcome.verdict.good else 'BAD'}"]
    checks = [("yes" if each.holds else "NO", each.name, each.word) for each in outcome.verdict.properties]
    lines += [f"  {holds:<4} {name:<24} {word}" for holds, name, word in checks]
    return "\n".join([*lines, "", f"to run this again: nvmelm migrate --token {outcome.token}"])


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows in columns, the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if n else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _ms(ns: int) -> str:
    """A virtual time in ms; empty where no clock runs."""
    return "" if ns < 0 else f"{ns // 1_000_000}.{ns // 1000 % 1000:03} ms"
