// What can stand in place of the lanes: the bytes of the step, its facts as text, and the keys.  A pane shows a page
// of whole rows and never scrolls; the pager turns pages.

const KEYS = [
  ["← →", "one step back, forward"],
  ["Shift ← →", "ten steps"],
  ["Home, End", "first, last step"],
  ["Page Up, Page Down", "phase before, next phase"],
  ["Space", "play, pause"],
  ["Tab", "next region"],
  ["← ↑ ↓ → in a map", "next cell; Enter zooms in, Backspace out"],
  ["Esc", "leave the region, then the player"],
];

const SIGNS = [
  ["two bars in a lane", "the step posts an entry to the Migration Queue"],
  ["hollow block in a lane", "a step still to come"],
  ["H and T at the ring", "head: what the host reads next; tail: what the SSD fills next"],
  ["digit in a slot", "its phase tag, which flips with every pass over the queue"],
  ["vermillion with ×", "the destination lacks what the source was last written"],
];

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

// Each pane gives its heading and its rows; a row is a list of cells, one a column.
function bytesPane(run, moment) {
  const raw = run.steps[moment.index].bytes;
  if (!raw) return { kind: "bytes", title: "This step moved no SQE, CQE or MQE", rows: [] };
  const size = run.model.layouts[raw[0]].size;
  const head = ["Byte", "Raw", "Field", "Value", "Meaning", "Source"];
  return { kind: "bytes", title: `${raw[0]}, ${size} bytes`, head, rows: decodeStep(run, moment.index) };
}

function textPane(run, moment) {
  return { kind: "text", title: "The same facts in words", rows: describe(run, moment).map((line) => [line]) };
}

function helpPane() {
  return { kind: "help", title: "Keys (with the player in focus) and signs", rows: [...KEYS, ...SIGNS] };
}

const PANES = { bytes: bytesPane, text: textPane, help: helpPane };

// Fills the pane with as many rows of the page as fit whole.  Returns how many pages there are.
function fillPane(nodes, pane, page) {
  nodes.title.textContent = pane.title;
  nodes.body.className = `nvp-rows nvp-rows-${pane.kind}`;
  const pages = paginate(nodes.body, pane);
  const shown = Math.min(page, pages.length - 1);
  nodes.body.replaceChildren(...(pane.head ? [rowOf(pane.head, "nvp-row nvp-row-head")] : []), ...pages[shown]);
  nodes.pager.hidden = pages.length < 2;
  nodes.where.textContent = `${shown + 1} of ${pages.length}`;
  nodes.before.disabled = shown === 0;
  nodes.after.disabled = shown === pages.length - 1;
  return pages.length;
}

function rowOf(cells, name) {
  return make("div", { class: name, role: "row" }, ...cells.map((text) => make("span", { role: "cell" }, text)));
}

// Rows by page, by their measured heights: nothing is cut and nothing scrolls.
function paginate(body, pane) {
  const rows = pane.rows.map((cells) => rowOf(cells, "nvp-row"));
  const head = pane.head ? [rowOf(pane.head, "nvp-row nvp-row-head")] : [];
  body.replaceChildren(...head, ...rows);
  const columns = getComputedStyle(body).columnCount;
  if (columns !== "auto") return [rows];
  const room = body.clientHeight - (head.length ? head[0].offsetHeight : 0);
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
