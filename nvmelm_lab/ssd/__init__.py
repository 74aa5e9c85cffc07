"""The SSD: an NVM subsystem with one primary controller and several secondary ones, to the letter of the standard.

Its only door is the `Controller`'s properties and doorbells, and the rings in host memory.  Where the standard
leaves an order or a form open, `freedoms` lists the options.  Nothing here knows of hosts, guests or judges.
"""

from nvmelm_lab.ssd.controller import Controller
from nvmelm_lab.ssd.data import MAX_TRANSFER_BYTES
from nvmelm_lab.ssd.freedoms import FREEDOMS, Freedom, Habits
from nvmelm_lab.ssd.parts import Parts
from nvmelm_lab.ssd.subsystem import Subsystem
from nvmelm_lab.ssd.timing import Timing
from nvmelm_lab.ssd.vendor_state import UUID as STATE_UUID

__all__ = [
    "FREEDOMS",
    "MAX_TRANSFER_BYTES",
    "STATE_UUID",
    "Controller",
    "Freedom",
    "Habits",
    "Parts",
    "Subsystem",
    "Timing",
]
