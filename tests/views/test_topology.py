"""The topology: its graph is the lab's, its talks are what a migration's trace holds, and its picture is readable."""

from collections import defaultdict
from functools import cache
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvmelm_lab.engine import Random
from nvmelm_lab.errors import InputError
from nvmelm_lab.host.migration import Plan
from nvmelm_lab.lab import GuestSpec, Lab, LabSpec
from nvmelm_lab.nvme import AdminOpcode, IoOpcode
from nvmelm_lab.views import topology, topology_graph, topology_text
from nvmelm_lab.views.lab_graph import absent, busy_edges, edges_of, spoken
from nvmelm_lab.views.model import PHASES
from nvmelm_lab.views.talks import TALKS, Role
from tests.views import labs

TWO_DISKS = LabSpec(guests=(GuestSpec("db", "Y", "H", (64, 8)), GuestSpec("web", "Z", "I", (16,))))
CROWD = LabSpec(
    guests=(
        GuestSpec("first", "U", "V", (16, 16)),
        GuestSpec("a name that is much too long", "Y", "H", (1 << 20, 64, 8)),
        GuestSpec("third", "Z", "I", (64,)),
    )
)


def named(graph: nx.DiGraph, kind: str) -> list[str]:
    return [name for name, found in graph.nodes(data="kind") if found == kind]


def linked(graph: nx.DiGraph, kind: str) -> set[tuple[str, str]]:
    return {(one, other) for one, other, found in graph.edges(data="kind") if found == kind}


# -- the graph is the lab's --------------------------------------------------------------------------------


def test_the_usual_lab_has_these_parts():
    graph = topology_graph()
    assert named(graph, "host") == ["source host", "destination host"]
    assert named(graph, "ssd") == ["source SSD", "destination SSD"]
    assert named(graph, "vm") == ["VM guest", "VM guest at the destination", "VM neighbour"]
    assert named(graph, "vmm") == ["VMM at the source", "VMM at the destination"]
    assert named(graph, "mmc") == ["Ctlr X", "Ctlr G"]
    assert named(graph, "mc") == ["Ctlr Y", "Ctlr H", "Ctlr Z", "Ctlr I"]
    assert named(graph, "namespace") == [
        "NS 1 at the source",
        "NS 1 at the destination",
        "NS 2 at the source",
    ]
    assert named(graph, "queue") == ["MQ"]


def test_every_part_but_hosts_and_ssds_is_inside_one():
    graph = topology_graph()
    frames = {*named(graph, "host"), *named(graph, "ssd")}
    for name, part in graph.nodes(data=True):
        assert part["inside"] in ({""} if name in frames else frames)


@pytest.mark.parametrize("spec", [LabSpec(), TWO_DISKS], ids=["usual", "two disks"])
def test_controllers_and_namespaces_are_those_of_the_ssds_before_and_after_a_migration(spec):
    graph = topology_graph(spec)
    lab = Lab(spec)
    assert of_ssd(lab.source) == drawn(graph, "source")
    lab.begin()
    name = spec.guests[0].name
    lab.engine.run(lab.engine.spawn("VMM", lab.migration(name).run()))
    assert of_ssd(lab.destination) == drawn(graph, "destination")


def of_ssd(ssd) -> tuple[set[str], dict[str, tuple[int, set[str]]]]:
    """The names of its controllers; of each namespace, its LBAs and who it is attached to."""
    names = {cntlid: f"Ctlr {controller.name}" for cntlid, controller in ssd.controllers.items()}
    namespaces = {
        f"NS {nsid}": (namespace.blocks, {names[cntlid] for cntlid in namespace.attached})
        for nsid, namespace in ssd.namespaces.items()
    }
    return set(names.values()), namespaces


def drawn(graph: nx.DiGraph, side: str) -> tuple[set[str], dict[str, tuple[int, set[str]]]]:
    inside = {name: part for name, part in graph.nodes(data=True) if part["inside"] == f"{side} SSD"}
    controllers = {name for name, part in inside.items() if part["kind"] in ("mc", "mmc")}
    namespaces = {
        part["label"]: (int(part["detail"].split()[0]), set(graph.predecessors(name)))
        for name, part in inside.items()
        if part["kind"] == "namespace"
    }
    return controllers, namespaces


def test_each_vm_reaches_its_own_controller_alone_and_only_the_vmm_reaches_the_primary_ones():
    graph = topology_graph(TWO_DISKS)
    assert linked(graph, "I/O") == {
        ("VM db", "Ctlr Y"),
        ("VM db at the destination", "Ctlr H"),
        ("VM web", "Ctlr Z"),
    }
    assert set(graph.predecessors("Ctlr X")) == {"VMM at the source"}
    assert set(graph.predecessors("Ctlr G")) == {"VMM at the destination"}
    assert linked(graph, "link") == {("VMM at the source", "VMM at the destination")}
    assert linked(graph, "entries") == {("Ctlr X", "MQ"), ("MQ", "VMM at the source")}


