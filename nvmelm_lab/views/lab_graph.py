"""Who there is in a lab and who is connected with whom: a networkx graph, its places, and the same in words.

`topology_graph` is the graph; `topology_text` is the text twin of the figure that `topology_figure` draws from
it.  Places are fixed, in px of a picture that is at least 840 wide; nothing here draws.

Nodes have: kind (host, ssd, vm, vmm, mmc, mc, namespace, queue), label, detail, sentence, inside (the host or SSD
around it; "" for those themselves), phases (those in which it is there), pos (the middle) and size, in px.
Edges lead from who begins to who answers, or the way that entries go, and have: kind (I/O, commands, control, entries,
attached, link), sentence, way, the corners of the line in px, and sign, where a number on it stands.
"""

from typing import Final

import networkx as nx

from nvmelm_lab.errors import InputError
from nvmelm_lab.lab import GuestSpec, LabSpec
from nvmelm_lab.views.model import PHASES
from nvmelm_lab.views.places import place
from nvmelm_lab.views.talks import TALKS, Role, Talk

BEFORE_RESUME: Final = PHASES[: PHASES.index("Resume")]
FROM_RESUME: Final = PHASES[PHASES.index("Resume") :]
WHILE_LOGGING: Final = PHASES[PHASES.index("Start logging") :]
RUNNING: Final = PHASES[: PHASES.index("Suspend")]


def topology_graph(spec: LabSpec | None = None, guest: str | None = None) -> nx.DiGraph:
    """The parts of a lab (the usual one if None) and their connections, seen from the VM `guest` that migrates.

    InputError when the lab has no such guest.
    """
    spec = spec if spec is not None else LabSpec()
    moves = _migrating(spec, guest)
    graph = nx.DiGraph(guest=moves.name, shim=moves.shim)
    _add_frames(graph, spec)
    _add_managers(graph, spec)
    nsid, outside = 1, 2
    for one in spec.guests:
        column = 1 if one is moves else outside
        outside += one is not moves
        # The controller gives the lowest NSID that is free, and namespaces are created in this order.
        _add_guest(graph, one, range(nsid, nsid + len(one.blocks)), column)
        nsid += len(one.blocks)
    place(graph)
    return graph


def _migrating(spec: LabSpec, name: str | None) -> GuestSpec:
    known = {guest.name: guest for guest in spec.guests}
    if name is None and known:
        return spec.guests[0]
    if name not in known:
        raise InputError(f"there is no guest {name!r} in this lab; there are: {', '.join(known) or 'none'}")
    return known[name]


# --- parts ---------------------------------------------------------------------------------------------------


def _part(graph: nx.DiGraph, name: str, kind: str, inside: str, column: int, label: str, detail: str, sentence: str,
          phases: tuple[str, ...] = PHASES) -> None:  # fmt: skip
    graph.add_node(name, kind=kind, inside=inside, column=column, label=label, detail=detail, sentence=sentence,
                   phases=phases)  # fmt: skip


def _add_frames(graph: nx.DiGraph, spec: LabSpec) -> None:
    for side, word in (("source", "runs before the migration"), ("destination", "will run after it")):
        host = f"The computer on which the VM {word}."
        _part(graph, f"{side} host", "host", "", 0, f"{side.capitalize()} host", "", host)
        ssd = (
            f"The SSD of the {side} host. It shows itself as several controllers, one for the VMM and one for each "
            f"VM (SR-IOV). LBAs of {spec.block_bytes} bytes; allocation is tracked for {spec.granularity} at a time."
        )
        _part(graph, f"{side} SSD", "ssd", "", 0, f"{side.capitalize()} SSD", "", ssd)


