"""A trace becomes a film: every step is in it, and the film says nothing that the SSDs do not say too."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Random, RunToBlock, Trace
from nvmelm_lab.errors import InputError
from nvmelm_lab.host import recovery
from nvmelm_lab.host.migration import Plan
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.workloads import WORKLOADS
from nvmelm_lab.nvme import commands, pack_copy_ranges
from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.ssd import Habits
from nvmelm_lab.views.check import check
from nvmelm_lab.views.frames import About, frames
from nvmelm_lab.views.model import State
from nvmelm_lab.views.replay import at
from tests.views import labs

NEIGHBOURS = ("neighbour", "Z.", "I.")


@pytest.fixture(scope="module")
def run() -> labs.Traced:
    return labs.migrate()


@pytest.fixture(scope="module")
def film(run):
    return frames(run.trace)


def words(model, lane=None):
    return [step["text"] for step in model["steps"] if lane is None or step["lane"] == lane]


def held_by(ssd, nsid, lba):
    """What a Read of the SSD's block finds: None deallocated, -1 unreadable, else its stamp."""
    namespace = ssd.namespaces[nsid]
    if namespace.is_deallocated(lba, 1):
        return None
    found = namespace.read(lba, 1)
    return -1 if found is None else found[0]


def state_after_move(promised, held):
    if (promised or 0) != (held or 0):
        return State.LOST
    if held is None:
        return State.DEALLOCATED
    return State.UNREADABLE if held == -1 else State.EQUAL


def check_against_the_ssds(run, model):
    """Every LBA of both maps at the end is what the SSDs hold and the guest's ledger promises."""
    disk = run.lab.guests["guest"].disks[0]
    last = at(model, len(model["steps"]) - 1)
    assert last.grain == 1
    for lba in range(disk.blocks):
        here = held_by(run.lab.source, disk.nsid, lba)
        plain = {None: State.DEALLOCATED, -1: State.UNREADABLE}.get(here, State.MAPPED)
        assert last.source[lba] == plain, f"LBA {lba} at the source"
        there = held_by(run.lab.destination, disk.nsid, lba)
        (promised,) = disk.ledger.allowed(lba)
        assert last.destination[lba] == state_after_move(promised, there), f"LBA {lba} at the destination"


def check_film(run, film):
    """What holds of every film."""
    model, steps = check(film.model), film.model["steps"]
    assert len(film.frame_of) == len(run.trace.steps)
    for record, shown in zip(run.trace.steps, film.frame_of, strict=True):
        assert (shown == -1) == record.actor.startswith(NEIGHBOURS), record
        assert -1 <= shown < len(steps)
    assert all(step["text"] and step["actor"] for step in steps)
    assert all(step.get("cause", -1) < index for index, step in enumerate(steps))
    check_the_queue(run, film)
    check_the_versions(model)


def check_the_queue(run, film):
    slots = film.model["queue"]["slots"]
    head = tail = 0
    ends = []
    for step in film.model["steps"]:
        head, tail = step.get("head", head), step.get("tail", tail)
        ends.append((tail - head) % slots)
    for raw, used in run.used.items():
        # Several entries of one command are several frames; the last of them is as full as the device says.
        shown = film.frame_of[raw]
        same = [n for n in range(shown, len(ends)) if film.model["steps"][n].get("cause") in (shown, n - 1)]
        assert used in {ends[shown], *(ends[n] for n in same[:3])}


def check_the_versions(model):
    """At the source they count up by one; at the destination a copy brings only one that the source had."""
    counts, names = Counter(), {}
    for step in model["steps"]:
        for side, slba, blocks, name, writer in step.get("versions", ()):
            for lba in range(slba, slba + blocks):
                if writer.startswith("guest"):
                    counts[lba] += 1
                    assert name.split(",")[0] == f"v{counts[lba]}"
                    names.setdefault(lba, {"v0"}).add(name)
                else:
                    assert side == 1
                    assert name in names.get(lba, {"v0"})


# -- the film of one run -----------------------------------------------------------------------------------


