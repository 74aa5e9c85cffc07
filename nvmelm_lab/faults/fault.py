"""A fault as plain data: what happens, and where in a run.

Where is a *site*: a step of the run by its number, the first step of a phase, or the n-th step of an actor by its
name.  The last stays the same however the steps of others are ordered, so that the explorer can choose it at its
root.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvmelm_lab.errors import InputError
from nvmelm_lab.faults.table import FAULTS
from nvmelm_lab.host.move import PHASES

_PHASES = {phase.lower().replace(" ", "-"): phase for phase in PHASES}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, at one site.

    name
        A key of `FAULTS`.
    step
        It happens before the step of this number; with `actor`, right behind this step of that actor (from 1 on).
    phase
        It happens as soon as this phase begins.
    lba
        Which LBA a media error hits.
    """

    name: str
    step: int = -1
    phase: str = ""
    actor: str = ""
    lba: int = 0

    @property
    def text(self) -> str:
        """As the command line has it: ``reset-x@120``, ``media-error:3@iterate``, ``cancel@VMM#12``."""
        where = self.phase.lower().replace(" ", "-") or (
            f"{self.actor}#{self.step}" if self.actor else self.step
        )
        return f"{self.name}{f':{self.lba}' if self.lba else ''}@{where}"


def parse(text: str) -> Fault:
    """The fault that `text` names.  Raises InputError when it cannot be read or is of a name that there is not."""
    what, at, where = text.partition("@")
    name, colon, lba = what.partition(":")
    if name not in FAULTS:
        raise InputError(f"there is no fault {name!r}; there are: {', '.join(FAULTS)}")
    if colon and (name != "media-error" or not lba.isdecimal()):
        raise InputError(f"the fault {what!r} cannot be read; only a media error has an LBA: media-error:3")
    actor, _, step = where.rpartition("#")
    if at and actor and step.isdecimal() and int(step):
        return Fault(name, int(step), actor=actor, lba=int(lba or 0))
    if at and where.isdecimal():
        return Fault(name, int(where), lba=int(lba or 0))
    if where.lower() in _PHASES:
        return Fault(name, phase=_PHASES[where.lower()], lba=int(lba or 0))
    raise InputError(
        f"the fault {text!r} does not say where; write {what}@STEP, {what}@ACTOR#STEP, or {what}@ and one of: "
        + ", ".join(_PHASES)
    )
