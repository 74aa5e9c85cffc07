"""Races: small scenarios run under every order of steps that matters."""

from nvmelm_lab.races.explorer import Explorer, Failure, Found
from nvmelm_lab.races.fault_sites import with_fault
from nvmelm_lab.races.ladder import LADDER, SAFEGUARDS, SCENARIOS
from nvmelm_lab.races.scenario import Scenario, World

__all__ = [
    "LADDER",
    "SAFEGUARDS",
    "SCENARIOS",
    "Explorer",
    "Failure",
    "Found",
    "Scenario",
    "World",
    "with_fault",
]
