"""docs/life-cycle.md is what tools/life_cycle.py draws from the table today."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from nvmelm_lab.ssd.life_cycle import BECOMES, TABLE, Event, Logging, Motion, Part, Power, Rule, outcome

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "life_cycle.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("life_cycle_tool", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_page_is_current(tool: ModuleType) -> None:
    assert tool.PAGE.read_text("utf-8") == tool.page(), (
        "run python tools/life_cycle.py and commit docs/life-cycle.md"
    )


@pytest.fixture
def fresh() -> Iterator[None]:
    """What the table says is remembered; here it changes."""
    yield
    outcome.cache_clear()


def test_the_page_follows_the_table(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    before = tool.page()
    monkeypatch.setitem(TABLE, Event.SET_FIRST, (Rule(frozenset()),))
    outcome.cache_clear()
    assert "Set State 01b" not in tool.diagram(tool.Intake)
    assert tool.page() != before


@pytest.mark.parametrize(
    ("old", "new", "event"),
    [
        (Motion.BUSY, Motion.DRAINING, Event.SUSPEND),
        (Motion.DRAINING, Motion.SUSPENDED, Event.FINISH),
        (Motion.SUSPENDED, Motion.FREE, Event.RESUME),
        (Power.EQUIPPED, Power.DISABLED, Event.BRING_ONLINE),
        (Logging.LOGGING, Logging.FULL, Event.FILL),
    ],
)
def test_what_leads_from_one_state_to_another_is_drawn(
    tool: ModuleType, old: Part, new: Part, event: Event
) -> None:
    assert event in tool.changes(type(old))[old, new]
    (edge,) = [
        line for line in tool.diagram(type(old)).splitlines() if f" {old.name} --> {new.name}:" in line
    ]
    assert event.value in edge


def test_every_event_has_its_rows(tool: ModuleType) -> None:
    rows = [line for line in tool.rules().splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + sum(len(rules) for rules in TABLE.values())
    first_cells = {row.split(" | ")[0].removeprefix("| ") for row in rows}
    assert first_cells >= {event.value for event in Event}


def test_every_effect_says_what_it_changes(tool: ModuleType) -> None:
    rows = [line for line in tool.effects().splitlines() if line.startswith("| ")]
    assert [row.strip("| ").split(" | ")[0] for row in rows[1:]] == [effect.value for effect in BECOMES]
