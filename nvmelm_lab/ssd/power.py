"""What an SSD loses with its power, and what it keeps.

Kept: namespaces, what their blocks hold, and to which controllers they are attached.  Lost: everything that a
Controller Level Reset loses, and beyond it every suspension, controller state that was received, the admin queues'
addresses, and the resources that secondary controllers had.  Power is back at once; nothing is ready before a host
initializes it.  Source: Base 2.1, sections 3.7.2 and 8.2.6.3.
"""

from __future__ import annotations

from nvmelm_lab.ssd.subsystem import Subsystem


def lose_power(subsystem: Subsystem) -> None:
    """Take the power of `subsystem` away, and give it back."""
    subsystem.engine.emit(("power lost", subsystem.name))
    subsystem.primary.reset()
    for controller in subsystem.controllers.values():
        if controller.suspended:
            controller.set_suspended(False)
        controller.incoming = None
        controller.aqa = controller.asq = controller.acq = 0
        controller.queue_resources = controller.interrupt_resources = 0
