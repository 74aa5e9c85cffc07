"""Names that a learner types: one that is not known is answered with the one that was meant."""

import difflib
from collections.abc import Iterable

from nvmelm_lab.errors import InputError


def known_or_near(what: str, name: str, known: Iterable[str]) -> str:
    """The name itself when it is one of those known; else InputError, with the one that was meant."""
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
    raise InputError(f"there is no {what} {name!r}; {hint}")
