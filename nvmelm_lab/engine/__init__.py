"""The engine: every actor is a coroutine that awaits *steps*; a *schedule* picks whose step comes next.

Under the schedule `Timed` a run is a discrete-event simulation; under `Manual` a person picks; under an
explorer it is a proof.  The engine knows no NVMe.  Read `step.py` first, then `core.py`.
"""

from nvmelm_lab.engine.audit import Audit
from nvmelm_lab.engine.cells import Recorder, Touches
from nvmelm_lab.engine.core import Actor, Engine, Schedule
from nvmelm_lab.engine.schedules import PCT, Manual, Random, Replay, RunToBlock
from nvmelm_lab.engine.step import (
    UNTIL,
    WAIT,
    Gate,
    Kind,
    Life,
    Resource,
    Signal,
    Use,
    choose,
    do,
    passed,
    until,
)
from nvmelm_lab.engine.streams import stream
from nvmelm_lab.engine.summary import MOST_FRAMES, MOST_TILES, Frame, Summary, pack_runs, unpack_runs
from nvmelm_lab.engine.timed import Timed
from nvmelm_lab.engine.token import Token, decode_token, encode_token
from nvmelm_lab.engine.trace import StepRecord, Trace, TraceFull

__all__ = [
    "MOST_FRAMES",
    "MOST_TILES",
    "PCT",
    "UNTIL",
    "WAIT",
    "Actor",
    "Audit",
    "Engine",
    "Frame",
    "Gate",
    "Kind",
    "Life",
    "Manual",
    "Random",
    "Recorder",
    "Replay",
    "Resource",
    "RunToBlock",
    "Schedule",
    "Signal",
    "StepRecord",
    "Summary",
    "Timed",
    "Token",
    "Touches",
    "Trace",
    "TraceFull",
    "Use",
    "choose",
    "decode_token",
    "do",
    "encode_token",
    "pack_runs",
    "passed",
    "stream",
    "unpack_runs",
    "until",
]
