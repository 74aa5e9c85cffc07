"""Cells: the pieces of shared state whose touching order can matter.

A *key* (any hashable, such as ``("lba", "X", 1, 12)``) names a cell.  Two steps conflict when both touch one
cell and at least one of them writes it; only the order of conflicting steps can change a run's outcome.

There are three classes of state:

shared
    Cells proper: a block, the fetch gate, a queue slot.  The explorer branches on their races.
owned
    Rings, doorbells and buffers: at any moment exactly one party may touch them.  A race there is a defect of
    the kit, and the audit reports it.
signal
    "This entry is visible", "this command has completed": one way, never a race, only an order.

State records its own accesses through a `Recorder`; what a step declares beforehand (its *touches*) must cover
what was recorded.  Under `Timed` there is no recorder, and nothing is recorded.
"""

from collections.abc import Hashable

Key = Hashable
Touches = tuple[tuple[Key, ...], tuple[Key, ...]]
"""What a step is about to touch: the keys that it reads and the keys that it writes."""


class Recorder:
    """Collects what one step touches.  The engine empties it before each step.

    gates, opened
        Cells of the gates that it moved, and of those that it opened.
    """

    __slots__ = ("gates", "opened", "owned", "reads", "writes")

    def __init__(self) -> None:
        self.gates: set[Key] = set()
        self.opened: set[Key] = set()
        self.reads: set[Key] = set()
        self.writes: set[Key] = set()
        self.owned: list[tuple[Key, bool]] = []

    def clear(self) -> None:
        """Forget the last step's accesses."""
        self.reads.clear()
        self.writes.clear()
        self.gates.clear()
        self.opened.clear()
        self.owned.clear()

    def own(self, key: Key, write: bool) -> None:
        """Note an access to *owned* state, for the audit."""
        self.owned.append((key, write))