def test_the_guest_that_migrates_can_be_another_than_the_first():
    graph = topology_graph(TWO_DISKS, "web")
    assert "VM web at the destination" in graph
    assert "VM db at the destination" not in graph
    assert graph.nodes["NS 3 at the destination"]["detail"] == "16 LBAs"


@pytest.mark.parametrize(
    ("rate", "words"),
    [(3 * 10**9, "3 GB/s"), (1_250_000_000, "1.25 GB/s"), (10**6, "1 MB/s"), (12, "12 B/s")],
)
def test_the_link_says_its_bandwidth(rate, words):
    graph = topology_graph(LabSpec(link_bytes_per_second=rate))
    link = graph.edges["VMM at the source", "VMM at the destination"]
    assert link["label"] == words
    assert f": {words}, 20 µs." in link["sentence"]


def test_behind_a_host_shim_software_stands_between_a_vm_and_its_controller():
    graph = topology_graph(LabSpec(guests=(GuestSpec(shim=True),)))
    assert "through a host shim" in graph.edges["VM guest", "Ctlr Y"]["sentence"]
    assert "no software stands between" in topology_graph().edges["VM guest", "Ctlr Y"]["sentence"]


# -- what is told of a phase is what a trace holds -----------------------------------------------------------

ROLES = {"X": Role.MMC_HERE, "G": Role.MMC_THERE}


@cache
def seen() -> dict[str, dict[str, set]]:
    """Phase -> what happened in it, over a few runs: commands of X and G, and effects by their word."""
    runs = [
        labs.migrate("zipf", most=200),
        labs.migrate(
            "mixed", lab=labs.spec(disks=2), seed=3, most=200, plan=Plan(queue_entries=64, rounds=3)
        ),
        labs.migrate("mixed", seed=5, most=200, schedule=Random(1)),
    ]
    found: dict[str, dict[str, set]] = defaultdict(lambda: defaultdict(set))
    for run in runs:
        phase, suspended = "Before", set()
        for effect in (effect for step in run.trace.steps for effect in step.effects):
            if effect[0] == "phase":
                phase = effect[1]
            elif effect[0] in ("suspended", "resumed"):
                suspended ^= {effect[1]}
            note(found[phase], effect, suspended)
    return found


def note(found: dict[str, set], effect: tuple, suspended: set[str]) -> None:
    if effect[0] == "fetched":
        _, controller, sqid, _, _, sqe = effect
        opcode = IoOpcode(sqe[0]) if sqid else AdminOpcode(sqe[0])
        kind = "command while suspended" if controller in suspended else "command"
        found[kind].add((controller, opcode.meaning))
    else:
        found[effect[0]].add(effect[1:3])


@pytest.mark.parametrize("phase", PHASES)
def test_the_commands_told_of_a_phase_are_those_that_the_primary_controllers_fetch_in_it(phase):
    told = {(role, opcode.meaning) for talk in TALKS[phase] for role, opcode in talk.commands}
    fetched = {(ROLES[name], command) for name, command in seen()[phase]["command"] if name in ROLES}
    assert fetched == told


@pytest.mark.parametrize("phase", PHASES)
def test_each_command_that_is_told_is_called_by_its_name(phase):
    for talk in TALKS[phase]:
        for _, opcode in talk.commands:
            assert opcode.meaning in talk.words


@pytest.mark.parametrize("phase", PHASES)
def test_the_guests_controllers_fetch_only_where_it_is_told(phase):
    graph = topology_graph(labs.spec())
    told = {name.removeprefix("Ctlr ") for _, name in busy_edges(graph, phase)}
    fetched = {name for name, _ in seen()[phase]["command"] if name not in ROLES}
    assert not seen()[phase]["command while suspended"]
    if phase == "Suspend":  # until it is suspended, the controller fetches what the VM left on its rings
        fetched.remove("Y")
    assert fetched <= told
    if phase not in ("Start logging", "Resume"):  # too short for every VM to get a word in
        assert told - {"Z"} <= fetched


def phases_with(asker: Role, asked: Role) -> set[str]:
    return {
        phase
        for phase, talks in TALKS.items()
        for talk in talks
        if (talk.asker, talk.asked) == (asker, asked)
    }


def phases_seen(*effects: str) -> set[str]:
    return {phase for phase in PHASES if any(seen()[phase][effect] for effect in effects)}


def test_entries_are_told_of_where_they_are_posted():
    assert phases_seen("entry") | {"Start logging"} == phases_with(Role.MMC_HERE, Role.QUEUE)


def test_the_queue_is_told_to_be_read_where_it_is():
    assert phases_seen("consumed") == phases_with(Role.QUEUE, Role.VMM_HERE)


