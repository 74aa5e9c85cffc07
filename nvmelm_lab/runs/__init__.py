"""A whole migration as plain data: what is migrated, how and in which order of steps, and what came of it.

`start` sets a `MigrationRun` up, `advance` takes it on, `outcome` says what came of it.  A run has a replay token,
one line of text that brings the same run back anywhere; a snapshot is one that also says how far it had come.
Nothing here prints or reads the clock of this machine.
"""

from nvmelm_lab.runs.observer import Level, Observations, Part, Wait
from nvmelm_lab.runs.outcome import Latency, Outcome, Phase, RunProgress
from nvmelm_lab.runs.run import Run, restore, start
from nvmelm_lab.runs.spec import SCHEDULES, MigrationRun
from nvmelm_lab.runs.token import replay

__all__ = [
    "SCHEDULES",
    "Latency",
    "Level",
    "MigrationRun",
    "Observations",
    "Outcome",
    "Part",
    "Phase",
    "Run",
    "RunProgress",
    "Wait",
    "replay",
    "restore",
    "start",
]