def test_every_step_of_the_trace_belongs_to_one_frame_and_the_neighbours_steps_to_none(run, film):
    check_film(run, film)


def test_steps_that_matter_are_frames_of_their_own(run, film):
    shown = Counter(film.frame_of)
    own = {"fetch", "execute", "entry", "complete", "reap"}
    guests = [
        n
        for n, record in enumerate(run.trace.steps)
        if record.kind in own and record.actor.startswith(("Y.sq1", "H.sq1", "guest"))
    ]
    frames_of_guest = [film.frame_of[n] for n in guests if run.trace.steps[n].effects]
    assert len(set(frames_of_guest)) == len(frames_of_guest)
    assert len(film.model["steps"]) < len(run.trace.steps) // 2
    assert max(shown[n] for n in range(len(film.model["steps"]))) < 15


def test_the_lanes_are_those_of_the_talk(film):
    assert film.model["lanes"] == [
        "Guest",
        "Ctlr Y (MC)",
        "Ctlr X (MMC)",
        "VMM (MMH)",
        "Copy tasks",
        "Ctlr G, H",
    ]
    assert {step["lane"] for step in film.model["steps"]} == set(range(6))


def test_all_eight_phases_begin_in_their_order(film):
    firsts = [phase["first"] for phase in film.model["phases"]]
    assert None not in firsts
    assert firsts == sorted(set(firsts))


def test_a_write_is_told_from_its_doorbell_to_its_acknowledgement_each_step_causing_the_next(film):
    steps = film.model["steps"]
    last = next(
        n for n, step in enumerate(steps) if step.get("note", "").startswith("acknowledged") and n > 100
    )
    told = [last]
    while "cause" in steps[told[-1]]:
        told.append(steps[told[-1]]["cause"])
    sentences = [steps[n]["text"].split(",")[0] for n in reversed(told)]
    number = sentences[0].split()[-1]
    assert sentences[0] == f"Guest submits command {number}"
    assert sentences[1] == f"Ctlr Y fetches command {number}"
    assert sentences[2].startswith("Ctlr Y executed Write LBA")
    assert sentences[3].startswith(f"Ctlr X posts the entry of command {number} in slot ")
    assert sentences[4] == f"Ctlr Y posts the completion of command {number}"
    assert sentences[5] == f"Guest reads the completion of command {number}"
    assert len(sentences) == 6


def test_a_copy_is_told_from_the_read_over_the_link_to_the_write(film):
    steps = film.model["steps"]
    wrote = next(step for step in steps if step["text"].startswith("Ctlr G wrote"))
    sent = steps[wrote["cause"]]
    read = steps[sent["cause"]]
    asked = steps[read["cause"]]
    assert [step["text"] for step in (asked, read, sent, wrote)] == [
        "Copy task 1 asks Ctlr X to read LBA 0–7",
        "Ctlr X read LBA 0–7 for copy task 1",
        "Copy task 1 sends LBA 0–7 over the link",
        "Ctlr G wrote LBA 0–7 for copy task 1",
    ]
    assert asked["destination"] == [[0, 8, State.COPYING]]
    # What the guest wrote meanwhile is there, but not the same any more.
    assert {state for _, _, state in wrote["destination"]} <= {State.EQUAL, State.MAPPED}
    assert sum(blocks for _, blocks, _ in wrote["destination"]) == 8


def test_sentences_tell_steps_apart(film):
    texts = words(film.model)
    assert len(set(texts)) > 0.85 * len(texts)
    assert max(map(len, texts)) <= 100


def test_the_frames_carry_the_bytes_of_what_moved_and_the_layouts_to_read_them(film):
    kinds = {step["bytes"][0].split()[0].rstrip(",") for step in film.model["steps"] if "bytes" in step}
    assert kinds == {"SQE", "CQE", "MQE"}
    named = {step["bytes"][0] for step in film.model["steps"] if "bytes" in step}
    assert named == film.model["layouts"].keys()


def test_the_maps_at_the_end_are_what_reads_of_both_ssds_return(run, film):
    check_against_the_ssds(run, film.model)


