"""Faults: what can fail while a VM migrates, where it is let fail, and what must come of it.

`table.py` says what each fault may cost and who recovers, `actions.py` lets it happen, `schedule.py` where, and
`matrix.py` holds every fault at every step of a small migration against its row.
"""

from nvmelm_lab.faults.actions import Bench
from nvmelm_lab.faults.fault import Fault, parse
from nvmelm_lab.faults.schedule import Injecting, Sited
from nvmelm_lab.faults.table import COLUMNS, FAULTS, Row

__all__ = ["COLUMNS", "FAULTS", "Bench", "Fault", "Injecting", "Row", "Sited", "parse"]
