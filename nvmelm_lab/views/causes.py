"""Which step of an explanation led to which other one."""

from nvmelm_lab.engine import Trace
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.explain import Explanation
from nvmelm_lab.races.follow import follow


def causes_of(case: Case, told: Explanation) -> tuple[int, ...]:
    """For each step of an explanation of `case` the number (from 1) of the one that led to it; 0 for none.

    The order is run again.  What nobody else can tell of is passed over: what led to that counts.
    """
    trace = Trace()
    points = follow(case.worlds(), told.order, trace).points
    number_of = {points[at].step: n for n, step in enumerate(told.steps, 1) for at in step.points}
    return tuple(_cause(trace, step.trace[0], n, number_of) for n, step in enumerate(told.steps, 1))


def _cause(trace: Trace, at: int, own: int, number_of: dict[int, int]) -> int:
    while (at := _before(trace, at)) >= 0:
        found = number_of.get(at, own)
        if found != own:
            return found
    return 0


def _before(trace: Trace, at: int) -> int:
    """The step that made this one possible: what it waited for, else its actor's own last one; -1 for none."""
    record = trace.steps[at]
    if record.cause >= 0:
        return record.cause
    return next((n for n in range(at - 1, -1, -1) if trace.steps[n].actor == record.actor), -1)
