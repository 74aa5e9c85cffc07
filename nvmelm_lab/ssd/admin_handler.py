"""What every admin command has: a row of the table in `admin.py`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import Command, Refused

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

Rest = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class AdminHandler:
    """How one admin opcode is carried out.

    act
        Checks, then changes; may give what still has to happen, step by step, before the command completes.
    primary_only
        The primary controller alone takes it.
    touches
        The shared cells that `act` touches; None: none.
    describe
        The command in words; None: its name.
    """

    act: Callable[[Controller, Command], Rest | None]
    primary_only: bool = False
    touches: Callable[[Controller, Command], Touches] | None = None
    describe: Callable[[Command], str] | None = None


def target_of(controller: Controller, cntlid: int) -> Controller:
    """The migratable controller `cntlid` of the same subsystem; Refused with 1/1Fh when there is none."""
    target = controller.subsystem.controllers.get(cntlid)
    if target is None or target.primary:
        raise Refused(Status.INVALID_CONTROLLER_IDENTIFIER)
    return target
