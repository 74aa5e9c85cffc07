"""What an SSD loses with its power, and what it keeps.

Kept: namespaces, what their blocks hold, and to which controllers they are attached.  Lost: everything that a
Controller Level Reset loses, and beyond it every suspension, controller state that was received, the admin queues'
addresses, and the resources that secondary controllers had.  Power is back at once; nothing is ready before a host
initializes it.  Source: Base 2.1, sections 3.7.2 and 8.2.6.3.
"""

from __future__ import annotations

from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.subsystem import Subsystem
from nvmelm_lab.ssd.transitions import clear_addresses, end_everything


def lose_power(subsystem: Subsystem) -> None:
    """Take the power of `subsystem` away, and give it back."""
    subsystem.engine.emit(("power lost", subsystem.name))
    end_everything(subsystem.primary)
    clear_addresses(subsystem.primary)
    subsystem.primary_was_reset(Event.POWER_LOSS)
