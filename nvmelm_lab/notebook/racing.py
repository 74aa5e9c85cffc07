"""Races in a notebook: be the scheduler."""

from nvmelm_lab.races.case import Case
from nvmelm_lab.races.catalogue import defect
from nvmelm_lab.views.scheduler import Scheduler


def scheduler(what: str | Case = "copy-before-logging") -> Scheduler:
    """You are the scheduler: decide step by step who goes next, until a promise is broken.

    `what` is a defect of the catalogue, in the smallest scenario that shows it, or any case of the race search.  By
    default a guest writes one LBA while a VMM copies it before logging has started.  InputError for a defect that there
    is not.
    """
    if isinstance(what, str):
        wrong = defect(what)
        scenario = next(each for each in wrong.climbs if each.name == wrong.rung)
        return Scheduler(Case(scenario, defect=what), wrong.property)
    return Scheduler(what, defect(what.defect).property if what.defect else "no write lost")
