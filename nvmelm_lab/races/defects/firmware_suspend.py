"""Firmware whose Suspend completes too early, or never.

Right is `Controller.drain`: a Suspend completes when all commands that were fetched are done, their completions and
entries posted, whatever the host does with those (Base 2.1, section 5.1.17.1.1).
"""

from __future__ import annotations

from nvmelm_lab.engine import Signal
from nvmelm_lab.ssd.command import Command
from nvmelm_lab.ssd.command_steps import CommandSteps
from nvmelm_lab.ssd.controller import Controller


class DoesNotDrain(Controller):
    """Stops fetching, and calls that suspended."""

    async def drain(self) -> None:
        """Waits for nobody."""


class AwaitsTheGuest(Controller):
    """A command counts as done when the guest has read its completion; a guest that stands still never does."""

    async def drain(self) -> None:
        """Wait for the commands, and then for the head doorbells of their Completion Queues."""
        await super().drain()
        for queue in self.cqs.values():
            await queue.consumed.wait(queue.posted)


class AwaitsCompletionsOnly(Controller):
    """Waits for the completions of what was fetched, not for the entries that come behind them."""

    answered: Signal

    async def drain(self) -> None:
        """Wait until as many completions were posted as commands were fetched."""
        await self.answered.wait(self.fetched)


class CountsCompletions(CommandSteps):
    """Tells `AwaitsCompletionsOnly` what it waits for."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        assert isinstance(controller, AwaitsCompletionsOnly)
        self._answered = controller.answered = Signal(
            controller.engine, f"the completions of {controller.name}"
        )

    def _complete(self, command: Command) -> None:
        super()._complete(command)
        self._answered.count()
