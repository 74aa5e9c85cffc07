"""A counterexample in a notebook: its story, its figure, and the failing run beside the repaired one.

`CounterexampleView(counterexample)` is what whoever finds one shows: `find` of the notebook, a verdict.  It explains
nothing itself, and explains (`races/explain.py`) only what somebody looks at.
"""

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from textwrap import fill
from typing import Any, Final

from IPython.display import display

from nvmelm_lab.errors import InputError
from nvmelm_lab.races.explain import Explanation, explain
from nvmelm_lab.races.shrink import Counterexample
from nvmelm_lab.races.story import WIDTH, story
from nvmelm_lab.views.causes import causes_of
from nvmelm_lab.views.explanation import explanation_figure
from nvmelm_lab.views.export import export_html
from nvmelm_lab.views.figures import Figure
from nvmelm_lab.views.side_by_side import SideBySide, beside_repaired

_STYLE: Final = """<style>
.nvx { max-width: 840px }
.nvx p { margin: 0 0 4px }
.nvx summary { cursor: pointer; font-weight: 600; padding: 4px 0; min-height: 24px; box-sizing: border-box }
.nvx pre { margin: 0 0 4px; padding: 8px 10px; line-height: 1.4; font-size: 13px; white-space: pre-wrap;
  overflow-wrap: anywhere; background: var(--jp-layout-color1, #f4f5f7) }
.nvx svg { max-width: 100%; height: auto }
.nvx-dark, [data-jp-theme-light="false"] .nvx-light { display: none }
[data-jp-theme-light="false"] .nvx-dark { display: block }
</style>"""


class CounterexampleView:
    """An execution that breaks a promise, to be looked at; show it as the last line of a cell.

    counterexample
        What is shown.
    introduction
        Sentences that a reader should know before the story begins.
    """

    def __init__(self, counterexample: Counterexample, introduction: Sequence[str] = ()) -> None:
        self.counterexample = counterexample
        self.introduction = tuple(introduction)

    @cached_property
    def told(self) -> Explanation:
        """Why it fails, as plain values."""
        return explain(self.counterexample)

    @property
    def token(self) -> str:
        """The execution as one line of text: `find` brings it back, and so does the scheduler's Token in."""
        return self.told.token

    def text(self) -> str:
        """The story, behind its introduction, in lines of at most 80 columns but for the token."""
        said = [fill(each, WIDTH, subsequent_indent="  ") for each in self.introduction]
        return "\n".join([*said, *([""] if said else []), story(self.told)])

    def figure(self, theme: str = "light") -> Figure:
        """Who did what, whose step led to whose, and the races that decide; `theme` is ``light`` or ``dark``."""
        return explanation_figure(self.told, causes_of(self.counterexample.case, self.told), theme)

    @cached_property
    def pair(self) -> SideBySide:
        """The failing run beside the repaired one, to play both."""
        return beside_repaired(self.counterexample, self.told)

    def export(self, path: str | Path) -> Path:
        """Write all of it to one HTML file, which needs no kernel and no network; gives where it is.

        InputError where nothing can be written.
        """
        file = Path(path)
        try:
            file.write_text(export_html(self.counterexample, self.told), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from error
        return file.resolve()

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        """Introduction, story and figure, for JupyterLab in its two themes."""
        said = "".join(f"<p>{escape(each)}</p>" for each in self.introduction)
        pictures = "".join(
            f'<div class="nvx-{theme}">{self.figure(theme)._repr_svg_()}</div>' for theme in ("light", "dark")
        )
        return (
            f'{_STYLE}<div class="nvx">{said}'
            f"<details open><summary>What happened</summary><pre>{escape(story(self.told))}</pre></details>"
            "<details open><summary>Who did what, and which order decides</summary>"
            f"{pictures}</details></div>"
        )

    def _ipython_display_(self) -> None:
        data: dict[str, Any] = {"text/plain": repr(self), "text/html": self._repr_html_()}
        display(data, raw=True)  # type: ignore[no-untyped-call]
        display(self.pair)  # type: ignore[no-untyped-call]
