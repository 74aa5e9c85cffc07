"""Firmware that tells of changes wrongly: which changes become entries, when, and what the entries say.

Right is `nvmelm_lab.ssd.change_log`: as a change takes effect it is decided whether to tell of it, its entry is posted
afterwards, and it says what is true when it is posted (NVM Command Set 1.2, section 5.6).
"""

from __future__ import annotations

from nvmelm_lab.engine import Kind, Life, Touches
from nvmelm_lab.nvme.codes import IoOpcode
from nvmelm_lab.ssd import change_log
from nvmelm_lab.ssd.command import Change, Command
from nvmelm_lab.ssd.command_steps import CommandSteps
from nvmelm_lab.ssd.controller import Controller
from nvmelm_lab.ssd.namespace import Namespace
from nvmelm_lab.ssd.rings import SubmissionQueue


class _Withholds(CommandSteps):
    """Tells of some of a command's changes only; of fewer than it declares, which is no lie."""

    def told_of(self, command: Command) -> tuple[Change, ...]:
        """The changes that it tells of."""
        return command.changes

    def _post_entries(self, command: Command) -> None:
        all_changes, command.changes = command.changes, self.told_of(command)
        super()._post_entries(command)
        command.changes = all_changes


class LosesRangesBetween(_Withholds):
    """Of ranges that do not touch, every second is lost: posting one forgets the next instead of holding it back.

    The firmware joins ranges that follow each other, so it holds one back until it knows the next.
    """

    def told_of(self, command: Command) -> tuple[Change, ...]:
        """Of A, B, C it tells of A and C."""
        told: list[Change] = []
        held: Change | None = None
        for change in command.changes:
            if held is None:
                held = change
            elif held[1] + held[2] == change[1]:
                held = (held[0], held[1], held[2] + change[2], held[3])
            else:
                told.append(held)
                held = None
        return (*told, held) if held is not None else tuple(told)


class LogsDataOnly(_Withholds):
    """Write Uncorrectable brings no data, and is not told of."""

    def told_of(self, command: Command) -> tuple[Change, ...]:
        """None of a Write Uncorrectable."""
        return () if command.sqe.opcode == IoOpcode.WRITE_UNCORRECTABLE else command.changes


class DecidesAtFetch(CommandSteps):
    """Whether a command is logged is decided when it is fetched: what was in flight at the start is never told of."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._unlogged: set[Command] = set()

    def _fetching(self, queue: SubmissionQueue) -> Touches:
        reads, writes = super()._fetching(queue)
        return (*reads, self._controller.log_key), writes

    def _io_command(self, command: Command) -> Life:
        queue = self._controller.migration_queue
        if self._controller.engine.recorder is not None:
            self._controller.engine.recorder.reads.add(self._controller.log_key)
        if queue is None or not queue.logging:
            self._unlogged.add(command)
        return super()._io_command(command)

    def _execute(self, command: Command) -> None:
        super()._execute(command)
        if command.log is not None and command in self._unlogged:
            command.log.told.count()
            command.log, command.told = None, True


class TellsBeforeItWrites(CommandSteps):
    """The entry of a Write is posted while the data are still on their way to the media."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._told: set[Command] = set()
        name, subsystem = controller.name, controller.subsystem
        self.announce = Kind(
            "entry",
            self._announce,
            takes=subsystem.timing.post,
            touches=self._announcing,
            label=lambda command: (
                f"Ctlr {subsystem.primary.name} posted the entry for {controller.describe(command)}, "
                f"which Ctlr {name} has not executed yet"
            ),
        )

    def _io_command(self, command: Command) -> Life:
        if command.sqe.opcode == IoOpcode.WRITE:
            yield self.announce, command
        yield from super()._io_command(command)

    def _announcing(self, command: Command) -> Touches:
        controller = self._controller
        queue = controller.migration_queue
        reads, writes = queue.posting() if queue is not None and queue.logging else ((), ())
        return (*reads, *controller.living, controller.log_key), writes

    def _announce(self, command: Command) -> None:
        controller = self._controller
        controller.record(((*controller.living, controller.log_key), ()))
        queue, sqe = controller.migration_queue, command.sqe
        if queue is None or not queue.logging:
            return
        change = (sqe.nsid, sqe.cdw11 << 32 | sqe.cdw10, (sqe.cdw12 & 0xFFFF) + 1, False)
        change_log.post_changes(controller.subsystem, queue, (change,))
        self._told.add(command)

    def _execute(self, command: Command) -> None:
        super()._execute(command)
        if command.log is not None and command in self._told:
            command.log.told.count()
            command.log, command.told = None, True


class FlagsWithoutLooking(Namespace):
    """The entry of a deallocation says so whatever has become of the blocks since."""

    __slots__ = ()

    def is_deallocated(self, slba: int, blocks: int) -> bool:
        """What the firmware takes for the answer when it writes an entry."""
        return True
