// Two runs side by side, as one thing to be played row by row: see views/pair.py for how their steps are aligned.

class Twin {
  constructor(model) {
    this.runs = model.runs.map((run) => new Run(run));
    this.names = model.names;
    this.rows = model.rows;
    this.length = model.rows.length;
    this.differs = model.differs;
    this.lba = model.lba;
    this.unit = "step";
    this.summary = false;
    this.model = { title: model.title, token: model.token, phases: model.stages, timed: false };
    this.steps = this.rows.map(([failing]) => this.runs[0].steps[failing]);
    this.turnsBad = new Set([model.differs, model.breaks]);
    this.rowOf = this.runs.map((run, which) => run.steps.map((_, step) =>
      this.rows.findIndex((row) => row[which] === step)));
    this.lbas = shownLbas(this.runs);
  }

  phaseAt(row) {
    let found = 0;
    this.model.phases.forEach((phase, n) => {
      if (phase.first !== null && phase.first <= row) found = n;
    });
    return found;
  }

  // Whether the run takes no step of its own in this row.
  rests(which, row) {
    return row > 0 && this.rows[row][which] === this.rows[row - 1][which];
  }
}

const MOST_SHOWN = 9;

// The LBAs that have a column: all of a small namespace, else the first ones that get a new version.
function shownLbas(runs) {
  const { blocks } = runs[0].model;
  if (blocks <= MOST_SHOWN) return Array.from({ length: blocks }, (_, lba) => lba);
  const written = runs.flatMap((run) => run.versions.map((one) => one.first));
  return [...new Set(written)].sort((a, b) => a - b).slice(0, MOST_SHOWN);
}

// Columns of rows for the lanes of one run: `page` is that of the rows, `row` the one that is shown.
function lanesOf(twin, which, page, row) {
  const rowOf = twin.rowOf[which];
  const begun = rowOf.findIndex((at) => at >= page.first);
  const first = begun < 0 ? rowOf.length : begun;
  const end = rowOf.findLastIndex((at) => at < page.end) + 1;
  const split = twin.differs > page.first ? (page.x(twin.differs) + page.x(twin.differs - 1)) / 2 : 0;
  const seen = twin.differs >= page.first && twin.differs < page.end;
  return { first, end, x: (step) => page.x(rowOf[step]), now: page.x(row), split: seen ? split : null };
}

// --- the state of one run: its LBAs at the source and at the destination with their versions, and the queue ----------

const LABELS = 84;
const CELL_TOPS = [18, 46];
const CELL = 22;
const SLOTS_TOP = 82;
const SLOT = 20;

function drawHoldings(canvas, twin, which, moment, theme) {
  const run = twin.runs[which];
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ctx = surface(canvas, width, height, theme);
  drawColumns(ctx, run, moment, twin.lbas, width, theme);
  drawSlots(ctx, run, moment, width, theme);
}

function drawColumns(ctx, run, moment, lbas, width, theme) {
  const pitch = Math.min(76, Math.floor((width - LABELS) / lbas.length));
  const touched = run.steps[moment.index].lbas;
  write(ctx, "LBA", 0, 8, theme.muted);
  ["Source", "Destination"].forEach((name, side) => write(ctx, name, 0, CELL_TOPS[side] + CELL / 2, theme.fg));
  lbas.forEach((lba, n) => {
    const x = LABELS + n * pitch;
    write(ctx, `${lba}`, x + 3, 8, theme.muted);
    const story = storyOf(run, moment, lba);
    CELL_TOPS.forEach((y, side) => {
      const state = stateOf(run, moment, side, lba, 1);
      const box = { x: x + 2, y, w: Math.min(CELL, pitch - 20), h: CELL };
      drawState(ctx, box, state, theme);
      const version = side ? story.destination : story.source;
      write(ctx, version === "none yet" ? "–" : version.split(",")[0], box.x + box.w + 5, y + CELL / 2, theme.fg);
      if (touched && lba >= touched[0] && lba < touched[0] + touched[1]) {
        frame(ctx, grown(snapped(ctx, box), 2), 2, theme.fg);
      }
    });
  });
}

// The slots of the Migration Queue in a row, those around its head where there is no room for all.
function drawSlots(ctx, run, moment, width, theme) {
  const room = Math.min(run.slots, Math.floor((width - LABELS - 88) / SLOT));
  const first = run.slots <= room ? 0 : moment.head;
  write(ctx, "Queue", 0, SLOTS_TOP + SLOT / 2, theme.fg);
  ctx.textAlign = "center";
  for (let n = 0; n < room; n += 1) {
    const slot = (first + n) % run.slots;
    const look = slotAt(run, moment, slot);
    const box = snapped(ctx, { x: LABELS + 2 + n * SLOT, y: SLOTS_TOP, w: SLOT - 1, h: SLOT });
    const { fill, line, ink } = theme.states[look.next ? 1 : 2];
    ctx.fillStyle = css(look.waiting ? fill : theme.panel);
    ctx.fillRect(box.x, box.y, box.w, box.h);
    frame(ctx, box, 1, look.waiting ? line : theme.edge);
    write(ctx, `${look.tag}`, box.x + box.w / 2, box.y + box.h / 2 + 1, look.waiting ? ink : theme.muted);
    if (look.posted) frame(ctx, grown(box, 2), 2, theme.fg);
    const ends = `${slot === moment.head ? "H" : ""}${slot === moment.tail ? "T" : ""}`;
    ctx.font = `bold 12px ${theme.font}`;
    write(ctx, ends, box.x + box.w / 2, SLOTS_TOP + SLOT + 9, theme.fg);
    ctx.font = `12px ${theme.font}`;
  }
  ctx.textAlign = "left";
  const used = `${usedOf(run, moment)} of ${run.slots - 1} used`;
  write(ctx, used, LABELS + 2 + room * SLOT + 8, SLOTS_TOP + SLOT / 2, theme.fg);
}

function write(ctx, words, x, y, colour) {
  ctx.fillStyle = css(colour);
  ctx.fillText(words, x, y);
}
