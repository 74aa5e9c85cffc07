"""Races in a notebook: find what a defect does, and be the scheduler."""

from nvmelm_lab.engine.token import PREFIX
from nvmelm_lab.notebook.names import known_or_near
from nvmelm_lab.races import finding
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import DEFECTS
from nvmelm_lab.views.counterexample import CounterexampleView
from nvmelm_lab.views.scheduler import Scheduler


def find(what: str) -> CounterexampleView:
    """Find how a defect of the catalogue does harm, and show the shortest story of it; `.export(path)` gives it away.

    `what` is a defect's name, or the token of an order that fails, as a story ends with it.  InputError for a defect
    that there is not, and for a token that is damaged or fails in nothing.
    """
    if what.startswith(PREFIX):
        return CounterexampleView(finding.replayed(what))
    wrong = DEFECTS[known_or_near("defect", what, DEFECTS)]
    return CounterexampleView(finding.find(wrong).counterexample, finding.introduction(wrong))


def scheduler(what: str | Case = "copy-before-logging") -> Scheduler:
    """You are the scheduler: decide step by step who goes next, until a promise is broken.

    `what` is a defect of the catalogue, in the smallest scenario that shows it, or any case of the race search.  By
    default a guest writes one LBA while a VMM copies it before logging has started.  InputError for a defect that there
    is not.
    """
    if isinstance(what, str):
        wrong = DEFECTS[known_or_near("defect", what, DEFECTS)]
        scenario = next(each for each in wrong.climbs if each.name == wrong.rung)
        return Scheduler(Case(scenario, defect=what), wrong.property)
    return Scheduler(what, DEFECTS[what.defect].property if what.defect else "no write lost")
