"""Rewinding: what was set up once serves many executions, for its state is put back before each.

Setting up a lab takes as long as a small scenario itself.  So a search notes what every object that can be reached
from it holds, and puts that back, object by object, instead of making new ones.  Only one execution of it can be
under way at a time; and whoever stands in the lab must be able to begin anew (`Actor.again`), since a coroutine
cannot be put back.
"""

from __future__ import annotations

import enum
import types
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any

from bitarray import bitarray

from nvmelm_lab.engine import Actor, Kind
from nvmelm_lab.errors import KitError

if TYPE_CHECKING:
    from nvmelm_lab.engine import Engine

_CONSTANT = (
    type,
    types.ModuleType,
    types.BuiltinFunctionType,
    str,
    int,
    float,
    bytes,
    enum.Enum,
    frozenset,
    Struct,
    type(None),
    Kind,
)
_KIT = __name__.partition(".")[0] + "."


class Rewind:
    """Notes the state of whatever can be reached from `root`, where nobody of `engine` can go on.

    Raises KitError for something in it that cannot be put back.
    """

    def __init__(self, root: object, engine: Engine) -> None:
        self._put_back: list[Callable[[], None]] = []
        self._actors = [(actor, actor.kind, actor.subject) for actor in engine.actors.values()]
        self._seen: dict[int, object] = {}
        waiting = [root]
        while waiting:
            thing = waiting.pop()
            if isinstance(thing, _CONSTANT) or id(thing) in self._seen:
                continue
            self._seen[id(thing)] = thing
            waiting += self._note(thing)
        for actor, _, _ in self._actors:
            if actor.again is None:
                raise KitError(f"{actor.name} cannot begin anew, so what was set up cannot serve twice")

    def __call__(self) -> None:
        """Put everything back."""
        for put_back in self._put_back:
            put_back()
        for actor, kind, subject in self._actors:
            assert actor.again is not None
            actor.coroutine = actor.again()
            if actor.coroutine.send(None) != (kind, subject):
                raise KitError(f"{actor.name} began anew at another step than it was at")

    def _note(self, thing: object) -> Iterator[object]:
        """Note how to put it back; gives what it leads to."""
        if isinstance(thing, dict):
            self._put_back.append(partial(_refill, thing.clear, thing.update, dict(thing)))
            return _parts(thing.keys(), thing.values())
        if isinstance(thing, list):
            self._put_back.append(partial(thing.__setitem__, slice(None), list(thing)))
            return iter(list(thing))
        if isinstance(thing, set):
            self._put_back.append(partial(_refill, thing.clear, thing.update, set(thing)))
            return iter(list(thing))
        if isinstance(thing, deque):
            self._put_back.append(partial(_refill, thing.clear, thing.extend, list(thing)))
            return iter(list(thing))
        if isinstance(thing, bytearray | bitarray | array):
            self._put_back.append(partial(thing.__setitem__, slice(None), thing[:]))
            return iter(())
        return self._note_object(thing)

    def _note_object(self, thing: object) -> Iterator[object]:
        if isinstance(thing, tuple):
            return iter(thing)
        if isinstance(thing, memoryview):
            return iter((thing.obj,))
        if isinstance(thing, types.FunctionType):
            return _parts((cell.cell_contents for cell in thing.__closure__ or ()), thing.__defaults__ or ())
        if isinstance(thing, types.MethodType):
            return iter((thing.__self__, thing.__func__))
        if isinstance(thing, types.CoroutineType) and thing.cr_frame is None:
            return iter(())
        if isinstance(thing, partial):
            return _parts((thing.func,), thing.args, thing.keywords.values())
        if not type(thing).__module__.startswith(_KIT):
            raise KitError(f"a {type(thing).__qualname__} cannot be put back as it was")
        return self._note_own(thing)

    def _note_own(self, thing: Any) -> Iterator[object]:
        """An object of the kit: its slots, and its attributes if it has a dictionary."""
        found: list[object] = []
        kind = type(thing)
        is_constant = is_dataclass(kind) and kind.__dict__["__dataclass_params__"].frozen
        for name, put in _slots(kind):
            try:
                value = getattr(thing, name)
            except AttributeError:
                # Not given a value yet: whatever is put there later is not looked at before it is put there again.
                continue
            if isinstance(thing, Actor) and name == "coroutine":
                continue
            found.append(value)
            if not is_constant:
                self._put_back.append(partial(put, thing, value))
        attributes = getattr(thing, "__dict__", None)
        if attributes is not None:
            found.append(attributes)
        return iter(found)


_SLOTS: dict[type, tuple[tuple[str, Callable[[object, object], None]], ...]] = {}


def _slots(kind: type) -> tuple[tuple[str, Callable[[object, object], None]], ...]:
    """The slots of a class and its bases, with what sets each."""
    if kind not in _SLOTS:
        _SLOTS[kind] = tuple(
            (name, value.__set__)
            for each in kind.__mro__
            for name, value in vars(each).items()
            if isinstance(value, types.MemberDescriptorType)
        )
    return _SLOTS[kind]


def _refill(clear: Callable[[], None], fill: Callable[[Any], None], content: Any) -> None:
    clear()
    fill(content)


def _parts(*groups: Any) -> Iterator[object]:
    for group in groups:
        yield from list(group)