def test_the_link_is_told_of_where_something_crosses_it():
    assert phases_seen("memory moved", "blocks moved") | copied() == phases_with(
        Role.VMM_HERE, Role.VMM_THERE
    )


def copied() -> set[str]:
    return {phase for phase in PHASES if ("G", "Write") in seen()[phase]["command"]}


@pytest.mark.parametrize(
    ("word", "what", "phase", "pair"),
    [
        ("vm", ("guest", "paused"), "Suspend", (Role.VMM_HERE, Role.VM_HERE)),
        ("vm", ("guest", "running"), "Resume", (Role.VMM_THERE, Role.VM_THERE)),
        ("suspended", ("Y",), "Suspend", (Role.MMC_HERE, Role.MC_HERE)),
        ("suspended", ("H",), "State", (Role.MMC_THERE, Role.MC_THERE)),
        ("resumed", ("H",), "Resume", (Role.MMC_THERE, Role.MC_THERE)),
    ],
)
def test_what_happens_to_a_vm_or_controller_is_told_in_its_phase_and_no_other(word, what, phase, pair):
    assert {name for name in PHASES if what in {one[: len(what)] for one in seen()[name][word]}} == {phase}
    talks = [{(talk.asker, talk.asked), *talk.along} for talk in TALKS[phase]]
    assert any(pair in pairs for pairs in talks)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("spec", [LabSpec(), TWO_DISKS, CROWD], ids=["usual", "two disks", "crowd"])
def test_every_talk_goes_along_connections_and_no_two_begin_on_the_same(spec, phase):
    graph = topology_graph(spec)
    begun = []
    for talk in TALKS[phase]:
        edges = edges_of(graph, talk)
        assert all(graph.has_edge(*edge) for edge in edges)
        begun.append(edges[0])
    assert len(set(begun)) == len(begun)


def test_a_talk_about_namespaces_goes_to_each_of_them():
    graph = topology_graph(TWO_DISKS)
    (talk,) = (talk for talk in TALKS["Initial copy"] if (Role.MMC_HERE, Role.NS_HERE) in talk.along)
    assert {("Ctlr X", "NS 1 at the source"), ("Ctlr X", "NS 2 at the source")} <= set(edges_of(graph, talk))
    assert "NS 1, NS 2" in spoken(graph, "Initial copy")[0]


@pytest.mark.parametrize(
    ("phase", "gone"),
    [
        ("Prepare", {"MQ", "VM guest at the destination"}),
        ("Suspend", {"VM guest at the destination"}),
        ("Clean up", {"VM guest"}),
    ],
)
def test_what_is_not_there_in_a_phase_is_told(phase, gone):
    assert set(absent(topology_graph(), phase)) == gone
    assert topology_text(phase=phase).splitlines()[-1] == "Not there: " + ", ".join(
        absent(topology_graph(), phase)
    )


# -- the words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [LabSpec(), TWO_DISKS, CROWD], ids=["usual", "two disks", "crowd"])
def test_the_text_has_every_part_in_its_frame_and_every_connection(spec):
    graph = topology_graph(spec)
    parts, _, connections = topology_text(spec).partition("Connections:\n")
    frame, found = "", {}
    for line in parts.splitlines():
        name = line.split(":")[0]
        if line.startswith("  "):
            found[name.strip()] = frame
        else:
            frame = name[0].lower() + name[1:]
            found[frame] = ""
    assert found == dict(graph.nodes(data="inside"))
    edges = {
        tuple(line.strip().split(" (")[0].split(" → ")): line.split("(")[1].split(")")[0]
        for line in connections.splitlines()
    }
    assert edges == {(one, other): kind for one, other, kind in graph.edges(data="kind")}


@pytest.mark.parametrize("phase", [None, *PHASES])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_that_the_picture_says_is_in_its_text(phase, theme):
    figure = topology(CROWD, phase, theme=theme)
    words = " ".join(figure.layout.meta.replace("\n", " ").split())
    assert figure.layout.meta == topology_text(CROWD, phase)
    for trace in figure.data:
        for hovers in (trace.hovertext, trace.text if trace.hoveron == "fills" else None):
            for told in (hovers,) if isinstance(hovers, str) else hovers or ():
                assert told.replace("<br>", " ") in words
    if phase:
        below = [line for line in labels(figure) if line[1] > topology_graph(CROWD).graph["size"][1]]
        assert " ".join(" ".join(text for *_, text in below).split()) in words


@pytest.mark.parametrize("phase", PHASES)
def test_the_numbers_in_the_picture_are_those_of_the_lines_below(phase):
    figure = topology(phase=phase)
    (signs,) = (trace for trace in figure.data if trace.mode == "markers+text")
    assert [text.strip("</b>") for text in signs.text] == [str(n + 1) for n in range(len(TALKS[phase]))]
    lines = [f"{n} {line}" for n, line in enumerate(spoken(topology_graph(), phase)[:-1], 1)]
    assert [text.replace("<br>", " ") for text in signs.hovertext] == lines


