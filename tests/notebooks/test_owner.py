"""Work that callbacks ask for: done by one owner, whichever thread asks, the latest wish only."""

import asyncio
import threading

import pytest

from nvmelm_lab.views.owner import Owner

pytestmark = pytest.mark.usefixtures("plain_program")


class Recorder:
    """Work in three slices, which writes down what it did."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.at_work = 0
        self.most_at_work = 0

    async def work(self, wish, is_wanted) -> None:
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        for part in range(3):
            if not is_wanted():
                break
            self.done.append((wish, part))
            await asyncio.sleep(0)
        self.at_work -= 1


@pytest.fixture
def recorder():
    return Recorder()


def finished(wish):
    return [(wish, part) for part in range(3)]


async def until_idle(owner) -> None:
    while owner.is_busy:
        await asyncio.sleep(0)


def test_without_a_loop_asking_does_the_work_before_it_returns(recorder):
    Owner(recorder.work).ask("a")
    assert recorder.done == finished("a")


def test_with_a_loop_asking_returns_at_once_and_the_work_is_done_between_other_things(recorder):
    async def main():
        owner = Owner(recorder.work)
        owner.ask("a")
        assert recorder.done == []
        assert owner.is_busy
        await until_idle(owner)
        owner.ask("b")
        await until_idle(owner)

    asyncio.run(main())
    assert recorder.done == finished("a") + finished("b")


def test_a_wish_that_is_asked_for_meanwhile_takes_the_place_of_all_before_it(recorder):
    async def main():
        owner = Owner(recorder.work)
        owner.ask("a")
        await asyncio.sleep(0)
        for wish in "bcd":
            owner.ask(wish)
        await until_idle(owner)

    asyncio.run(main())
    assert recorder.done == [("a", 0), *finished("d")]
    assert recorder.most_at_work == 1


def test_asked_from_several_threads_there_is_one_owner_and_the_last_wish_is_done(recorder):
    owner = Owner(recorder.work)

    def asks(name):
        async def main():
            for number in range(50):
                owner.ask(f"{name}{number}")
                await asyncio.sleep(0)
            await until_idle(owner)

        asyncio.run(main())

    threads = [threading.Thread(target=asks, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.most_at_work == 1
    assert recorder.done[-1][0][1:] == "49"
    assert recorder.done[-3:] == finished(recorder.done[-1][0])


def test_when_the_loop_of_the_owner_is_gone_the_next_to_ask_becomes_the_owner(recorder):
    owner = Owner(recorder.work)

    async def left_in_the_middle():
        owner.ask("a")
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(left_in_the_middle())
    begun = len(recorder.done)
    assert 0 < begun < 3
    owner.ask("b")
    assert recorder.done[begun:] == finished("b")
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert recorder.done[begun:] == finished("b")


def test_work_that_raises_is_not_swallowed_and_leaves_the_owner_ready(recorder):
    wishes = []

    async def work(wish, _is_wanted):
        wishes.append(wish)
        if wish == "bad":
            raise ValueError(wish)

    owner = Owner(work)
    with pytest.raises(ValueError, match="bad"):
        owner.ask("bad")
    owner.ask("good")
    assert wishes == ["bad", "good"]
