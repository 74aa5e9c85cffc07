"""Asynchronous Event Request: a command that completes when there is something to tell.

How many there may be is decided in `admission.py`; what they tell, and when, in `events.py`.
Source: Base 2.1, section 5.1.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import AdminOpcode
from nvmelm_lab.ssd.admin_handler import AdminHandler
from nvmelm_lab.ssd.command import Command

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller


def _request(controller: Controller, command: Command) -> None:
    """From now on the command is outstanding, and no longer in flight."""
    controller.finish(command)
    controller.events.wait_for_one(command)


def _touches(controller: Controller, _command: Command) -> Touches:
    return (), (controller.events.key,)


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.ASYNC_EVENT_REQUEST: AdminHandler(_request, touches=_touches)
}
