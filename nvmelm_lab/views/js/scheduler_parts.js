// The regions of the scheduler: each is a function from what the session says to nodes.  Nothing here keeps anything.

const STATE_WORDS = ["deallocated", "mapped", "changed", "copying", "equal", "lost or stale", "unreadable"];
const SIGNS = { open: "○", good: "✓", bad: "✗" };
const VERDICT_WORDS = { open: "holds so far", good: "holds", bad: "broken" };
const STAKE_SIGNS = { open: "○", risk: "▲", lost: "✗", broken: "✗", good: "✓" };
const SVG = "http://www.w3.org/2000/svg";
// Around the middle of a cell's corner, as in the maps of the player.
const CELL_GLYPHS = ["", "", "M-4 3l3.5-6m1 6l3.5-6", "M-3.5 0h7m-3-3l3 3-3 3", "M-3.5 .3l2.5 2.5 4.5-5.4",
  "M-3-3l6 6m0-6l-6 6", "M-2.7 0a2.7 2.7 0 1 0 5.4 0a2.7 2.7 0 1 0-5.4 0"];

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

// --- the goal ---------------------------------------------------------------------------------------------------

function goalRegion(view) {
  const best = view.best ? `best known ${view.best}` : "nobody has done it yet";
  const promises = view.board.properties.map(({ name, verdict, word }) => make("span",
    { class: "nvs-promise", "data-verdict": verdict, title: `${name}: ${VERDICT_WORDS[verdict]}` },
    make("span", { "aria-hidden": "true" }, SIGNS[verdict]), ` ${name}`, word ? `: ${word}` : "",
    make("span", { class: "nvs-heard" }, `: ${VERDICT_WORDS[verdict]}`)));
  return [
    make("div", { class: "nvs-goal-line" }, make("strong", {}, view.goal),
      make("span", { class: "nvs-muted" }, "You decide who goes next."),
      make("span", { class: "nvs-count" }, `${count(view.steps, "step")} · ${best}`)),
    make("div", { class: "nvs-promises" }, ...promises),
  ];
}

// --- who goes next ----------------------------------------------------------------------------------------------

// One entry an option, in the order of the arrow keys; a row with several is a choice of the SSD.
function optionsOf(view) {
  return view.rows.flatMap((row) => row.options.map((option) => ({ row, ...option, choice: row.options.length > 1 })));
}

function whoRegion(view, chosen, frozen) {
  const options = optionsOf(view);
  const choices = view.rows.filter((row) => row.options.length > 1).length;
  const lines = options.length + choices;
  const size = lines <= 4 ? "roomy" : lines <= 6 ? "snug" : "tight";
  const list = make("div", { class: "nvs-rows", role: "listbox", "aria-label": "Who goes next?", "data-size": size,
    "aria-disabled": frozen ? "true" : null });
  for (const [n, option] of options.entries()) {
    const { row } = option;
    if (option.choice && row.options[0].decision === option.decision) {
      list.append(make("div", { class: "nvs-may" }, make("b", {}, row.who), " may:"));
    }
    list.append(option.choice ? choiceNode(option, n === chosen, n) : rowNode(row, n === chosen, n));
  }
  if (!options.length) list.append(make("p", { class: "nvs-over" }, "Nobody can go any more: the run is over."));
  const room = { roomy: 4, snug: 3, tight: 2 }[size] + (lines < 3 ? 3 : 0);
  return [make("h3", {}, "Who goes next?"), list, waitingNode(view.waiting, room)];
}

function rowNode(row, chosen, n) {
  return make("div", { class: "nvs-row", role: "option", id: `nvs-${n}`, "data-n": n, "aria-selected": String(chosen),
    title: `${row.who}: ${row.does}; touches ${row.touches}` },
    make("span", { class: "nvs-row-who" }, row.who),
    make("span", { class: "nvs-row-does" }, row.does),
    make("span", { class: "nvs-row-touches" }, `touches ${row.touches}`));
}

function choiceNode(option, chosen, n) {
  return make("div", { class: "nvs-row nvs-choice", role: "option", id: `nvs-${n}`, "data-n": n,
    "aria-selected": String(chosen), title: `${option.row.who}: ${option.words}` },
    make("span", { class: "nvs-row-does" }, option.words));
}

function waitingNode(waiting, room) {
  const shown = waiting.length > room ? waiting.slice(0, room - 1) : waiting;
  const lines = shown.map(({ who, why }) => make("li", { title: `${who} ${why}` }, make("b", {}, who), ` ${why}`));
  const more = waiting.slice(shown.length);
  if (more.length) {
    const title = more.map(({ who, why }) => `${who} ${why}`).join("; ");
    lines.push(make("li", { title }, `and ${more.length} more wait`));
  }
  return make("ul", { class: "nvs-waiting", "aria-label": "Who waits" }, ...lines);
}

