"""The player in words: one line a fact, and the bytes of a step read field by field."""

import pytest

from nvmelm_lab.views import text
from tests.views.synthetic import LAYOUTS, model
from tests.views.synthetic_summary import summary

RUN = model()
SUMMARY = summary()


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1000, "1.000 µs"),
        (12_345, "12.345 µs"),
        (1_204_000, "1.204 ms"),
        (999_999_999, "999.999 ms"),
        (3_000_000_000, "3.000 s"),
        (86_400_000_000_000, "86400.000 s"),
    ],
)
def test_a_time_is_read_in_its_own_unit_and_never_rounded_up(ns: int, words: str) -> None:
    assert text.duration(ns) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (9999, "9999"),
        (10_000, "10k"),
        (999_999, "999k"),
        (1_999_999, "1.9M"),
        (2_000_000, "2M"),
        (1 << 28, "268M"),
    ],
)
def test_a_count_is_shortened_to_four_characters_and_never_rounded_up(number: int, words: str) -> None:
    assert text.short_count(number) == words


def test_every_region_of_the_picture_has_its_line() -> None:
    index = next(n for n, step in enumerate(RUN["steps"]) if step.get("note") and n > 200)
    lines = text.describe(RUN, index)
    assert lines == [
        "Step 209 of 412, 996.937 µs: Ctlr Y executed Write 82; no entry yet",
        "Ctlr Y, command 19 acts, in the lane Ctlr Y (MC); phase 4 of 8, Iterate",
        "Cause: step 208: Ctlr Y fetched Write 82",
        "Touches LBA 82. LBA 82: source v2, destination none yet, last writer guest, command 19; entry: none",
        "Source · NS of Y: deallocated 46, mapped 101, changed 28, unreadable 1",
        "Destination · NS of H: deallocated 46, mapped 26, copying 6, equal 96, lost or stale 1, unreadable 1",
        "Migration Queue, CDQ 0: used 0 of 30, head 19, tail 19",
        "Properties: no write lost: open; nothing revived: open; unreadable marked: open;"
        " one controller runs: good; each command once: open",
    ]


def test_the_entry_posted_in_a_step_is_named_with_its_marker() -> None:
    index = next(n for n, step in enumerate(RUN["steps"]) if (step.get("entry") or [0, 0, 0])[2] == 3)
    assert text.describe(RUN, index)[6].endswith("phase tag 0, ESA 3, suspended")


def test_an_untimed_run_has_no_times() -> None:
    assert text.sentence(RUN | {"timed": False}, 0).startswith("Step 1 of 412: ")


def test_the_summary_tells_of_the_whole_run() -> None:
    told = text.summary(model(lose=True), 10)
    assert told.startswith("One live migration (seed 7): ")
    assert "Iterate from step " in told
    assert "At the end: no write lost: bad (LBA " in told
    assert "Step 11 of " in told
    assert told.endswith("Token: lm1:7:4f2a9c")


def test_a_frame_of_a_summary_tells_its_counters_in_place_of_one_actor() -> None:
    lines = text.describe(SUMMARY, 200)
    assert lines[0].startswith("Frame 201 of 412, 242.004 ms: Iterate: ")
    assert lines[1] == "Phase 4 of 8, Iterate"
    tops = [max(step["counts"][n] for step in SUMMARY["steps"]) for n in range(6)]
    levels = SUMMARY["steps"][200]["counts"]
    assert lines[2] == (
        f"Guest writes: {text.grouped(levels[0])} writes, highest {text.grouped(tops[0])} writes."
        " Writes of the guest that were acknowledged."
    )
    assert lines[7].startswith("Downtime: 0 ns, highest 2.585 ms. ")
    assert lines[8].startswith("Source · NS of Y: ")
    assert lines[10] == f"Migration Queue, CDQ 0: used {levels[4]} of 127, " + lines[10].split(", ", 2)[2]
    assert len(lines) == 12
    assert text.summary(SUMMARY).startswith(
        "One live migration (summary: 1 frame = 1.2 ms) (seed 7): 412 frames, 496."
    )
    assert "Iterate from frame 186" in text.summary(SUMMARY)


@pytest.mark.parametrize(
    ("level", "unit", "words"),
    [
        (12, "", "12"),
        (1_048_576, "LBAs", "1\u202f048\u202f576 LBAs"),
        (999, "LBAs", "999 LBAs"),
        (12_345, "ns", "12.345 µs"),
    ],
)
def test_a_level_is_told_with_its_unit_and_its_thousands_apart(level: int, unit: str, words: str) -> None:
    assert text.amount(level, {"name": "Any", "unit": unit, "sentence": "Any."}) == words


def test_bytes_are_read_little_endian_bit_by_bit() -> None:
    dump = "01000000 07000000 0001000000000000" + "00" * 15 + "07"
    rows = {row[2]: row for row in text.decode_bytes(LAYOUTS["MQE"], bytes.fromhex(dump))}
    assert rows["SLBA"][:4] == ("15:8", "00 01 00 00 00 00 00 00", "SLBA", "256 (100h)")
    assert rows["NLB"][3] == "7"
    assert "Reserved" not in rows
    assert rows["ESA"][0] == "31 [3:1]"
    assert rows["ESA"][3:5] == ("3", "target suspended")
    assert rows["CDQP"][0] == "31 [0]"
    assert rows["CDQP"][3] == "1"
    assert rows["LBACIR"][4] == "range valid"


def test_a_reserved_field_that_is_not_0_is_shown() -> None:
    rows = {row[2]: row for row in text.decode_bytes(LAYOUTS["MQE"], bytes(20) + b"\x01" + bytes(11))}
    assert rows["Reserved"][:2] == ("30:16", "00 00 00 00 01 00 00 ..")


def test_a_step_that_moved_no_bytes_decodes_to_nothing() -> None:
    index = next(n for n, step in enumerate(RUN["steps"]) if not step.get("bytes"))
    assert text.decode(RUN, index) == []
