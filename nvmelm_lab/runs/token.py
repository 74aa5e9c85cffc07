"""A run as one line of text, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from nvmelm_lab import __version__
from nvmelm_lab.engine import Token, decode_token, encode_token
from nvmelm_lab.errors import InputError
from nvmelm_lab.runs.spec import MigrationRun, check, recording_path, workload_of
from nvmelm_lab.ssd import Habits


def token(spec: MigrationRun, hashes: Mapping[str, str], turns: int = 0) -> str:
    """The run as one line of text; `hashes` are those of the files that it needs beside.

    turns
        How far it has come, in turns that the engine gave; 0: at its begin.
    """
    own = MigrationRun()
    scenario = {
        each.name: getattr(spec, each.name)
        for each in fields(spec)
        if each.name not in ("schedule", "habits") and getattr(spec, each.name) != getattr(own, each.name)
    }
    scenario["habits"] = spec.habits.plain()
    if turns:
        scenario["turns"] = turns
    return encode_token(Token(__version__, scenario, list(spec.schedule), dict(hashes)))


def turns_of(text: str) -> int:
    """How far the run had come that a token stands for.  InputError when the token is damaged."""
    turns = decode_token(text, kit=__version__).scenario.get("turns", 0)
    if not isinstance(turns, int) or turns < 0:
        raise InputError("this token is not one of a migration; give one that nvmelm migrate printed")
    return turns


def replay(text: str, *, workload: str | None = None) -> MigrationRun:
    """The run that a token stands for, from its begin.  `workload`: where its recording lies now, if not where it was.

    InputError when the token is damaged, of another kit or of something else, or when the recording is not there
    or not the one that was played.
    """
    found = decode_token(text, kit=__version__)
    scenario = dict(found.scenario)
    scenario.pop("turns", None)
    if workload is not None:
        if not found.hashes:
            raise InputError("this token needs no recording; leave the workload away")
        scenario["workload"] = workload
    try:
        habits = Habits(**scenario.pop("habits"))
        if "faults" in scenario:
            scenario["faults"] = tuple(map(str, scenario["faults"]))
        spec = MigrationRun(**scenario, habits=habits, schedule=tuple(found.schedule))
        check(spec)
    except (TypeError, KeyError) as error:
        raise InputError(
            "this token is not one of a migration; give one that nvmelm migrate printed"
        ) from error
    if found.hashes:
        _check_recording(spec, found.hashes)
    return spec


def _check_recording(spec: MigrationRun, hashes: Mapping[str, str]) -> None:
    if recording_path(spec.workload) is None:
        raise InputError(
            f"the recording {spec.workload!r} that this token was made with is not here; say where it is (--workload)"
        )
    if workload_of(spec)[1] != hashes:
        raise InputError(
            f"the recording {spec.workload!r} is not the one that this token was made with, or was changed since; "
            "give that one (--workload)"
        )
