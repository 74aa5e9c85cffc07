"""The I/O commands that write one range: Write, Write Uncorrectable.

Source: NVM Command Set 1.2, sections 3.3.6 and 3.3.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.ssd.command import Command
from nvmelm_lab.ssd.data import get_blocks
from nvmelm_lab.ssd.io_handler import Handler, checked, tell, touching

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller


def _write(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = checked(controller, command)
    stamps = get_blocks(controller.space, command, blocks)
    namespace.write(slba, stamps)
    command.changes = ((namespace.nsid, slba, blocks, False),)
    engine = controller.engine
    if engine.telling:
        engine.emit(("wrote", controller.subsystem.name, namespace.nsid, slba, tuple(stamps), command.name))


def _write_uncorrectable(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = checked(controller, command)
    namespace.write_uncorrectable(slba, blocks)
    tell(controller, command, "uncorrectable", ((namespace.nsid, slba, blocks, False),))


HANDLERS: Mapping[int, Handler] = {
    int(IoOpcode.WRITE): Handler(_write, touching("writing"), True),
    int(IoOpcode.WRITE_UNCORRECTABLE): Handler(_write_uncorrectable, touching("writing"), True),
}
