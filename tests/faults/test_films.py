"""A run with faults can be watched like any other, step by step and as a summary."""

from dataclasses import replace

import pytest

from nvmelm_lab.faults import FAULTS
from nvmelm_lab.notebook import SMALL
from nvmelm_lab.runs import start
from nvmelm_lab.views.check import check
from nvmelm_lab.views.film import model_of
from nvmelm_lab.views.text import sentence

PHASES = ("prepare", "iterate", "state")


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", FAULTS)
def test_the_film_of_a_run_with_a_fault_tells_of_it(name: str, phase: str) -> None:
    model = model_of(start(replace(SMALL, faults=(f"{name}@{phase}",))).finish())
    check(model)
    told = " ".join(sentence(model, index) for index in range(len(model["steps"])))
    title = FAULTS[name].title
    assert title[1:] in told


@pytest.mark.parametrize("name", FAULTS)
def test_so_can_its_summary(name: str) -> None:
    check(model_of(start(replace(SMALL, faults=(f"{name}@iterate",), trace="summary")).finish()))