def _add_managers(graph: nx.DiGraph, spec: LabSpec) -> None:
    for side, primary in (("source", "X"), ("destination", "G")):
        vmm, controller = f"VMM at the {side}", f"Ctlr {primary}"
        says = (
            "The virtual machine monitor runs the VMs and carries the migration out: the Migration Management Host "
            f"(MMH). One program; at the {side} it gives its commands to {controller}."
        )
        _part(graph, vmm, "vmm", f"{side} host", 0, "VMM (MMH)", f"works on {controller}", says)
        says = (
            "The primary controller, on physical function 0: the Migration Management Controller (MMC). It takes "
            "every command of a migration, and reads and writes the blocks for the VMM."
        )
        _part(graph, controller, "mmc", f"{side} SSD", 0, f"{controller} (MMC)", "on PF_0", says)
        says = "The VMM's own admin and I/O queues; no VM can reach them."
        graph.add_edge(vmm, controller, kind="commands", sentence=says)
    says = (
        "A ring in the VMM's memory. Ctlr X puts an entry at its tail for each change of the VM's data; the VMM reads "
        "them from its head, and so learns what has to be copied again."
    )
    _part(graph, "MQ", "queue", "source host", 0, "Migration", "Queue (MQ)", says, WHILE_LOGGING)
    graph.add_edge("Ctlr X", "MQ", kind="entries", sentence="Ctlr X posts entries at the tail of the queue.")
    graph.add_edge(
        "MQ", "VMM at the source", kind="entries", sentence="The VMM reads entries from the queue's head."
    )
    rate, latency = _rate(spec.link_bytes_per_second), f"{spec.link_latency_ns // 1000} µs"
    says = f"The link between the hosts: {rate}, {latency}. Blocks and memory of the VM cross it, one thing at a time."
    graph.add_edge("VMM at the source", "VMM at the destination", kind="link", label=rate, sentence=says)


