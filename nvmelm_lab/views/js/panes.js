// What can stand in place of the lanes: the bytes of the step, its facts as text, and the keys.  A pane shows a page
// of whole rows and never scrolls; the pager turns pages.

const keysOf = (unit) => [
  ["← →", `one ${unit} back, forward`],
  ["Shift ← →", `ten ${unit}s`],
  ["Home, End", `first, last ${unit}`],
  ["Page Up, Down", "phase before, next phase"],
  ["Space", "play, pause"],
  ["Tab", "next region"],
  ["← ↑ ↓ → in a map", "next cell; Enter opens it, and closes it"],
  ["Esc", "close, leave the region, the player"],
];

const SIGNS = {
  step: [
    ["two bars", "the step posts an entry"],
    ["hollow block", "a step still to come"],
    ["H, T", "head: read next; tail: filled next"],
    ["digit in a slot", "phase tag; it flips with every pass"],
    ["× in a cell", "the destination lacks the last write"],
  ],
  frame: [
    ["frame", "all that happened since the one before"],
    ["thin line", "the levels of frames still to come"],
    ["highest", "of the whole run: the top of the chart"],
    ["H, T", "head: read next; tail: filled next"],
    ["× in a cell", "its destination lacks a last write"],
  ],
};

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Each pane gives its rows, a row being its cells, and maybe a title and the sections that it is read by.
function bytesPane(run, moment) {
  const raw = run.steps[moment.index].bytes;
  if (!raw) return { kind: "bytes", title: "This step moved no SQE, CQE or MQE", rows: [] };
  const decoded = decodeStep(run, moment.index);
  const rows = decoded.map(([place, , name, value, meaning, source]) =>
    Object.assign([place, name, value, meaning], { source }));
  const sources = [...new Set(rows.map((row) => row.source))].join("; ");
  return { kind: "bytes", title: `${raw[0]}, ${run.model.layouts[raw[0]].size} bytes`, sources, rows };
}

const textPane = (run, moment) => ({ kind: "text", title: "", rows: describe(run, moment).map((line) => [line]) });
const helpPane = ({ unit }) => ({ kind: "help", title: "", rows: [...keysOf(unit), ...SIGNS[unit]] });

const PANES = { bytes: bytesPane, text: textPane, help: helpPane };

// Fills the pane with as many rows of the page as fit whole.  Returns how many pages there are.
function fillPane(nodes, pane, page) {
  nodes.title.textContent = pane.title;
  nodes.sources.textContent = pane.sources || "";
  nodes.body.className = `nvp-rows nvp-rows-${pane.kind}`;
  nodes.node.classList.toggle("nvp-bare", !pane.title);
  nodes.node.classList.remove("nvp-paged");
  let pages = paginate(nodes.body, pane);
  nodes.node.classList.toggle("nvp-paged", pages.length > 1);
  if (pages.length > 1) pages = paginate(nodes.body, pane);
  const shown = Math.min(page, pages.length - 1);
  nodes.body.replaceChildren(...pages[shown]);
  nodes.pager.hidden = pages.length < 2;
  nodes.where.textContent = `${shown + 1} of ${pages.length}`;
  nodes.before.disabled = shown === 0;
  nodes.after.disabled = shown === pages.length - 1;
  return pages.length;
}

function rowOf(cells) {
  const attributes = { class: "nvp-row", role: "row", title: cells.source || null };
  return make("div", attributes, ...cells.map((text) => make("span", { role: "cell" }, text)));
}

// Rows by page, by their measured heights: nothing is cut and nothing scrolls.
function paginate(body, pane) {
  const rows = pane.rows.map(rowOf);
  body.replaceChildren(...rows);
  const style = getComputedStyle(body);
  if (style.columnCount !== "auto") return [rows];
  const room = body.clientHeight - parseFloat(style.paddingTop);
  const pages = [[]];
  let used = 0;
  for (const row of rows) {
    const height = row.offsetHeight;
    if (used + height > room && pages.at(-1).length) {
      pages.push([]);
      used = 0;
    }
    pages.at(-1).push(row);
    used += height;
  }
  return pages;
}
