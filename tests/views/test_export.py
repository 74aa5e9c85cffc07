"""What went wrong as one file: whole, without a network, and nothing in it can end what it stands in."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from nvmelm_lab.races.explain import explain
from nvmelm_lab.races.story import story
from nvmelm_lab.views.export import export_html, page_html
from nvmelm_lab.views.screen import code
from tests.views.pairs import counterexample, pair

EVIL = """async def migrate(vm, source, destination, tasks):
    "</script><script>alert(1)</script> </pre><img src=x onerror=alert(2)> <!-- &amp;"
"""


class Parts(HTMLParser):
    """The elements of a page, and the text of each kind."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data


@pytest.fixture(scope="module")
def page() -> str:
    return export_html(counterexample("copies_before_logging"))


def test_it_holds_the_story_the_figure_in_both_themes_and_both_runs(page: str) -> None:
    found, parts = counterexample("copies_before_logging"), Parts(page)
    told = explain(found)
    assert parts.texts["pre"][0] == story(told)
    themes = [attrs.get("class") for tag, attrs in parts.tags if tag == "figure"]
    assert themes == ["light", "dark"] * 2
    assert parts.texts["h1"] == ["No write lost: one write, no round"]
    assert len(parts.texts["script"]) == 1
    runs = re.search(r"run: read\((\{.*\})\), memory", parts.texts["script"][0])
    assert runs is not None
    model = json.loads(runs[1])
    assert model["token"] == told.token
    assert len(model["runs"]) == 2


def test_it_asks_nothing_of_a_network(page: str) -> None:
    parts = Parts(page)
    for tag, attrs in parts.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        assert not {"src", "href"} & attrs.keys()
    policy = next(attrs["content"] for _, attrs in parts.tags if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert b"fetch(" not in code()


def test_no_text_in_it_can_end_what_it_stands_in() -> None:
    evil = pair("copies_before_logging") | {"title": EVIL, "token": EVIL}
    run = evil["runs"][0] | {"title": EVIL, "token": EVIL}
    page = page_html(evil | {"runs": [run, evil["runs"][1]]}, EVIL, {"light": "<svg></svg>"}, EVIL)
    parts = Parts(page)
    tags = [tag for tag, _ in parts.tags]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert parts.texts["pre"] == [EVIL, EVIL]
    assert parts.texts["h1"] == [EVIL]
    assert "</script" not in parts.texts["script"][0]
    assert "<!--" not in parts.texts["script"][0].split("mount({")[-1]


def test_the_code_of_a_learner_stands_in_it() -> None:
    found = counterexample("copies_before_logging")
    written = replace(found, case=replace(found.case, source=EVIL))
    assert Parts(export_html(written)).texts["pre"][-1] == EVIL


def test_the_code_that_plays_can_stand_in_a_page() -> None:
    assert b"</script" not in code().lower()
    assert b"<!--" not in code()