def _rate(number: int) -> str:
    """Bytes per second for reading: ``1.25 GB/s``."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return (
                f"{number // size}.{number % size * 100 // size:02d}".rstrip("0").rstrip(".") + f" {unit}/s"
            )
    return f"{number} B/s"


def _add_guest(graph: nx.DiGraph, guest: GuestSpec, nsids: range, column: int) -> None:
    vm, there = f"VM {guest.name}", f"VM {guest.name} at the destination"
    mc, mc_there = f"Ctlr {guest.source}", f"Ctlr {guest.destination}"
    if column == 1:
        says = "The virtual machine that moves. It works on all the time and never learns of the migration."
        _part(graph, vm, "vm", "source host", column, guest.name, "VM, migrates", says, BEFORE_RESUME)
        says = "The same virtual machine after its move: started here with its memory, where it was paused there."
        _part(graph, there, "vm", "destination host", column, guest.name, "VM, moved", says, FROM_RESUME)
        use, use_there = f"serves {vm}", "takes over at Resume"
    else:
        says = "Another virtual machine on the same SSD. It stays, and must notice nothing."
        _part(graph, vm, "vm", "source host", column, guest.name, "VM, stays", says)
        use, use_there = f"serves {vm}", "is not in use"
    for controller, side, what in ((mc, "source", use), (mc_there, "destination", use_there)):
        says = (
            f"A secondary controller, on the virtual function VF_{controller[5:]}: a Migratable Controller (MC). "
            f"It {what}."
        )
        _part(
            graph,
            controller,
            "mc",
            f"{side} SSD",
            column,
            f"{controller} (MC)",
            f"on VF_{controller[5:]}",
            says,
        )
    _add_io(graph, guest, vm, mc)
    says = "Holds the blocks that {vm} reads and writes."
    _add_namespaces(graph, guest, nsids, mc, "Ctlr X", column, says)
    if column == 1:
        _add_io(graph, guest, there, mc_there)
        says = "The copy, made by the VMM under the same number (NSID), by which {vm} knows it."
        _add_namespaces(graph, guest, nsids, mc_there, "Ctlr G", column, says)
        _add_control(graph, vm, there, mc, mc_there)


def _add_io(graph: nx.DiGraph, guest: GuestSpec, vm: str, controller: str) -> None:
    between = (
        "through a host shim that sees each of them" if guest.shim else "and no software stands between them"
    )
    says = f"The VM's own queues, in its memory: it submits its Reads and Writes, {between}."
    graph.add_edge(vm, controller, kind="I/O", sentence=says)


def _add_namespaces(graph: nx.DiGraph, guest: GuestSpec, nsids: range, mc: str, mmc: str, column: int,
                    says: str) -> None:  # fmt: skip
    side = graph.nodes[mc]["inside"].split()[0]
    for nsid, blocks in zip(nsids, guest.blocks, strict=True):
        name = f"NS {nsid} at the {side}"
        about = f"{says.format(vm=f'VM {guest.name}')} {blocks} LBAs, attached to {mc} and {mmc}."
        _part(graph, name, "namespace", f"{side} SSD", column, f"NS {nsid}", _size(blocks), about)
        for controller in (mc, mmc):
            graph.add_edge(
                controller, name, kind="attached", sentence=f"NS {nsid} is attached to {controller}."
            )


def _size(blocks: int) -> str:
    """LBAs in as many characters as a box has room for."""
    return f"{blocks} LBAs" if blocks < 10**8 else f"{blocks >> 20} Mi LBAs"


def _add_control(graph: nx.DiGraph, vm: str, there: str, mc: str, mc_there: str) -> None:
    for above, below, says in (
        ("VMM at the source", vm, "The VMM pauses the virtual CPUs."),
        ("VMM at the destination", there, "The VMM starts the virtual CPUs."),
        ("Ctlr X", mc, f"Ctlr X logs what {mc} changes, suspends it and reads its state."),
        ("Ctlr G", mc_there, f"Ctlr G gives {mc_there} its state and resumes it."),
    ):
        graph.add_edge(above, below, kind="control", sentence=says)


# --- talks ---------------------------------------------------------------------------------------------------


def edges_of(graph: nx.DiGraph, talk: Talk) -> list[tuple[str, str]]:
    """The edges on which a talk goes; the first is that between who asks and who is asked."""
    parts = _parts(graph)
    pairs = [(talk.asker, talk.asked), *talk.along]
    return [(one, other) for pair in pairs for one in parts[pair[0]] for other in parts[pair[1]]]


def busy_edges(graph: nx.DiGraph, phase: str) -> list[tuple[str, str]]:
    """The edges on which VMs do their own I/O in that phase."""
    return [
        (vm, to)
        for vm, to, kind in graph.edges(data="kind")
        if kind == "I/O" and phase in graph.nodes[vm]["phases"] and not _is_paused(graph, vm, phase)
    ]


def spoken(graph: nx.DiGraph, phase: str) -> list[str]:
    """The lines of a phase: its talks, and behind them what the VMs do meanwhile.

    InputError for another phase, and when the VM is behind a host shim: then the SSD takes no part in its phases.
    """
    if phase not in TALKS:
        raise InputError(f"there is no phase {phase!r}; there are: {', '.join(PHASES)}")
    if graph.graph["shim"]:
        name = graph.graph["guest"]
        raise InputError(
            f"{name} is behind a host shim, and phases are told for the SSD's help only; leave phase out"
        )
    names = _names(graph)
    lines = [f"{_between(names, talk)}: {talk.words.format_map(names)}" for talk in TALKS[phase]]
    return [*lines, f"Meanwhile: {_meanwhile(graph, phase)}"]


def _meanwhile(graph: nx.DiGraph, phase: str) -> str:
    does = [
        f"VM {graph.nodes[vm]['label']} reads and writes through {to}" for vm, to in busy_edges(graph, phase)
    ]
    if not any(_is_migrating(graph, vm) for vm, _ in busy_edges(graph, phase)):
        does.insert(0, f"VM {graph.graph['guest']} stands still")
    return "; ".join(does)


def _is_migrating(graph: nx.DiGraph, vm: str) -> bool:
    return bool(graph.nodes[vm]["label"] == graph.graph["guest"])


def _is_paused(graph: nx.DiGraph, vm: str, phase: str) -> bool:
    return _is_migrating(graph, vm) and phase in ("Suspend", "State")


def _parts(graph: nx.DiGraph) -> dict[Role, list[str]]:
    """The nodes that play each role."""
    vm = f"VM {graph.graph['guest']}"
    mc, there = next(graph.successors(vm)), next(graph.successors(f"{vm} at the destination"))
    return {
        Role.VMM_HERE: ["VMM at the source"],
        Role.VMM_THERE: ["VMM at the destination"],
        Role.MMC_HERE: ["Ctlr X"],
        Role.MMC_THERE: ["Ctlr G"],
        Role.QUEUE: ["MQ"],
        Role.VM_HERE: [vm],
        Role.VM_THERE: [f"{vm} at the destination"],
        Role.MC_HERE: [mc],
        Role.MC_THERE: [there],
        Role.NS_HERE: list(graph.successors(mc)),
        Role.NS_THERE: list(graph.successors(there)),
    }


def _names(graph: nx.DiGraph) -> dict[str, str]:
    """What the words of the talks call the parts in this lab."""
    parts = _parts(graph)
    return {
        "vm": f"VM {graph.graph['guest']}",
        "y": parts[Role.MC_HERE][0],
        "h": parts[Role.MC_THERE][0],
        "ns": ", ".join(graph.nodes[name]["label"] for name in parts[Role.NS_HERE]),
    }


def _between(names: dict[str, str], talk: Talk) -> str:
    if (talk.asker, talk.asked) == (Role.VMM_HERE, Role.VMM_THERE):
        return "Source → destination"
    return f"{_who(names, talk.asker)} → {_who(names, talk.asked)}"


def _who(names: dict[str, str], role: Role) -> str:
    if role in (Role.VM_HERE, Role.VM_THERE):
        return names["vm"]
    return {Role.MMC_HERE: "Ctlr X", Role.MMC_THERE: "Ctlr G", Role.QUEUE: "MQ"}.get(role, "VMM")


# --- words ---------------------------------------------------------------------------------------------------


def topology_text(spec: LabSpec | None = None, phase: str | None = None, guest: str | None = None) -> str:
    """The figure's facts in words: each part, each connection, and with a `phase` what is said in it.

    InputError as of `topology_graph`, and when there is no such phase.
    """
    graph = topology_graph(spec, guest)
    lines = []
    for frame, about in graph.nodes(data=True):
        if about["inside"]:
            continue
        lines.append(f"{about['label']}: {about['sentence']}")
        inside = [(name, part) for name, part in graph.nodes(data=True) if part["inside"] == frame]
        lines += [f"  {name}: {part['sentence']}" for name, part in inside]
    lines.append("Connections:")
    lines += [
        f"  {one} → {other} ({edge['kind']}): {edge['sentence']}"
        for one, other, edge in graph.edges(data=True)
    ]
    if phase is not None:
        lines += heading_and_lines(graph, phase)
        lines.append(f"Not there: {', '.join(absent(graph, phase)) or 'none'}")
    return "\n".join(lines)


def absent(graph: nx.DiGraph, phase: str | None) -> list[str]:
    """The parts that are not there (yet, or any more) in a phase; if None, those that come at the end."""
    when = phase if phase is not None else PHASES[PHASES.index("Resume") - 1]
    return [name for name, phases in graph.nodes(data="phases") if when not in phases]


def heading_and_lines(graph: nx.DiGraph, phase: str) -> list[str]:
    """Which phase it is, and its numbered lines."""
    *talks, meanwhile = spoken(graph, phase)
    heading = f"Phase {PHASES.index(phase) + 1} of {len(PHASES)}: {phase}"
    return [heading, *(f"{number} {line}" for number, line in enumerate(talks, 1)), meanwhile]
