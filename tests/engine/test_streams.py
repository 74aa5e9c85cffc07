"""Random streams: one a concern, the same everywhere."""

from nvmelm_lab.engine import stream


def draw(seed: int, concern: str) -> list[int]:
    numbers = stream(seed, concern)
    return [numbers.getrandbits(32) for _ in range(3)]


def test_the_same_seed_and_concern_give_the_same_numbers() -> None:
    assert draw(7, "schedule") == draw(7, "schedule")


def test_another_seed_or_another_concern_gives_other_numbers() -> None:
    drawn = {
        tuple(draw(seed, concern)) for seed in (7, 8) for concern in ("schedule", "workload/a", "workload/b")
    }
    assert len(drawn) == 6


def test_seed_and_concern_do_not_run_into_each_other() -> None:
    assert draw(1, "1/a") != draw(11, "a")


def test_one_more_draw_in_one_concern_shifts_no_other() -> None:
    stream(7, "faults").getrandbits(1)
    before = draw(7, "schedule")
    stream(7, "faults").getrandbits(64)
    assert draw(7, "schedule") == before


def test_the_numbers_are_the_same_on_every_machine_and_version() -> None:
    assert draw(7, "schedule") == [1904393353, 418802974, 791506283]
