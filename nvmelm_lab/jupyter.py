"""`nvmelm lab`: JupyterLab, opened on the first notebook of the course, which is laid where the learner wants it.

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
from nvmelm_lab.lessons.course import bring_back, holds_a_course, is_checkout, lay, shipped
from nvmelm_lab.lessons.progress import top

FIRST_NOTEBOOK = "00_start_here.ipynb"
NEW_FOLDER = "nvmelm-course"


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


def folder_of_the_course(named: Path | None, here: Path) -> Path:
    """Return the folder to work in: the one that is `named`, else `here` if it holds a course, else a new one in it.

    InputError when it is none and cannot become one.
    """
    if named is None:
        folder = _whole(here)
        return folder if _has_notebooks(folder) or first_notebook(folder) else here / NEW_FOLDER
    folder = _whole(named.resolve())
    if folder.is_dir() or (folder.parent.is_dir() and not folder.exists()):
        return folder
    where = "it is a file" if folder.exists() else f"there is no folder {str(named.parent)!r}"
    raise InputError(
        f"FOLDER {str(named)!r} cannot be made: {where}; name one, or a new one in one that is there"
    )


def _has_notebooks(folder: Path) -> bool:
    return is_checkout(folder) or holds_a_course(folder)


def _whole(folder: Path) -> Path:
    """The folder of the course, seen from itself or from its notebooks."""
    return top(folder) if _has_notebooks(top(folder)) else folder


@click.command("lab")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--port", type=click.IntRange(1, 65535), help="Serve on this port and no other.")
@click.option("--no-browser", is_flag=True, help="Print the address; open nothing.")
@click.option("--reset", metavar="NAME", help="Bring one notebook back as it was; yours is kept beside it.")
def command(folder: Path | None, port: int | None, no_browser: bool, reset: str | None) -> None:
    """Open JupyterLab on the first notebook.

    FOLDER is where you work. The course is laid into it, and what you change there is never overwritten. Unless said,
    it is this folder if it holds a course, else a new folder nvmelm-course in it.
    """
    folder = folder_of_the_course(folder, Path.cwd())
    if reset is not None:
        print(_reset(folder, reset))
        return
    if not is_checkout(folder):
        print("".join(f"{said}\n" for said in lay(folder, shipped())), end="")
    print("JupyterLab starts; press Ctrl-C twice to stop it.", flush=True)

    from jupyterlab.labapp import LabApp

    browser = not no_browser and has_display(sys.platform, os.environ)
    LabApp.launch_instance(arguments(folder, port, browser))


def _reset(folder: Path, name: str) -> str:
    if is_checkout(folder):
        raise InputError(
            f"FOLDER {str(folder)!r} holds the kit itself; git restore brings its notebooks back"
        )
    return bring_back(folder, shipped(), name)
