"""A summary keeps a few hundred frames of a run of any length, and loses nothing but moments."""

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.engine import MOST_FRAMES, Frame, Summary, pack_runs, unpack_runs
from nvmelm_lab.errors import InputError

TILES = 12


def summary(limit: int = MOST_FRAMES) -> Summary:
    return Summary({"guest": "guest", "blocks": 96}, ("copied",), TILES, 10, limit)


def frame(number: int, *runs: tuple[int, int, int], words: tuple = ()) -> Frame:
    return Frame(10 * number, number, words, (number,), (pack_runs(runs), b""))


def full(limit: int, frames: int, **words: tuple) -> Summary:
    made = summary(limit)
    for number in range(frames):
        made.add(frame(number, (number % TILES, 1, number % 7), words=words.get(f"at_{number}", ())))
    return made


def tiles_after(frames: list[Frame]) -> list[bytes]:
    """What the first map shows after each frame."""
    shown, found = bytearray(TILES), []
    for each in frames:
        for first, count, state in unpack_runs(each.maps[0]):
            shown[first : first + count] = bytes([state]) * count
        found.append(bytes(shown))
    return found


# -- room --------------------------------------------------------------------------------------------------


def test_a_full_summary_drops_every_second_frame_and_wants_them_half_as_often():
    made = full(8, 8)
    assert (len(made.frames), made.interval) == (8, 10)
    made.add(frame(8))
    assert [each.step for each in made.frames] == [0, 2, 4, 6, 7, 8]
    assert made.interval == 20


def test_however_long_the_run_the_limit_holds_and_the_ends_stay():
    made = full(8, 1000)
    assert len(made.frames) <= 8
    assert made.frames[0].step == 0
    assert made.frames[-1].step == 999
    steps = [each.step for each in made.frames]
    assert steps == sorted(set(steps))
    assert made.interval >= 10 * 1000 // 8


def test_what_a_dropped_frame_told_is_in_the_one_after_it():
    made = full(8, 200)
    whole = full(1000, 200)
    known = {each.step: shown for each, shown in zip(whole.frames, tiles_after(whole.frames), strict=True)}
    for each, shown in zip(made.frames, tiles_after(made.frames), strict=True):
        assert shown == known[each.step]
        assert each.counters == (each.step,)


def test_frames_with_words_stay_while_others_can_go():
    made = full(8, 100, at_1=(("phase", "Prepare"),), at_50=(("paused",),))
    assert {1, 50} <= {each.step for each in made.frames}


def test_where_most_frames_have_words_these_go_too_and_their_words_stay():
    said = {f"at_{number}": (("round", number),) for number in range(100)}
    made = full(8, 100, **said)
    assert len(made.frames) <= 8
    assert [word for each in made.frames for word in each.words] == [("round", n) for n in range(100)]


def test_of_a_tile_that_changed_twice_the_later_state_stands():
    made = summary(4)
    for number, runs in enumerate([[(0, 12, 1)], [(2, 6, 2)], [(0, 1, 4), (4, 2, 3)], [], []]):
        made.add(frame(number, *runs))
    assert [each.step for each in made.frames] == [0, 2, 3, 4]
    assert list(unpack_runs(made.frames[1].maps[0])) == [(0, 1, 4), (2, 2, 2), (4, 2, 3), (6, 2, 2)]


# -- plain data --------------------------------------------------------------------------------------------

_runs = st.lists(st.tuples(st.integers(0, TILES - 1), st.just(1), st.integers(0, 7)), max_size=5)
_frames = st.builds(
    Frame,
    st.integers(-1, 1 << 60),
    st.integers(-1, 1 << 40),
    st.lists(st.tuples(st.text(), st.booleans()), max_size=3).map(tuple),
    st.tuples(st.integers(0, 1 << 60)),
    st.tuples(_runs.map(pack_runs), _runs.map(pack_runs)),
)


@given(st.lists(_frames, max_size=6))
def test_a_summary_goes_to_json_and_back_without_loss(frames):
    made = Summary({"name": "Ω", "tile": 8}, ("copied",), TILES, 40, 512, frames)
    assert Summary.from_json(made.to_json()) == made


def changed(**values):
    data = json.loads(full(8, 3).to_json())
    return json.dumps(data | values)


def packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is not a summary"),
        ("[]", "is not a summary"),
        ("{}", "is not a summary"),
        (changed()[:-40], "is not a summary"),
        (changed(format="nvmelm trace 1"), "this is a 'nvmelm trace 1', not a 'nvmelm summary 1'"),
        (changed(frames=[[0, 0, [], [0]]]), "is not a summary"),
        (changed(frames=[[0, 0, [], [0, 1], ["", ""]]]), "a frame has 2 counters of 1"),
        (changed(frames=[[0, 0, [], [0], ["?", ""]]]), "is not a summary"),
        (changed(frames=[[0, 0, [], [0], ["AAAA", ""]]]), "is not a summary"),
        (changed(frames=[[0, 0, [], [0], [packed(b"1234"), ""]]]), "a map is cut short"),
        (changed(frames=[[0, 0, [], [0], [packed(pack_runs([(11, 2, 1)])), ""]]]), "more than 12 tiles"),
        (changed(tiles=None), "is not a summary"),
    ],
)
def test_a_text_that_is_no_summary_is_refused_in_one_sentence(text, word):
    with pytest.raises(InputError, match=word) as error:
        Summary.from_json(text)
    assert "\n" not in str(error.value)
