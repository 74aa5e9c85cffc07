"""`nvmelm lab`: JupyterLab, opened on the first notebook.

What JupyterLab is told lives here and in jupyterlab_defaults.json, which the environment carries as defaults
below the learner's own settings.  Nothing here writes into the learner's Jupyter folders, and no notebook's
content belongs here.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import click

from nvmelm_lab.errors import InputError

FIRST_NOTEBOOK = "00_start_here.ipynb"


def first_notebook(folder: Path) -> str | None:
    """Return the first notebook's path below `folder`, with slashes, or None when it is not there."""
    for path in (f"notebooks/{FIRST_NOTEBOOK}", FIRST_NOTEBOOK):
        if (folder / path).is_file():
            return path
    return None


def has_display(platform: str, environment: Mapping[str, str]) -> bool:
    """Say whether a browser window can open, from `sys.platform` and the environment variables."""
    if "DISPLAY" in environment or "WAYLAND_DISPLAY" in environment:
        return True
    return platform in ("darwin", "win32") and "SSH_CONNECTION" not in environment


def arguments(folder: Path, port: int | None, browser: bool) -> list[str]:
    """Return JupyterLab's arguments: serve `folder`, open its first notebook if there is one.

    A `port` asked for is the only one tried; without one it is the next free one from 8888 on.  The
    terminal shows errors only: Jupyter warns of much that no learner can act on, and so does a kernel that
    is reached without encryption.  No language servers are searched for, since that would run npm.
    """
    start = first_notebook(folder)
    page = "/lab" if start is None else f"/lab/tree/{quote(start)}"
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url={page}",
        "--Application.log_level=ERROR",
        "--LanguageServerManager.autodetect=False",
        "--KernelManager.transport_encryption=auto",
        *([] if port is None else [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]),
        *([] if browser else ["--no-browser"]),
        *(["--allow-root"] if as_root else []),
    ]


@click.command("lab")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--port", type=click.IntRange(1, 65535), help="Serve on this port and no other.")
@click.option("--no-browser", is_flag=True, help="Print the address; open nothing.")
def command(folder: Path, port: int | None, no_browser: bool) -> None:
    """Open JupyterLab on the first notebook.

    FOLDER is the one that holds notebooks/; it is this folder unless said.
    """
    if not folder.is_dir():
        raise InputError(f"FOLDER {str(folder)!r} is not a folder; give the one that holds notebooks/")
    folder = folder.resolve()
    if first_notebook(folder) is None:
        print(f"There is no notebooks/{FIRST_NOTEBOOK} in {folder}: JupyterLab opens on the folder itself.")
    print("JupyterLab starts; press Ctrl-C twice to stop it.", flush=True)

    from jupyterlab.labapp import LabApp

    browser = not no_browser and has_display(sys.platform, os.environ)
    LabApp.launch_instance(arguments(folder, port, browser))
