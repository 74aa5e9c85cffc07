"""`nvmelm doctor`: what works here, one line each, and what to do where it does not.

Each check is a function that looks at this machine and returns a `Finding`; the table `CHECKS` is all of
them.  A check reads and tries; it mends nothing.  What only a check needs is imported in it, so that other
commands do not wait for it.
"""

import importlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

import nvmelm_lab
from nvmelm_lab.sizes import in_words, memory_limit

SET_UP_AGAIN = "make lab sets it up again; with conda: conda env update -f environment.yml"
LOCK_PLACES = (Path(__file__).parent / "requirements.lock", Path(__file__).parents[1] / "requirements.lock")
LABEXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSERS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
SMALL_MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    `status`: "ok"; "note" = worth knowing, yet a learner can work; "bad" = something will not work.
    `mend` says what to do, and is empty when ok.
    """

    status: Literal["ok", "note", "bad"]
    found: str
    mend: str = ""


def locked_requirements(lock: str) -> list[str]:
    """Return the requirements of a lock's text, one `name==version ; marker` each, without their hashes."""
    lines = [line for line in lock.splitlines() if line and line[0] not in " #"]
    return [line.removesuffix("\\").strip() for line in lines]


def _version(name: str) -> str | None:
    """Return the version of the installed package `name`, or None."""
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def find_browser() -> Path | None:
    """Return a Chromium or Chrome for the browser tests: the system's, else Playwright's own, else None."""
    on_path = (shutil.which(name) for name in BROWSER_NAMES)
    for candidate in (*on_path, *MAC_BROWSERS):
        if candidate and Path(candidate).exists():
            return Path(candidate)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as driver:
        own = Path(driver.chromium.executable_path)
    return own if own.exists() else None


def _python() -> Finding:
    return Finding("ok", f"Python {platform.python_version()} in {sys.prefix}")


def _versions(lock: str) -> dict[str, str]:
    """Return name -> version of the requirements that hold for this Python and this system."""
    from packaging.requirements import Requirement

    wanted = [Requirement(line) for line in locked_requirements(lock)]
    return {
        need.name: next(iter(need.specifier)).version
        for need in wanted
        if need.marker is None or need.marker.evaluate()
    }


def _packages() -> Finding:
    lock = next((path for path in LOCK_PLACES if path.is_file()), None)
    if lock is None:
        return Finding("bad", "the lock of package versions is missing from the kit", "install the kit again")
    versions = _versions(lock.read_text(encoding="utf-8"))
    here = {name: _version(name) for name in versions}
    different = [
        f"{name} {here[name] or 'missing'} (tested: {version})"
        for name, version in versions.items()
        if here[name] != version
    ]
    if different:
        return Finding("note", f"not as tested: {', '.join(different)}", SET_UP_AGAIN)
    return Finding("ok", f"{len(versions)} packages, all as locked")


def _import(name: str, use: str) -> Finding:
    try:
        importlib.import_module(name)
    except Exception as error:  # a broken binary can raise anything; the sentence carries it
        return Finding("bad", f"{name} does not load ({error}); without it: no {use}", SET_UP_AGAIN)
    return Finding("ok", f"{name} {_version(name)}")


def _widgets() -> Finding:
    for name in ("ipywidgets", "anywidget"):
        loaded = _import(name, "player, no sliders")
        if loaded.status != "ok":
            return loaded
    from jupyter_core.paths import jupyter_path

    places = [Path(place) for place in jupyter_path("labextensions")]
    for extension in LABEXTENSIONS:
        if not any((place / extension / "package.json").is_file() for place in places):
            return Finding(
                "bad", f"JupyterLab's extension {extension} is missing: widgets stay blank", SET_UP_AGAIN
            )
    versions = ", ".join(f"{name} {_version(name)}" for name in ("ipywidgets", "anywidget"))
    return Finding("ok", f"{versions}, with their JupyterLab extensions")


