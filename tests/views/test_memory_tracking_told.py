"""Guest memory that the SSD tracks: the player says in words what Track Send and Track Receive do."""

from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.views.check import check
from nvmelm_lab.views.film import model_of


def test_the_tracking_of_guest_memory_by_the_ssd_is_told_in_words() -> None:
    outcome = start(MigrationRun(blocks=64, memory_tracking="device", trace="full")).finish()
    assert outcome.good
    told = [step["text"] for step in check(model_of(outcome))["steps"]]
    for words in (
        "Ctlr X sees from now on which pages of guest memory Ctlr Y writes",
        "Ctlr X told which pages Ctlr Y has written, and forgets them",
        "Ctlr X no longer sees what Ctlr Y writes to memory",
    ):
        assert words in told
