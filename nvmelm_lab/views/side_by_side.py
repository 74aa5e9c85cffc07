"""A failing and a repaired run in one player, aligned to the first step that differs."""

from nvmelm_lab.errors import InputError
from nvmelm_lab.races.explain import Explanation, explain
from nvmelm_lab.races.shrink import Counterexample
from nvmelm_lab.views import pair as twin
from nvmelm_lab.views.pair_still import pair_svg
from nvmelm_lab.views.screen import Screen


class SideBySide(Screen):
    """Two runs of one thing, played together: the failing one on the left and above, the repaired one beside it.

    `pair` is what `nvmelm_lab.views.pair` makes of two runs; `row` is where it opens (from 0), by default where they
    begin to differ.
    """

    def __init__(self, pair: twin.PairModel, row: int | None = None) -> None:
        self._pair = pair
        at = pair["differs"] if row is None else row
        if not 0 <= at < len(pair["rows"]):
            raise InputError(f"row is {row}; these two runs have rows 0 to {len(pair['rows']) - 1}")
        super().__init__(
            pair, at, lambda: twin.summary(pair, at), lambda colours: pair_svg(pair, at, colours)
        )

    def text(self, row: int) -> str:
        """Every fact of both pictures in a row (from 0), in words."""
        return "\n".join(twin.describe(self._pair, row))


def beside_repaired(found: Counterexample, told: Explanation | None = None) -> SideBySide:
    """A counterexample and what would have kept the promise, in one player.

    `told` explains it, where that was done already.  InputError when nothing breaks in it.
    """
    return SideBySide(twin.pair_of_counterexample(found, told if told is not None else explain(found)))
