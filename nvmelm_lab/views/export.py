"""What went wrong as one HTML file: the story in words, the figure, and the player with both runs.

The file needs no kernel and no network, and says so to the browser; it opens from a disk as from a mail.  Whatever
text comes into it, a learner's code among it, is escaped.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from nvmelm_lab.races.explain import Explanation, explain
from nvmelm_lab.races.shrink import Counterexample
from nvmelm_lab.races.story import story
from nvmelm_lab.views.causes import causes_of
from nvmelm_lab.views.explanation import explanation_figure
from nvmelm_lab.views.pair import PairModel, pair_of_counterexample
from nvmelm_lab.views.pair_still import pair_svg
from nvmelm_lab.views.palette import DARK, LIGHT
from nvmelm_lab.views.screen import as_json, code, style

_POLICY: Final = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; base-uri 'none'"

_LOOK: Final = f"""
:root {{ color-scheme: light dark; --bg: {LIGHT["bg"]}; --fg: {LIGHT["fg"]}; --panel: {LIGHT["panel"]};
  --muted: {LIGHT["muted"]}; --accent: {LIGHT["accent"]};
  --jp-layout-color0: var(--bg); --jp-content-font-color0: var(--fg); --jp-brand-color1: var(--accent);
  --jp-ui-font-color2: var(--muted); --jp-brand-color0: var(--accent); }}
@media (prefers-color-scheme: dark) {{ :root {{ --bg: {DARK["bg"]}; --fg: {DARK["fg"]}; --panel: {DARK["panel"]};
  --muted: {DARK["muted"]}; --accent: {DARK["accent"]}; }} }}
body {{ margin: 0; background: var(--bg); color: var(--fg); font: 15px/1.5 system-ui, sans-serif; }}
main {{ max-width: 1180px; margin: 0 auto; padding: 16px 20px 40px; }}
h1 {{ margin: 8px 0; font-size: 24px; line-height: 1.25; }}
h2 {{ margin: 28px 0 8px; font-size: 17px; }}
pre {{ margin: 8px 0; padding: 10px 12px; white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--panel); border-radius: 4px;
  font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; tab-size: 4; }}
figure {{ margin: 8px 0; overflow-x: auto; }}
.dark {{ display: none; }}
@media (prefers-color-scheme: dark) {{ .dark {{ display: block; }} .light {{ display: none; }} }}
"""


def export_html(found: Counterexample, told: Explanation | None = None) -> str:
    """The whole file of a counterexample, as text to be written to disk.

    `told` explains it, where that was done already.  InputError when nothing breaks in it.
    """
    told = told if told is not None else explain(found)
    causes = causes_of(found.case, told)
    figures = {theme: explanation_figure(told, causes, theme)._repr_svg_() for theme, _ in _PAGES}
    return page_html(pair_of_counterexample(found, told), story(told), figures, found.case.source)


def page_html(pair: PairModel, words: str, figures: Mapping[str, str], source: str = "") -> str:
    """The whole file.

    pair
        The runs that are played; title and token are its own.
    words
        What went wrong, in lines of a fixed width.
    figures
        The figure as SVG, by theme.
    source
        The code of the VMM, where it is a learner's.
    """
    title = escape(pair["title"])
    parts = [
        f"<h1>{title}</h1>",
        f"<h2>What happened</h2><pre>{escape(words)}</pre>",
        "<h2>Who did what, and which order decides</h2>" + _in_both_themes(figures),
        "<h2>Play both runs</h2>"
        f'<div id="player">{_in_both_themes({name: pair_svg(pair, pair["differs"], page) for name, page in _PAGES})}'
        "</div>",
    ]
    if source:
        parts.append(f"<h2>The VMM that was run</h2><pre>{escape(source)}</pre>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style().decode()}{_LOOK}</style></head>\n"
        f"<body><main>{''.join(parts)}</main>\n{_script(pair)}</body></html>\n"
    )


_PAGES: Final = (("light", LIGHT), ("dark", DARK))


def _in_both_themes(pictures: Mapping[str, str]) -> str:
    return "".join(f'<figure class="{theme}">{svg}</figure>' for theme, svg in pictures.items())


def _script(pair: Mapping[str, Any]) -> str:
    """The player with its runs.  Inside a script only ``</script`` and ``<!--`` could end or change anything."""
    model = as_json(pair).decode().replace("<", "\\u003c")
    host = 'document.getElementById("player")'
    start = (
        f"mount({{ host: {host}, run: read({model}), memory: {{ step: {json.dumps(pair['differs'])} }} }});"
    )
    return f'<script type="module">\n{code().decode()}\n{start}\n</script>'
