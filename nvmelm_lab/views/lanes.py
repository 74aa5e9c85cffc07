"""The lanes of the player: who acts in which, from top to bottom."""

from nvmelm_lab.runs.roles import Roles

GUEST, MC, MMC, VMM, COPY, THERE = range(6)
"""The lanes' numbers."""


def lanes(roles: Roles) -> list[str]:
    """The lanes' names."""
    return [
        "Guest",
        f"Ctlr {roles.here} (MC)",
        f"Ctlr {roles.mmc_here} (MMC)",
        "VMM (MMH)",
        "Copy tasks",
        f"Ctlr {roles.mmc_there}, {roles.there}",
    ]


def lane_of(roles: Roles, controller: str) -> int:
    """The lane in which a controller acts."""
    return {roles.here: MC, roles.mmc_here: MMC}.get(controller, THERE)