def _jupyterlab() -> Finding:
    loaded = _import("jupyterlab", "notebooks")
    if loaded.status != "ok":
        return loaded
    if _version("rfc3987-syntax") is None:
        return loaded
    return Finding(
        "note",
        f"{loaded.found}, slowed by rfc3987-syntax: a second or more whenever notebooks are read",
        f"{sys.executable} -m pip uninstall rfc3987-syntax",
    )


def _kernel() -> Finding:
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import KernelManager

    try:
        program = KernelManager(kernel_name="python3").format_kernel_cmd()[0]
    except NoSuchKernel:
        return Finding("bad", "Jupyter knows no kernel python3", SET_UP_AGAIN)
    if program == sys.executable:
        return Finding("ok", "notebooks run on this Python")
    return Finding(
        "bad",
        f"notebooks would run on {program}, not on {sys.executable}",
        "jupyter kernelspec remove python3 removes the kernel that hides ours",
    )


def _browser() -> Finding:
    browser = find_browser()
    if browser is not None:
        return Finding("ok", str(browser))
    return Finding("note", "no Chromium or Chrome; only the kit's own tests need one", "install Chromium")


def _memory() -> Finding:
    limit = memory_limit()
    if limit is None:
        return Finding("note", "how much memory there is cannot be told on this system", "nothing to do")
    found = in_words(limit)
    if limit < SMALL_MEMORY:
        return Finding("note", f"{found}: enough for the notebooks as they are", "keep namespaces small")
    return Finding("ok", found)


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("ok", f"{cores}")


def _folder() -> Finding:
    import tempfile

    here = Path.cwd()
    try:
        with tempfile.TemporaryFile(dir=here):
            return Finding("ok", f"{here} can be written to")
    except OSError as error:
        found = f"{here} cannot be written to ({error.strerror}): no notebook can be saved"
        return Finding("bad", found, "copy the kit to a folder of your own")


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": _python,
    "packages": _packages,
    "bitarray": lambda: _import("bitarray", "migration at all"),
    "networkx": lambda: _import("networkx", "topology figures"),
    "plotly": lambda: _import("plotly", "figures"),
    "widgets": _widgets,
    "jupyterlab": _jupyterlab,
    "kernel": _kernel,
    "browser": _browser,
    "memory": _memory,
    "cores": _cores,
    "folder": _folder,
}


def examine() -> dict[str, Finding]:
    """Run every check and return its finding by its name; a check that itself fails is a bad finding."""
    findings = {}
    for name, check in CHECKS.items():
        try:
            findings[name] = check()
        except Exception as error:  # whatever is broken here must not hide the other findings
            findings[name] = Finding("bad", f"could not be looked at: {error!r}", SET_UP_AGAIN)
    return findings


def _print(findings: dict[str, Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    colours = {"ok": "green", "note": "yellow", "bad": "bold red"}
    console = Console(highlight=False, soft_wrap=True)
    for name, finding in findings.items():
        mend = f"  ->  {finding.mend}" if finding.mend else ""
        line = (f"{name:<11} ", (f"{finding.status:<5}", colours[finding.status]), f" {finding.found}{mend}")
        console.print(Text.assemble(*line))


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--faults",
    is_flag=True,
    help="Print the fault table instead, and try every fault at every step of a small migration.",
)
@click.pass_context
def command(context: click.Context, as_json: bool, faults: bool) -> None:
    """Say what works here, and what to do where it does not.

    Ends with status 1 when something will not work, or when a fault does not end as its row of the table says.
    """
    if faults:
        from nvmelm_lab import doctor_faults

        context.exit(0 if doctor_faults.report(as_json) else 1)
    findings = examine()
    good = all(finding.status != "bad" for finding in findings.values())
    if as_json:
        checks = {name: asdict(finding) for name, finding in findings.items()}
        print(json.dumps({"good": good, "version": nvmelm_lab.__version__, "checks": checks}, indent=2))
    else:
        _print(findings)
    context.exit(0 if good else 1)
