"""The PCI Express configuration space of a controller's function, as far as resets need it.

Two things are done through it: a function level reset, and the enabling of virtual functions, which is what secondary
controllers are.  It is there as long as the function is, whether its controller is online or not.

Sources: NVMe over PCIe Transport 1.1, section 3.2 (PXDCAP, PXDC); Base 2.1, sections 3.7.2 and 8.2.6.3; the
registers of virtual functions are those of the SR-IOV capability of PCI Express.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import PXDC_IFLR, PXDCAP_FLRC, SRIOV_VFE, FunctionRegister
from nvmelm_lab.ssd.footprints import resetting
from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.transitions import befall, clear_addresses, end_everything, undergo

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.subsystem import Subsystem


def read(controller: Controller, offset: int) -> int:
    """The register at `offset`, 0 where there is none; those of virtual functions are the primary's alone."""
    subsystem = controller.subsystem
    if offset == FunctionRegister.PXDCAP:
        return PXDCAP_FLRC.put(1)
    if not controller.primary:
        return 0
    values: dict[int, int] = {
        FunctionRegister.SRIOV_CONTROL: SRIOV_VFE.put(subsystem.functions_enabled),
        FunctionRegister.TOTAL_VFS: len(subsystem.controllers) - 1,
        FunctionRegister.NUM_VFS: subsystem.functions,
    }
    return values.get(offset, 0)


def write(controller: Controller, offset: int, value: int) -> None:
    """Write a register.  What cannot be written, or not now, stays as it is."""
    if offset == FunctionRegister.PXDC:
        if PXDC_IFLR.get(value):
            _reset_function(controller)
    elif controller.primary and offset == FunctionRegister.SRIOV_CONTROL:
        _enable_functions(controller.subsystem, bool(SRIOV_VFE.get(value)))
    elif controller.primary and offset == FunctionRegister.NUM_VFS:
        _set_functions(controller.subsystem, value)


def touches(controller: Controller, offset: int) -> Touches:
    """The cells that writing the register at `offset` may touch."""
    return (
        resetting(controller)
        if offset in (FunctionRegister.PXDC, FunctionRegister.SRIOV_CONTROL)
        else ((), ())
    )


def _reset_function(controller: Controller) -> None:
    """A Controller Level Reset that clears all properties; of the primary's function the virtual ones are a part."""
    if not controller.primary:
        undergo(controller, Event.FUNCTION_RESET)
        return
    end_everything(controller)
    clear_addresses(controller)
    controller.subsystem.functions_enabled = False
    controller.subsystem.functions = 0
    controller.subsystem.primary_was_reset(Event.MMC_FUNCTION_RESET)


def _enable_functions(subsystem: Subsystem, enabled: bool) -> None:
    gone = subsystem.functions_enabled and not enabled
    subsystem.functions_enabled = enabled
    if gone:
        befall(subsystem, Event.FUNCTIONS_OFF)


def _set_functions(subsystem: Subsystem, count: int) -> None:
    """NumVFs can be written while no virtual function is enabled, up to TotalVFs."""
    if not subsystem.functions_enabled and 0 <= count < len(subsystem.controllers):
        subsystem.functions = count