def test_a_trace_that_went_through_json_gives_the_same_film(run, film):
    assert frames(Trace.from_json(run.trace.to_json())) == film


def test_what_the_neighbours_do_is_counted_not_shown(film):
    assert not [text for text in words(film.model) if "neighbour" in text or "Ctlr Z" in text]
    assert [step["note"] for step in film.model["steps"] if "neighbours" in step.get("note", "")] == [
        "12 commands of neighbours so far"
    ]


# -- what is at stake --------------------------------------------------------------------------------------


def verdicts(model):
    """Property -> the steps at which its verdict changed, with the verdict."""
    told = {one["name"]: [] for one in model["properties"]}
    for index, step in enumerate(model["steps"]):
        for which, verdict, word in step.get("verdicts", ()):
            told[model["properties"][which]["name"]].append((index, verdict, word))
    return told


def test_a_right_run_settles_every_property_after_resume_and_shows_nothing_lost(run, film):
    told = verdicts(film.model)
    resume = film.model["phases"][6]["first"]
    assert all(len(news) == 1 for news in told.values())
    assert all(news[0][0] >= resume and news[0][1] == "good" for news in told.values())
    assert not any(
        state == State.LOST for step in film.model["steps"] for _, _, state in step.get("destination", ())
    )


def test_without_the_last_copy_the_lost_blocks_show_at_the_very_step_of_the_resume():
    run = labs.migrate("uniform", way=labs.without_the_last_copy)
    model = frames(run.trace).model
    resumed = next(n for n, step in enumerate(model["steps"]) if "resumes Ctlr H" in step["text"])
    lost = [
        n
        for n, step in enumerate(model["steps"])
        if any(r[2] == State.LOST for r in step.get("destination", ()))
    ]
    assert lost[0] == resumed
    (when, verdict, word), *_ = verdicts(model)["no write lost"]
    assert (when, verdict) == (resumed, "bad")
    before, after = at(model, resumed - 1), at(model, resumed)
    lba = int(word.removeprefix("LBA "))
    assert before.source[lba] == State.CHANGED
    assert after.destination[lba] == State.LOST


def test_two_running_controllers_show_at_once():
    run = labs.migrate("uniform", way=labs.without_suspending)
    model = frames(run.trace).model
    resumed = next(n for n, step in enumerate(model["steps"]) if "resumes Ctlr H" in step["text"])
    assert verdicts(model)["one controller runs"] == [(resumed, "bad", "both run")]


def test_the_oracle_has_the_last_word_also_on_what_a_trace_cannot_settle(run):
    holds = {"no write lost": True, "reads consistent": False, "neighbour unaffected": True}
    model = frames(run.trace, About(holds=holds)).model
    told = verdicts(model)
    assert told["reads consistent"] == [(len(model["steps"]) - 1, "bad", "")]
    assert "neighbour unaffected" not in told


# -- other runs --------------------------------------------------------------------------------------------


def test_an_unreadable_block_is_marked_on_both_sides_and_its_copy_goes_around_it():
    operations = [
        Operation(OperationKind.UNCORRECTABLE, 5, 1, 0),
        *(labs.write(n, 1, 30_000 * n) for n in range(20, 40)),
    ]
    run = labs.migrate(operations=operations)
    film = frames(run.trace)
    check_film(run, film)
    check_against_the_ssds(run, film.model)
    assert at(film.model, len(film.model["steps"]) - 1).destination[5] == State.UNREADABLE
    assert "Ctlr X could not do Read LBA 0–7: Unrecovered read error" in words(film.model)
    assert "Ctlr G marked as unreadable LBA 5 for copy task 1" in words(film.model)


def test_a_queue_that_fills_up_says_so_and_the_run_goes_on_from_a_new_baseline():
    run = labs.migrate("uniform", plan=Plan(queue_entries=4), most=120)
    film = frames(run.trace)
    assert run.migration.progress.overflows
    check_film(run, film)
    check_against_the_ssds(run, film.model)
    full = next(step for step in film.model["steps"] if step.get("entry", [0, 0, 0])[2] == 7)
    assert full["text"].endswith("the queue is full")
    assert full["note"] == "3 of 3 slots used: logging ends here"
    assert "not logged: the Migration Queue was full" in {step.get("note") for step in film.model["steps"]}


