"""What an SSD is built from.  Right firmware has these parts; wrong firmware has one that overrides a method.

So a defect of the firmware lives in a class of its own, outside, and no part asks whether it is to be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvmelm_lab.ssd.command_steps import CommandSteps
from nvmelm_lab.ssd.controller import Controller
from nvmelm_lab.ssd.migration_queue import MigrationQueue
from nvmelm_lab.ssd.namespace import Namespace


@dataclass(frozen=True, slots=True)
class Parts:
    """The classes of which a `Subsystem` makes its parts; each is this one or a subclass of it.

    Whatever a subclass touches of shared state it declares, as the part that it replaces does.
    """

    controller: type[Controller] = Controller
    namespace: type[Namespace] = Namespace
    migration_queue: type[MigrationQueue] = MigrationQueue
    command_steps: type[CommandSteps] = CommandSteps
