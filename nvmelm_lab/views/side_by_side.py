"""A failing and a repaired run in one player, aligned to the first step that differs."""

from collections.abc import Sequence

from nvmelm_lab.errors import InputError
from nvmelm_lab.races.case import Case
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


def side_by_side(
    case: Case, failing: Sequence[str], repaired: Sequence[str], *, title: str = "", token: str = ""
) -> SideBySide:
    """Run a case in two orders of decisions, one that breaks a promise and one that keeps all, and show both.

    InputError when an order cannot be walked, or does not do what it should.
    """
    return SideBySide(
        twin.pair_of(twin.Play(case, failing), twin.Play(case, repaired), title=title, token=token)
    )