def test_several_ranges_of_one_command_are_several_entries_and_frames():
    operations = [Operation(OperationKind.TRIM, n, 3, 20_000 * n) for n in range(1, 30)]
    run = labs.migrate(operations=operations)
    film = frames(run.trace)
    check_film(run, film)
    check_against_the_ssds(run, film.model)
    posted = sum(effect[0] == "entry" for record in run.trace.steps for effect in record.effects)
    assert sum("entry" in step for step in film.model["steps"]) == posted


def test_a_migration_that_is_cancelled_leaves_nothing_at_the_destination():
    async def cancelled(migration):
        await migration.prepare_destination()
        await migration.start_logging()
        await migration.initial_copy()
        migration.move.cancel()
        await recovery.attempt(migration.move, migration.iterate(), migration.go_back, migration.go_on)

    run = labs.migrate("uniform", way=cancelled)
    film = frames(run.trace)
    check_film(run, film)
    assert run.migration.progress.failure == "cancelled"
    last, disk = at(film.model, len(film.model["steps"]) - 1), run.lab.guests["guest"].disks[0]
    assert set(last.destination) == {State.DEALLOCATED}
    for lba in range(disk.blocks):
        held = held_by(run.lab.source, disk.nsid, lba)
        assert last.source[lba] == (State.DEALLOCATED if held is None else State.MAPPED)
    after = next(
        n for n, step in enumerate(film.model["steps"]) if "deleted the Migration Queue" in step["text"]
    )
    assert not any("logged" in step.get("note", "") for step in film.model["steps"][after:])


def test_a_guest_that_goes_on_at_the_source_after_it_was_suspended_finds_all_there():
    async def back(migration):
        await migration.prepare_destination()
        await migration.start_logging()
        await migration.initial_copy()
        migration.move.enter("Suspend")
        await migration.move.pause()
        await migration.move.suspend()
        await migration.go_back()

    run = labs.migrate("uniform", way=back)
    film = frames(run.trace)
    check_film(run, film)
    assert "VMM starts the VM again, at the source" in words(film.model)
    assert set(at(film.model, len(film.model["steps"]) - 1).destination) == {State.DEALLOCATED}
    assert not [news for news in verdicts(film.model).values() if news and news[-1][1] == "bad"]


@pytest.mark.parametrize("method", ["stop", "shim"])
def test_migrations_without_the_help_of_the_ssd_make_films_too(method):
    spec = MigrationRun(
        blocks=40, filled=20, method=method, trace="full", neighbour=False, after=8, copy_tasks=2
    )
    run = start(spec)
    outcome = run.finish()
    model = check(frames(outcome.trace).model)
    last = at(model, len(model["steps"]) - 1)
    disk = run.lab.guests["guest"].disks[0]
    for lba in range(disk.blocks):
        (promised,) = disk.ledger.allowed(lba)
        assert last.destination[lba] == state_after_move(
            promised, held_by(run.lab.destination, disk.nsid, lba)
        )
    told = verdicts(model)
    assert all(
        told[name][-1][1] == "good" for name in ("no write lost", "nothing revived", "one controller runs")
    )
    lanes = {step["text"].split()[0]: step["lane"] for step in model["steps"]}
    assert lanes.get("Shim", 3) == 3


def test_of_two_namespaces_the_one_that_is_asked_for_is_on_the_maps():
    run = labs.migrate("uniform", lab=labs.spec(disks=2), most=30)
    for disk in run.lab.guests["guest"].disks:
        model = frames(run.trace, About(nsid=disk.nsid)).model
        last = at(model, len(model["steps"]) - 1)
        for lba in range(disk.blocks):
            there = held_by(run.lab.destination, disk.nsid, lba)
            assert last.destination[lba] == (State.DEALLOCATED if there is None else State.EQUAL)


