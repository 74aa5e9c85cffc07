"""You are the scheduler, without a screen: deciding, going back, branching, searching, and what is said meanwhile."""

import json
from dataclasses import replace

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.races.case import Case
from nvmelm_lab.races.ladder import LADDER
from nvmelm_lab.races.scenario import Scenario, Vmm
from nvmelm_lab.races.session import MOST_DECISIONS, Session
from nvmelm_lab.races.session_view import WIDTH, plain, text
from nvmelm_lab.races.walk import Walk
from nvmelm_lab.ssd import Habits
from tests.races import wrong_vmms

ONE_WRITE = Scenario("one write", "w0", 1, rounds=0)

LOSING = (
    "execute Read",
    "execute Write",
    "submit",
    "ring",
    "fetch",
    "execute Write",
    "post the completion",
    "read the completion",
)


class Copying(Case):
    """A case whose VMM copies before it starts logging."""

    __slots__ = ()

    def vmm(self) -> Vmm:
        return wrong_vmms.copies_before_logging


def too_early() -> Session:
    return Session(Copying(ONE_WRITE))


def take(session: Session, *steps: str) -> Session:
    """Take whoever is first to do something that begins so."""
    for words in steps:
        rows = session.execution.rows()
        decision = next(row.options[0].decision for row in rows if row.does.startswith(words))
        session.take(decision)
    return session


def said(session: Session) -> list[str]:
    return [f"{row.who}: {row.does}" for row in session.execution.rows()]


def search(session: Session) -> None:
    session.find()
    while not session.advance(16):
        assert session.progress is not None


# -- who may go --------------------------------------------------------------------------------------------


def test_rows_name_who_may_go_what_it_does_and_what_it_touches() -> None:
    session = too_early()
    assert said(session) == ["Guest: submit Write LBA 0", "Ctlr X, for copy task 1: execute Read LBA 0"]
    touched = [[place.words for place in row.touches] for row in session.execution.rows()]
    assert touched == [["whether the VM runs"], ["LBA 0 at the source"]]


def test_who_cannot_go_is_named_with_the_reason() -> None:
    session = take(too_early(), "execute Read", "execute Write", "execute Controller Data Queue")
    assert {(each.who, each.why) for each in session.execution.waiting()} == {
        ("VMM", "waits for the completion of Track Send")
    }
    take(session, "execute Track Send", "pause")
    assert ("Guest", "cannot submit Write LBA 0: the VM is paused") in {
        (each.who, each.why) for each in session.execution.waiting()
    }


def test_an_order_that_is_up_to_the_ssd_is_one_row_with_its_options() -> None:
    scenario = replace(ONE_WRITE, habits=Habits(entry_order="open"))
    session = Session(Case(scenario))
    take(session, "execute Controller", "execute Track Send", "submit", "ring", "fetch", "execute Write")
    row = next(row for row in session.execution.rows() if len(row.options) > 1)
    assert row.who == "Ctlr Y, command 1"
    assert [option.words for option in row.options] == ["entry first", "completion first"]
    session.take(row.options[1].decision)
    assert session.history.line.chips[-1].title == "Ctlr Y, command 1: post the completion of Write LBA 0"
    assert "Ctlr Y, command 1: post the entry for Write LBA 0" in said(session)


def test_an_order_of_a_session_is_one_that_a_walk_can_follow() -> None:
    session = take(too_early(), *LOSING)
    session.let_it_run()
    world = Copying(ONE_WRITE).world()
    world.begin(Walk(session.history.line.order))
    world.engine.run()
    assert world.verdict() == session.history.line.sentence != ""


def test_a_decision_can_be_named_by_its_number_in_the_text() -> None:
    one, other = too_early(), too_early()
    one.take(2)
    take(other, "execute Read")
    assert one.history.taken == other.history.taken
    with pytest.raises(InputError, match=r"no number 3 among who may go next; there are 2"):
        too_early().take(3)


def test_who_cannot_go_cannot_be_taken() -> None:
    with pytest.raises(InputError, match="'VMM' cannot go now"):
        too_early().take("VMM")


