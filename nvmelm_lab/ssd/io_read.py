"""The I/O commands that look at blocks and change none: Read, Compare, Verify.

Source: NVM Command Set 1.2, sections 3.3.4, 3.3.1 and 3.3.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.data import get_blocks, pieces_of, put_blocks
from nvmelm_lab.ssd.io_handler import Handler, checked, touching

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace


def readable(namespace: Namespace, slba: int, blocks: int) -> Sequence[int]:
    """The stamps of the blocks; refused when one of them cannot be read."""
    stamps = namespace.read(slba, blocks)
    if stamps is None:
        raise Refused(Status.UNRECOVERED_READ_ERROR)
    return stamps


def _read(controller: Controller, command: Command) -> None:
    namespace, slba, blocks = checked(controller, command)
    pieces = pieces_of(controller.space, command, blocks * namespace.block_bytes)
    stamps = readable(namespace, slba, blocks)
    put_blocks(controller.space, pieces, stamps)
    if controller.engine.telling:
        ssd = controller.subsystem.name
        controller.engine.emit(("read", ssd, namespace.nsid, slba, tuple(stamps), command.name))


def _compare(controller: Controller, command: Command) -> None:
    """Equal stamps are equal blocks, whichever way the host has put the bytes into memory."""
    namespace, slba, blocks = checked(controller, command)
    wanted = get_blocks(controller.space, command, blocks)
    if tuple(readable(namespace, slba, blocks)) != tuple(wanted):
        raise Refused(Status.COMPARE_FAILURE)


def _verify(controller: Controller, command: Command) -> None:
    readable(*checked(controller, command))


HANDLERS: Mapping[int, Handler] = {
    int(IoOpcode.READ): Handler(_read, touching("reading"), False),
    int(IoOpcode.COMPARE): Handler(_compare, touching("reading"), False),
    int(IoOpcode.VERIFY): Handler(_verify, touching("reading"), False),
}