// --- the state --------------------------------------------------------------------------------------------------

function stateRegion(view, places) {
  const { board } = view;
  const touched = new Set(places.map(({ side, number }) => `${side} ${number}`));
  const cells = make("div", { class: "nvs-cells", style: `--nvs-columns: ${board.cells.length}` },
    make("span", { class: "nvs-side" }, "Source"), make("span", { class: "nvs-side" }, "Destination"),
    ...board.cells.flatMap((cell, n) => cellNodes(cell, n + 2, touched)));
  const more = board.blocks - board.cells.length;
  return [
    make("div", { class: "nvs-title" }, make("h3", {}, "State"),
      make("span", { class: "nvs-muted" }, more > 0 ? `${more} more LBAs are not shown` : "outlined: what the chosen step touches")),
    cells, comingNode(board.cells), queueNode(board.queue, touched),
    make("div", { class: "nvs-facts" },
      ...factNodes(board, places)),
  ];
}

function factNodes(board, places) {
  const touches = (words) => places.some((place) => !place.side && place.words.startsWith(words));
  const fact = (words, marked) => make("p", { class: marked ? "nvs-touched" : "" }, `${words}.`);
  return [
    fact(board.logging, touches("whether") && places.some((place) => place.words.endsWith("is logged"))),
    fact(board.controllers, places.some((place) => place.words.startsWith("the state of") || place.words.endsWith("fetches"))),
    fact(board.vm, touches("whether the VM")),
  ];
}

function cellNodes(cell, column, touched) {
  const moving = cell.copied ? `↓ ${cell.copied}` : "";
  const same = cell.source.version === cell.destination.version;
  const between = moving || (cell.destination.version ? (same ? "=" : "≠") : "");
  const nodes = [
    sideNode(cell, "source", touched),
    make("span", { class: "nvs-between", title: cell.copied ? `a copy under way carries ${cell.copied}` : "" },
      `LBA ${cell.lba}`, make("b", {}, between)),
    sideNode(cell, "destination", touched),
  ];
  nodes.forEach((node, row) => { node.style.gridArea = `${row + 1} / ${column}`; });
  return nodes;
}

function sideNode(cell, side, touched) {
  const { version, state } = cell[side];
  const [name, kind] = version.split(", ");
  const said = version || (state === 3 ? "" : "empty");
  const box = make("div", { class: "nvs-cell", "data-state": state,
    "data-touched": touched.has(`${side} ${cell.lba}`) ? "true" : null,
    role: "img", "aria-label": `LBA ${cell.lba} at the ${side}: ${version || "nothing"}, ${STATE_WORDS[state]}`,
    title: `LBA ${cell.lba} at the ${side}: ${version || "nothing"} (${STATE_WORDS[state]})` });
  if (CELL_GLYPHS[state]) box.append(glyphNode(state));
  box.append(make("b", {}, version ? name : said));
  if (kind) box.append(make("small", {}, { deallocated: "freed", unreadable: "bad" }[kind] || kind));
  return box;
}

function glyphNode(state) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-6 -6 12 12");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", CELL_GLYPHS[state]);
  svg.append(path);
  return svg;
}

function comingNode(cells) {
  const coming = cells.filter((cell) => cell.coming);
  const many = cells.length > 1;
  const words = coming.map((cell) => (many ? `LBA ${cell.lba}: ${cell.coming}` : cell.coming)).join("; ");
  return make("p", { class: "nvs-coming", title: words }, words);
}

function queueNode(queue, touched) {
  if (!queue.size) {
    return make("div", { class: "nvs-queue" }, make("p", { class: "nvs-muted" }, "Migration Queue: there is none yet"));
  }
  const slots = queue.slots.map((slot) => make("div", { class: "nvs-slot", "data-state": slot.state,
    "data-touched": touched.has(`slot ${slot.number}`) ? "true" : null,
    title: `slot ${slot.number}: ${slot.words || "empty"}${slot.state === "read" ? ", read by the VMM" : ""}; phase tag ${slot.phase}` },
    make("span", {}, ends(queue, slot.number), make("i", {}, String(slot.phase))), make("b", {}, slot.short || "empty"),
    slot.state === "read" ? make("em", {}, "read") : ""));
  const more = queue.size > queue.slots.length ? ` of ${queue.size}` : "";
  return make("div", { class: "nvs-queue" },
    make("p", { class: "nvs-muted" }, `Migration Queue${more}: H head ${queue.head}, T tail ${queue.tail}; small: phase tag`),
    make("div", { class: "nvs-slots" }, ...slots));
}

const ends = (queue, slot) => `${queue.head === slot ? "H" : ""}${queue.tail === slot ? "T" : ""}`;
