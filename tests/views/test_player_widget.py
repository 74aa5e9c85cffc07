"""The player as a widget, seen from Python: what it sends, what it saves, what hosts without widgets get."""

import json
import subprocess
import sys
import zlib
from typing import Any

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.views import Player
from nvmelm_lab.views import text as words
from tests.views.synthetic import model
from tests.views.synthetic_summary import summary

RUN = model(steps=200) | {"seed": (1 << 64) - 1}


class Wire(Player):
    """A player that keeps what it sends."""

    sent: list[tuple[Any, Any]]

    def send(self, content: Any, buffers: Any = None) -> None:
        self.sent = [*getattr(self, "sent", []), (content, buffers)]


def test_the_run_goes_over_once_by_itself_and_again_when_asked_for() -> None:
    player = Wire(RUN, step=7)
    player._handle_custom_msg({"kind": "ask"}, [])
    player._handle_custom_msg({"kind": "something else"}, [])
    assert [content for content, _ in player.sent] == [{"kind": "run", "step": 7}] * 2


def test_what_goes_over_is_the_whole_run_with_its_seed_unharmed() -> None:
    code, style, packed = Wire(RUN).sent[0][1]
    assert json.loads(zlib.decompress(packed)) == json.loads(json.dumps(RUN | {"seed": str(RUN["seed"])}))
    assert b"export { mount, read }" in code
    assert b".nvp {" in style


def test_the_saved_state_is_small_and_holds_no_run() -> None:
    saved = json.dumps(Player(RUN).get_state(), default=str)
    assert len(saved) < 10_000
    assert RUN["steps"][50]["text"] not in saved


def test_hosts_without_widgets_get_words_and_a_picture() -> None:
    bundle, _ = Player(RUN, step=9)._repr_mimebundle_()
    assert bundle["text/plain"] == words.summary(RUN, 9)
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["application/vnd.jupyter.widget-view+json"]["version_major"] == 2


def test_its_text_is_that_of_the_step() -> None:
    assert Player(RUN).text(5) == "\n".join(words.describe(RUN, 5))


@pytest.mark.parametrize("step", [-1, len(RUN["steps"])])
def test_a_step_outside_the_run_is_refused(step: int) -> None:
    with pytest.raises(InputError, match=f"step is {step}; this run has steps 0 to {len(RUN['steps']) - 1}"):
        Player(RUN, step=step)


def test_a_frame_outside_a_summary_is_refused() -> None:
    with pytest.raises(InputError, match="step is 40; this run has frames 0 to 39"):
        Player(summary(frames=40), step=40)


def test_a_damaged_model_is_refused_before_anything_is_shown() -> None:
    with pytest.raises(InputError, match="'lanes' is missing"):
        Player({name: value for name, value in RUN.items() if name != "lanes"})


def test_importing_the_views_loads_no_widgets() -> None:
    heavy = ["anywidget", "ipywidgets", "IPython", "numpy", "plotly", "networkx"]
    code = f"import nvmelm_lab.views, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