# -- the state ---------------------------------------------------------------------------------------------


def test_the_board_follows_the_versions_of_an_lba_on_both_sides() -> None:
    session = too_early()
    (cell,) = session.execution.board().cells
    assert (cell.source.version, cell.destination.version) == ("v0", "")
    (cell,) = take(session, "execute Read").execution.board().cells
    assert cell.copied == "v0"
    (cell,) = take(session, "execute Write", "submit").execution.board().cells
    assert (cell.destination.version, cell.copied) == ("v0", "")
    assert cell.coming == "v1 on its way (command 1)"
    (cell,) = take(session, "ring", "fetch", "execute Write").execution.board().cells
    assert (cell.source.version, cell.destination.version, cell.coming) == ("v1", "v0", "")


def test_the_board_shows_an_entry_from_its_posting_until_it_is_read() -> None:
    session = Session(Case(ONE_WRITE))
    assert session.execution.board().queue.size == 0
    take(session, "execute Controller", "execute Track", "submit", "ring", "fetch", "execute Write")
    assert session.execution.board().cells[0].told == "no entry yet"
    board = take(session, "post the entry").execution.board()
    assert (board.queue.slots[0].short, board.queue.slots[0].state) == ("LBA 0", "waits")
    assert (board.cells[0].told, board.cells[0].slot) == ("waits", 0)
    session.let_it_run()
    assert session.execution.board().queue.slots[0].state == "read"
    assert session.stake.kind == "good"


def test_it_says_who_is_logged_and_what_is_promised() -> None:
    session = too_early()
    assert session.execution.board().logging == "Ctlr Y is not logged: there is no Migration Queue"
    take(session, "execute Read", "execute Write", "execute Controller Data Queue")
    assert "nothing is promised before it completes" in session.execution.board().logging
    take(session, "execute Track Send")
    assert session.execution.board().logging == "Ctlr Y is logged; promised: each change gets an entry"


# -- what is at stake --------------------------------------------------------------------------------------


def test_a_change_that_nobody_will_tell_of_is_a_risk_as_soon_as_it_is_made() -> None:
    session = take(too_early(), *LOSING[:5])
    assert session.stake.kind == "open"
    stake = take(session, "execute Write").stake
    assert (stake.kind, stake.head) == ("risk", "At risk: LBA 0.")
    assert "No entry will tell the VMM: logging was off when command 1 was executed." in stake.rest


def test_the_same_write_after_logging_began_is_no_risk() -> None:
    session = take(too_early(), "execute Read", "execute Write", "execute Controller", "execute Track Send")
    take(session, "submit", "ring", "fetch", "execute Write")
    assert session.stake.kind == "open"
    assert "is not posted yet" in session.stake.rest


def test_a_loss_names_the_lba_both_versions_the_writer_and_the_missing_entry() -> None:
    session = take(too_early(), *LOSING)
    session.let_it_run()
    stake = session.stake
    assert (stake.kind, stake.head) == ("lost", "Lost: LBA 0.")
    assert "promised v1, written by command 1; the destination has v0" in stake.rest
    assert "No entry told the VMM" in stake.rest
    lost = [each for each in session.execution.board().properties if each.verdict == "bad"]
    assert [(each.name, each.word) for each in lost] == [("no write lost", "LBA 0")]


def test_an_order_that_ends_well_is_said_to() -> None:
    safe = Session(Case(ONE_WRITE))
    safe.let_it_run()
    assert safe.stake.head == "Nothing is lost in this order."
    assert safe.history.line.outcome == "good"


# -- going back --------------------------------------------------------------------------------------------


def test_undo_and_redo_lead_through_the_same_states() -> None:
    session = take(too_early(), *LOSING)
    states = [plain(session)["board"]]
    for _ in LOSING:
        session.undo()
        states.append(plain(session)["board"])
    assert session.history.position == 0
    for state in reversed(states[:-1]):
        session.redo()
        assert plain(session)["board"] == state
    session.redo()
    assert session.history.position == len(LOSING)


def test_undo_at_the_start_and_redo_at_the_end_do_nothing() -> None:
    session = too_early()
    session.undo()
    session.redo()
    assert session.history.taken == ()