def test_a_run_without_a_clock_counts_its_frames_in_place_of_time():
    run = labs.migrate(schedule=RunToBlock(), most=8)
    film = frames(run.trace)
    check_film(run, film)
    assert not film.model["timed"]
    assert [step["t"] for step in film.model["steps"]] == list(range(len(film.model["steps"])))


def test_a_run_that_was_cut_short_is_the_beginning_of_the_film(run, film):
    for length in range(20, len(run.trace.steps), 97):
        cut = Trace()
        cut.steps = run.trace.steps[:length]
        part = frames(cut).model["steps"]
        assert [step["text"] for step in part] == words(film.model)[: len(part)]


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(set(WORKLOADS) - {"idle"})),
    seed=st.integers(0, 1 << 32),
    blocks=st.integers(9, 70),
    filled=st.integers(0, 40),
    slots=st.integers(3, 40),
    timed=st.booleans(),
    order=st.sampled_from(("entry first", "completion first", "open")),
    first=st.sampled_from(("with the first change", "marker at once")),
    flag=st.sampled_from(("flagged", "as a change")),
    start=st.sampled_from(("at once", "after commands in flight")),
)
def test_the_film_agrees_with_the_ssds_whatever_runs_in_whatever_order(
    name, seed, blocks, filled, slots, timed, order, first, flag, start
):
    habits = Habits(entry_order=order, first_entry=first, deallocation_flag=flag, start_logging=start)
    run = labs.migrate(
        name,
        seed=seed,
        lab=labs.spec(blocks, min(filled, blocks), habits),
        plan=Plan(queue_entries=slots, copy_tasks=1 + seed % 3, rounds=3),
        schedule=None if timed else Random(seed),
        most=40,
    )
    film = frames(run.trace)
    check_film(run, film)
    check_against_the_ssds(run, film.model)
    told = verdicts(film.model)
    assert all(news[-1][1] == "good" for news in told.values() if news)
    assert not any(s == State.LOST for step in film.model["steps"] for _, _, s in step.get("destination", ()))


# -- bad input ---------------------------------------------------------------------------------------------


def test_a_trace_that_does_not_introduce_its_lab_is_refused():
    trace = Trace()
    trace.add(0, "VMM", "submit", "something", -1, (), False)
    with pytest.raises(InputError, match="does not say who takes part in it"):
        frames(trace)
    with pytest.raises(InputError, match="does not say who takes part in it"):
        frames(Trace())


def test_a_guest_or_namespace_that_is_not_there_is_named(run):
    with pytest.raises(
        InputError, match="there is no guest 'gast' in this trace; there are: guest, neighbour"
    ):
        frames(run.trace, About(guest="gast"))
    with pytest.raises(InputError, match="guest has no namespace 9 in this trace; it has: 1"):
        frames(run.trace, About(nsid=9))


def test_commands_that_no_workload_has_are_told_and_drawn_too():
    made = []

    async def with_other_commands(migration):
        await migration.prepare_destination()
        await migration.start_logging()
        await migration.initial_copy()
        guest = made[0].guests["guest"]
        queue, pages = guest.driver.port.queues[1], guest.vm.pages
        listed, data = pages.buffer(4096), pages.buffer(4096)
        guest.vm.memory.write(listed.address, pack_copy_ranges([(0, 2), (4, 1)]))
        await queue.run(commands.copy(0, 1, 10, 2, listed.address))
        await queue.run(commands.verify(0, 1, 3, 2))
        await queue.run(commands.compare(0, 1, 5, 1, data.address))
        await guest.driver.command("Format NVM", commands.format_nvm(0, 1))
        await migration.iterate()
        await migration.suspend_and_copy()
        await migration.move_and_resume()

    run = labs.migrate(lab=labs.spec(16, 6), operations=[], way=with_other_commands, watching=made.append)
    film = frames(run.trace)
    told = " ".join(words(film.model))
    for text in ("Copy LBA 10–12", "Verify LBA 3–4", "Compare LBA 5", "Format NVM"):
        assert text in told
    last = at(check(film.model), len(film.model["steps"]) - 1)
    assert set(last.source) == {State.DEALLOCATED}
