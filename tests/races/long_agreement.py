"""Every cell of the matrix, by source-DPOR and by sleep sets: as many orders, and the same outcomes.  Minutes long.

``python -m tests.races.long_agreement``; the suite holds the part of it that is quick (`test_matrix.py`).
"""

from __future__ import annotations

import sys

from nvmelm_lab.races import Explorer, World
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import DEFECTS
from nvmelm_lab.races.ladder import LADDER, SAFEGUARDS

MOST = 2_000
"""Orders of a cell that is compared."""


def agree(case: Case) -> str:
    """What both see of a case, in words; it begins with a capital where they differ."""
    searches = [
        Explorer(case.worlds(), reduction=reduction, observe=World.content)
        for reduction in ("source-dpor", "sleep sets")
    ]
    for search in searches:
        while not search.is_over and search.found.executions <= MOST:
            search.advance(64)
    if not searches[0].is_over:
        return f"more than {MOST} orders"
    reduced, full = (search.found for search in searches)
    if (reduced.executions, reduced.finals) == (full.executions, full.finals):
        return f"{full.executions} orders"
    return f"DIFFERENT: {reduced.executions} orders, and {full.executions} by sleep sets"


def main() -> int:
    """Compare all cells; 1 when some differ."""
    differ = 0
    for name in ("", *DEFECTS):
        climbs = DEFECTS[name].climbs if name else (*LADDER, *SAFEGUARDS)
        for scenario in climbs:
            said = agree(Case(DEFECTS[name].on(scenario) if name else scenario, name))
            differ += said.startswith("DIFFERENT")
            print(f"{name or 'reference'} | {scenario.name} | {said}", flush=True)
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main())