def test_another_decision_begins_a_line_and_keeps_the_old_one() -> None:
    session = take(too_early(), "execute Read", "execute Write")
    old = session.history.line.order
    session.undo()
    take(session, "submit")
    assert [line.order for line in session.history.lines] == [old, (old[0], "guest")]
    assert session.history.forks() == {1: [0]}
    session.jump(2, line=0)
    assert session.history.taken == old


def test_deciding_as_before_goes_along_the_old_line() -> None:
    session = take(too_early(), "execute Read", "execute Write", "submit")
    session.jump(1)
    take(session, "execute Write")
    assert len(session.history.lines) == 1
    assert (session.history.position, len(session.history.line.chips)) == (2, 3)


def test_the_start_can_be_gone_back_to_and_a_line_without_a_place_is_refused() -> None:
    session = take(too_early(), "execute Read")
    session.restart()
    assert said(session) == said(too_early())
    with pytest.raises(InputError, match="line 0 has no position 2; give 0 to 1"):
        session.jump(2)
    with pytest.raises(InputError, match="there is no line 3"):
        session.jump(0, line=3)


def test_the_best_known_is_the_fewest_steps_up_to_where_a_loss_shows() -> None:
    session = take(too_early(), *LOSING)
    assert session.best == 0
    session.let_it_run()
    assert 0 < session.best == session.history.line.lost_at < len(session.history.line.order)


def test_a_run_without_an_end_is_stopped_and_said_to_be() -> None:
    session = Session(Case(LADDER[0]))
    session.history.position = MOST_DECISIONS
    with pytest.raises(InputError, match=f"can have {MOST_DECISIONS} steps at most"):
        session.take(1)


# -- searching ---------------------------------------------------------------------------------------------


def test_a_search_takes_the_failing_order_to_its_end() -> None:
    session = take(too_early(), "submit")
    search(session)
    assert session.is_over
    assert session.stake.kind == "lost"
    assert "This order fails" in session.message
    session.undo()
    assert session.history.position == len(session.history.line.order) - 1


def test_nobody_may_go_while_a_search_is_under_way() -> None:
    session = too_early()
    session.find()
    for forbidden in (lambda: session.take(1), session.undo, session.let_it_run, session.find):
        with pytest.raises(InputError, match="a search is under way"):
            forbidden()


def test_a_cancelled_search_leaves_everything_as_it_was() -> None:
    session = take(Session(Case(LADDER[-1])), "submit")
    before = plain(session)
    session.find()
    assert not session.advance(3)
    session.cancel()
    assert "cancelled after 3 orders" in session.message
    assert plain(session) | {"message": ""} == before


def test_where_no_order_fails_the_search_says_how_many_it_tried() -> None:
    session = Session(Case(ONE_WRITE))
    search(session)
    assert session.message.startswith("No order fails: ")
    assert session.history.taken == ()


# -- in words ----------------------------------------------------------------------------------------------


def test_the_text_says_what_the_screen_shows() -> None:
    session = take(too_early(), *LOSING[:6])
    told, shown = text(session), plain(session)
    one = " ".join(told.split())
    assert shown["goal"] in one
    for row in shown["rows"]:
        assert f"{row['who']}: {row['does']} (touches {row['touches']})" in one
    for each in shown["waiting"]:
        assert f"{each['who']} {each['why']}" in one
    assert "LBA 0: source v1 (changed), destination v0 (mapped)" in one
    assert f"{shown['stake']['head']} {shown['stake']['rest']}" in one
    assert all(chip["title"] in one for chip in shown["history"]["chips"])
    assert max(map(len, told.splitlines())) <= WIDTH


def test_what_a_screen_shows_is_plain() -> None:
    session = take(too_early(), *LOSING)
    sent = json.dumps(plain(session))
    assert json.dumps(json.loads(sent)) == sent


def test_names_are_names_for_people() -> None:
    session = take(too_early(), *LOSING)
    session.let_it_run()
    assert not [word for word in (".sq", "#", "completion 1 on") if word in text(session)]