# -- the picture ---------------------------------------------------------------------------------------------


def labels(figure) -> list[tuple[float, float, str]]:
    return [
        (x, y, text.replace("<b>", "").replace("</b>", ""))
        for trace in figure.data
        if trace.mode == "text"
        for x, y, text in zip(trace.x, trace.y, trace.text, strict=True)
    ]


def box(part: dict, by: float = 0) -> tuple[float, float, float, float]:
    (x, y), (width, height) = part["pos"], part["size"]
    return x - width / 2 - by, y - height / 2 - by, x + width / 2 + by, y + height / 2 + by


def overlap(one: tuple, other: tuple) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


guests = st.lists(
    st.tuples(st.lists(st.integers(1, 1 << 40), min_size=1, max_size=4), st.text(min_size=1, max_size=30)),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one[1],
)


@settings(max_examples=60)
@given(guests, st.data())
def test_no_part_lies_on_another_and_no_line_runs_through_one(shape, data):
    own = [GuestSpec(name, f"Y{n}", f"H{n}", tuple(blocks)) for n, (blocks, name) in enumerate(shape)]
    guest = data.draw(st.sampled_from([name for _, name in shape]))
    graph = topology_graph(LabSpec(guests=tuple(own)), guest)
    frames = {name: box(part) for name, part in graph.nodes(data=True) if not part["inside"]}
    parts = {name: part for name, part in graph.nodes(data=True) if part["inside"]}
    for one, other in combinations(parts.values(), 2):
        assert not overlap(box(one, 3), box(other, 3))
    for part in parts.values():
        left, top, right, bottom = frames[part["inside"]]
        x, y, to_x, to_y = box(part)
        assert left < x < to_x < right
        assert top < y < to_y < bottom
    for one, other, edge in graph.edges(data=True):
        column = {
            name for name, part in parts.items() if part["kind"] == "namespace" and edge["kind"] == "attached"
        }
        passed = (
            column if len(edge["way"]) == 2 else set()
        )  # a controller's line runs down behind its namespaces
        for (x, y), (to_x, to_y) in zip(edge["way"], edge["way"][1:], strict=False):
            assert x == to_x or y == to_y
            line = min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y)
            others = [part for name, part in parts.items() if name not in {one, other, *passed}]
            assert not any(overlap(line, box(part, 2)) for part in others)
        sign = {"pos": edge["sign"], "size": (18, 18)}
        if edge["kind"] != "attached":
            assert not any(overlap(box(sign), box(part)) for part in parts.values())


def test_every_line_begins_and_ends_at_the_edge_of_its_box():
    graph = topology_graph(CROWD)
    for one, other, edge in graph.edges(data=True):
        for name, (x, y) in ((one, edge["way"][0]), (other, edge["way"][-1])):
            left, top, right, bottom = box(graph.nodes[name])
            assert (x in (left, right) and top <= y <= bottom) or (y in (top, bottom) and left <= x <= right)


def test_the_usual_lab_fits_a_page_of_840_px_and_is_as_high_in_every_phase():
    figures = [topology(phase=phase) for phase in PHASES]
    assert {figure.layout.width for figure in figures} == {840}
    assert len({figure.layout.height for figure in figures}) == 1


def test_names_too_long_for_their_box_are_cut_in_the_picture_and_whole_on_hover():
    figure = topology(CROWD, guest="a name that is much too long")
    assert not any("much too long" in text for *_, text in labels(figure))
    assert any(text.startswith("a name tha…") for *_, text in labels(figure))
    assert "VM a name that is much too long" in figure.layout.meta


def test_names_are_no_markup():
    figure = topology(LabSpec(guests=(GuestSpec("<b>x</b>"),)))
    assert any("&lt;b&gt;x" in text for trace in figure.data if trace.mode == "text" for text in trace.text)


# -- bad input -----------------------------------------------------------------------------------------------


def test_what_there_is_not_is_named_with_what_there_is():
    with pytest.raises(InputError, match="there is no phase 'Copy'; there are: Prepare, Start logging"):
        topology(phase="Copy")
    with pytest.raises(InputError, match="there is no guest 'gast' in this lab; there are: guest, neighbour"):
        topology(guest="gast")
    with pytest.raises(InputError, match="there is no theme 'blue'; there are: light, dark"):
        topology(theme="blue")


def test_phases_are_not_told_of_a_vm_behind_a_host_shim():
    spec = LabSpec(guests=(GuestSpec(shim=True),))
    assert topology(spec).layout.meta == topology_text(spec)
    with pytest.raises(InputError, match="guest is behind a host shim"):
        topology(spec, "Iterate")
