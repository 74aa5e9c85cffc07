// The history: the decisions of the current line as chips in lanes, a window of them where there are many, and the lines.

const CHIP_CHAR = 6.7; // px of a character, on the safe side
const CHIP_PAD = 16;
const EDGE_ROOM = 30; // px for each of "so many earlier", "so many later"

function historyRegion(view, room, page) {
  const { history } = view;
  const widths = history.chips.map(({ words }) => Math.max(28, Math.ceil(words.length * CHIP_CHAR + CHIP_PAD)));
  const [first, end] = windowOf(widths, history.position, room, page);
  const lanes = history.lanes.length ? history.lanes : ["Guest"];
  const grid = make("div", { class: "nvs-lanes", style: `--nvs-lanes: ${lanes.length}`, role: "list",
    "aria-label": "Steps so far" });
  for (const [n, lane] of lanes.entries()) {
    grid.append(make("span", { class: "nvs-lane-name", style: `grid-row: ${n + 1}` }, lane),
      make("span", { class: "nvs-lane", style: `grid-row: ${n + 1}` }));
  }
  if (first > 0) grid.append(edgeNode(`‹ ${first}`, `${count(first, "step")} before`, 2, -1));
  for (let n = first; n < end; n += 1) grid.append(chipNode(view, n, n - first + 3, lanes));
  const later = history.chips.length - end;
  if (later > 0) grid.append(edgeNode(`${later} ›`, `${count(later, "step")} after`, end - first + 3, 1));
  if (!history.chips.length) {
    grid.append(make("p", { class: "nvs-muted nvs-none" }, "Nothing is decided yet. ↑ ↓ choose, Enter takes the step, ← → undo and redo."));
  }
  return [grid, linesNode(history)];
}

// The chips that have room, with the current one among them and as much as can be of what leads to it.
function windowOf(widths, position, room, page) {
  const total = widths.reduce((sum, width) => sum + width, 0);
  if (total <= room) return [0, widths.length];
  const space = room - 2 * EDGE_ROOM;
  let first = Math.min(Math.max(position + page, 1), widths.length) - 1;
  let end = first + 1;
  let used = widths[first];
  // One step ahead first, so that what would be redone shows; then what went before; then what comes after.
  if (end < widths.length && used + widths[end] <= space) used += widths[end++];
  while (first > 0 && used + widths[first - 1] <= space) used += widths[--first];
  while (end < widths.length && used + widths[end] <= space) used += widths[end++];
  return [first, end];
}

function chipNode(view, n, column, lanes) {
  const { history } = view;
  const chip = history.chips[n];
  const time = n + 1 === history.position ? "now" : n < history.position ? "past" : "later";
  const others = history.forks[n];
  const branch = others ? make("sup", { title: `${count(others.length, "other line")} left here` }, `+${others.length}`) : "";
  return make("button", { class: "nvs-chip", type: "button", tabindex: "-1", "data-time": time, "data-jump": n + 1,
    "aria-current": time === "now" ? "step" : null, "aria-label": `step ${n + 1}: ${chip.title}`,
    title: `${n + 1}: ${chip.title}`, style: `grid-row: ${lanes.indexOf(chip.lane) + 1}; grid-column: ${column}` },
    chip.words, branch);
}

function edgeNode(words, title, column, way) {
  return make("button", { class: "nvs-edge", type: "button", tabindex: "-1", "data-page": way, title,
    "aria-label": title, style: `grid-column: ${column}` }, words);
}

const OUTCOMES = { "": "…", good: "✓", bad: "✗" };
const OUTCOME_WORDS = { "": "not run to its end", good: "every promise kept", bad: "a promise broken" };
const MOST_LINES = 4;

function linesNode(history) {
  const shown = history.lines.map((line, number) => ({ ...line, number }));
  const last = Math.max(MOST_LINES, history.line + 1);
  const some = shown.slice(Math.max(0, Math.min(last, shown.length) - MOST_LINES), Math.max(last, MOST_LINES));
  const nodes = some.map(({ number, steps, outcome }) => make("button", { class: "nvs-line", type: "button",
    "data-line": number, "data-key": `line ${number}`, "aria-pressed": String(number === history.line),
    title: `line ${number + 1}: ${count(steps, "step")}, ${OUTCOME_WORDS[outcome]}` },
    make("b", {}, `Line ${number + 1}`), make("span", { "data-outcome": outcome }, `${OUTCOMES[outcome]} ${steps}`)));
  const more = shown.length - some.length;
  return make("div", { class: "nvs-lines", role: "group", "aria-label": "Lines that were tried" }, ...nodes,
    more > 0 ? make("span", { class: "nvs-muted" }, `+${more}`) : "");
}
