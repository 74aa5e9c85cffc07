// The two maps: which LBAs a cell stands for, where it lies, and drawing both sides alike.

const CELL_PITCH = 14; // a cell of 12 px and the gap that its outline needs
const CELL_GAP = 2;
const CELL_MOST = 34;

// Columns, rows and pitch for `count` cells: as large as they can be, with columns that divide addresses well.
function gridFor(width, height, count) {
  let best = null;
  for (let columns = 1; columns <= Math.floor(width / CELL_PITCH); columns += 1) {
    const rows = Math.ceil(count / columns);
    const w = Math.min(Math.floor(width / columns), CELL_MOST);
    const h = Math.min(Math.floor(height / rows), CELL_MOST, w + 4);
    const score = Math.min(w, h) * (columns % 8 ? 1 : 1.15) * (columns % 4 ? 1 : 1.1);
    if (h >= CELL_PITCH && (!best || score > best.score)) best = { columns, rows, w: Math.min(w, h + 6), h, score };
  }
  return best;
}

// What the maps show of the namespace: `blocks` LBAs from `first` on, `cell` LBAs a cell, and their grid.
function mapLayout(run, zoom, width, height) {
  const first = zoom ? zoom.first : 0;
  const blocks = Math.min(zoom ? zoom.blocks : run.model.blocks, run.model.blocks - first);
  let cell = zoom ? run.grain : run.model.cell_lbas;
  let grid = null;
  while (!(grid = gridFor(width, height, Math.ceil(blocks / cell)))) cell *= 2;
  return { first, blocks, cell, count: Math.ceil(blocks / cell), ...grid };
}

function cellBox(layout, index) {
  const { columns, w, h } = layout;
  const [column, row] = [index % columns, Math.floor(index / columns)];
  return { x: CELL_GAP + column * w, y: CELL_GAP + row * h, w: w - CELL_GAP, h: h - CELL_GAP };
}

function cellAt(layout, x, y) {
  const [column, row] = [Math.floor((x - CELL_GAP) / layout.w), Math.floor((y - CELL_GAP) / layout.h)];
  const index = row * layout.columns + column;
  return column >= 0 && row >= 0 && column < layout.columns && index < layout.count ? index : null;
}

// The LBAs of a cell as [slba, blocks].
function cellLbas(layout, index) {
  const slba = layout.first + index * layout.cell;
  return [slba, Math.min(layout.cell, layout.first + layout.blocks - slba)];
}

// Whether the range holds all that the maps show: to point it out would say nothing.
function holdsAll({ first, blocks }, [slba, count]) {
  return slba <= first && slba + count >= first + blocks;
}

// The cells, from first to last, that hold any LBA of the range; null when the range lies outside.
function cellsOf(layout, slba, blocks) {
  const first = Math.max(0, Math.floor((slba - layout.first) / layout.cell));
  const last = Math.min(layout.count - 1, Math.floor((slba + blocks - 1 - layout.first) / layout.cell));
  return slba + blocks <= layout.first || first > last ? null : [first, last];
}

// What the headings say of place and scale: all of it above both maps, or half above each where there is less room.
function captionsOf(run, layout, halves) {
  const scale = `1 cell = ${layout.cell} LBA${layout.cell === 1 ? "" : "s"}`;
  const place = layout.blocks === run.model.blocks ? "" : lbaWords(layout.first, layout.blocks);
  const worst = layout.cell === 1 ? "" : "worst shown";
  const whole = [place, scale, worst].filter(Boolean).join(", ");
  if (!halves) return [whole, whole];
  return place ? [place, scale] : [scale, worst || scale];
}

// Draws the states of one side's cells.  `marks` holds what is pointed out: the step's LBAs, the picked and the
// hovered cell, a state.
function drawMap(canvas, states, layout, marks, theme) {
  const ctx = surface(canvas, canvas.clientWidth, canvas.clientHeight, theme);
  for (let index = 0; index < layout.count; index += 1) {
    const state = states[index];
    drawState(ctx, cellBox(layout, index), state, theme, marks.state !== null && marks.state !== state);
  }
  if (marks.lbas) outlineCells(ctx, layout, cellsOf(layout, ...marks.lbas), theme);
  if (marks.hover !== null) outlineCells(ctx, layout, [marks.hover, marks.hover], theme, [1, 2]);
  if (marks.pick) outlineCells(ctx, layout, cellsOf(layout, ...marks.pick), theme, [5, 3]);
}

// A 2 px outline around a range of cells, row by row, set off from them by a line of the background: whole for
// the step's LBAs, dashed for the cell that the viewer picked, dotted for the one under the pointer.
function outlineCells(ctx, layout, range, theme, dashes = []) {
  if (!range) return;
  const [first, last] = range;
  for (let row = Math.floor(first / layout.columns); row <= Math.floor(last / layout.columns); row += 1) {
    const from = cellBox(layout, Math.max(first, row * layout.columns));
    const to = cellBox(layout, Math.min(last, (row + 1) * layout.columns - 1));
    const box = snapped(ctx, { ...from, w: to.x + to.w - from.x });
    frame(ctx, grown(box, CELL_GAP), CELL_GAP + 1, theme.bg);
    if (!dashes.length) frame(ctx, grown(box, CELL_GAP), CELL_GAP, theme.fg);
    else dashedFrame(ctx, grown(box, CELL_GAP / 2), dashes, theme.fg);
  }
}
