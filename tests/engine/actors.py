"""Small actors for the tests of the engine: they write down who did what, in the order in which it happened."""

from collections.abc import Coroutine
from typing import Any

from nvmelm_lab.engine import Engine, Kind, Schedule, do


class Diary:
    """An engine, the actors that were spawned, and what they did: ``(actor, word)`` in order of happening."""

    def __init__(self, schedule: Schedule, **engine: Any) -> None:
        self.engine = Engine(schedule, **engine)
        self.entries: list[tuple[str, Any]] = []

    def kind(self, name: str = "write", **more: Any) -> Kind:
        """A step that writes its subject down."""
        return Kind(name, self.entries.append, **more)

    def writer(self, name: str, *words: Any, kind: Kind | None = None) -> None:
        """An actor that writes `words` down, one a step."""
        step = kind if kind is not None else self.kind()

        async def write() -> None:
            for word in words:
                await do(step, (name, word))

        self.spawn(name, write())

    def spawn(self, name: str, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.engine.spawn(name, coroutine)

    def run(self) -> list[tuple[str, Any]]:
        self.engine.run()
        return self.entries

    @property
    def order(self) -> str:
        """The actors' names, a letter each, in the order of their steps."""
        return "".join(name for name, _ in self.entries)
