// The lanes: one row an actor, one mark a step.  They show a page of steps; the cursor walks across it and the page
// turns at its end, so nothing slides while it plays.  Each step has a column of its own, which is why the arrow
// from the cause can run down that column and along the gap between two lanes without crossing a mark.

const MARK = 12;
const MARK_PITCH = 16;

// The steps on show: `first` to `end`, and the x of each; of a run beside another also `now`, where the cursor stands,
// and `split`, from where on they differ.  A quarter of the page at least lies on either side of
// the step, so that what led here and what comes next are both seen.
function lanePage(run, index, width, byTime) {
  const room = Math.max(8, Math.floor(width / MARK_PITCH));
  if (room >= run.length) return columnsFor(run, 0, run.length, width, byTime);
  const stride = Math.floor(room / 2);
  const first = Math.floor(index / stride) * stride - Math.floor(room / 4);
  const shown = Math.min(Math.max(0, first), run.length - room);
  return columnsFor(run, shown, shown + room, width, byTime);
}

function columnsFor(run, first, end, width, byTime) {
  const pitch = Math.min(width / (end - first), 3 * MARK_PITCH);
  const [from, to] = [run.steps[first].t, run.steps[end - 1].t];
  const x = byTime && to > from
    ? (index) => MARK_PITCH / 2 + ((run.steps[index].t - from) / (to - from)) * (width - MARK_PITCH)
    : (index) => (index - first + 0.5) * pitch;
  return { first, end, x };
}

// The state that a step is marked with: "changed" for one that changes the source, else the worst that it brings
// about; null for a step that changes no LBA.
function markOf(step) {
  const states = [...(step.source || []), ...(step.destination || [])].map((run) => run[2]);
  if (states.includes(CHANGED)) return CHANGED;
  return states.length ? states.reduce((worst, state) => (RANK[state] > RANK[worst] ? state : worst)) : null;
}

function drawLanes(canvas, run, moment, page, filter, theme) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ctx = surface(canvas, width, height, theme);
  const pitch = height / run.model.lanes.length;
  const boxOf = (index) => ({
    x: page.x(index) - MARK / 2, y: (run.steps[index].lane + 0.5) * pitch - MARK / 2, w: MARK, h: MARK,
  });
  drawGround(ctx, run, page, width, height, pitch, theme);
  const now = page.now ?? page.x(moment.index);
  ctx.fillStyle = css(theme.accent);
  ctx.fillRect(ctx.snap(now) - 1, 0, 2, height);
  for (let index = page.first; index < page.end; index += 1) {
    if (index === moment.index) continue;
    drawMark(ctx, run.steps[index], boxOf(index), index > moment.index, filter && !filter.set.has(index), theme);
  }
  const cause = run.steps[moment.index].cause ?? null;
  const box = snapped(ctx, boxOf(moment.index));
  if (cause !== null) {
    const lanes = { from: run.steps[cause].lane, to: run.steps[moment.index].lane };
    drawArrow(ctx, boxOf(cause), box, lanes, pitch, cause >= page.first, theme);
  }
  ctx.fillStyle = css(theme.bg);
  ctx.fillRect(box.x - 2, box.y - 2, box.w + 4, box.h + 4);
  drawMark(ctx, run.steps[moment.index], box, false, false, theme);
  frame(ctx, grown(box, 3), 2, theme.fg);
}

// Lines between lanes, and a dotted one where a phase begins; of a run beside another, a dashed one where they part.
function drawGround(ctx, run, page, width, height, pitch, theme) {
  ctx.fillStyle = css(theme.hair);
  for (let lane = 1; lane < run.model.lanes.length; lane += 1) ctx.fillRect(0, ctx.snap(lane * pitch), width, 1);
  if ((page.split ?? null) !== null) drawSplit(ctx, ctx.snap(page.split), height, theme);
  if (page.now !== undefined) return;
  ctx.strokeStyle = css(theme.edge);
  ctx.lineWidth = 1;
  ctx.setLineDash([1, 4]);
  for (const { first } of run.model.phases) {
    if (first === null || first <= page.first || first >= page.end) continue;
    const x = ctx.snap((page.x(first) + page.x(first - 1)) / 2) + 0.5;
    ctx.beginPath();
    ctx.moveTo(x, 0);
    ctx.lineTo(x, height);
    ctx.stroke();
  }
  ctx.setLineDash([]);
}

// Where one of two runs begins to differ from the other.
function drawSplit(ctx, x, height, theme) {
  ctx.fillStyle = css(theme.risk);
  for (let y = 0; y < height; y += 9) ctx.fillRect(x - 1, y, 2, 6);
}

// A mark: the state that the step brings about, a plain block for other steps, two bars where an entry is posted.
// Steps to come are hollow; those that the filter leaves out are a dot.
function drawMark(ctx, step, where, later, out, theme) {
  const box = snapped(ctx, where);
  const state = markOf(step);
  if (out) {
    ctx.fillStyle = css(theme.edge);
    ctx.fillRect(box.x + box.w / 2 - 1, box.y + box.h / 2 - 1, 2, 2);
  } else if (later) {
    frame(ctx, grown(box, -1), 1, theme.edge);
  } else if (step.entry) {
    ctx.fillStyle = css(theme.muted);
    ctx.fillRect(box.x, box.y, box.w, box.h);
    ctx.fillStyle = css(theme.bg);
    for (const share of [0.25, 0.6]) ctx.fillRect(box.x + 2, ctx.snap(box.y + box.h * share), box.w - 4, 2);
  } else if (state !== null && state !== DEALLOCATED) {
    drawState(ctx, box, state, theme);
  } else {
    ctx.fillStyle = css(theme.muted);
    ctx.fillRect(box.x, box.y, box.w, box.h);
  }
}

// From the cause into a gap at least one lane away from the target, along it, and down (or up) the target's own
// column, which no other mark stands in.  A cause on an earlier page enters from the left edge.
function drawArrow(ctx, from, to, lanes, pitch, onPage, theme) {
  const up = lanes.to < lanes.from || (lanes.to === lanes.from && lanes.to === 0);
  const gap = ctx.snap(gapLane(lanes, up) * pitch);
  const [start, end] = [onPage ? from.x + from.w / 2 : 0, to.x + to.w / 2];
  const leave = gap > from.y ? from.y + from.h : from.y;
  const tip = up ? to.y + to.h + 4 : to.y - 4;
  ctx.strokeStyle = ctx.fillStyle = css(theme.fg);
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(start, onPage ? leave : gap);
  if (onPage) ctx.arcTo(start, gap, end, gap, Math.min(4, Math.abs(end - start) / 2));
  ctx.arcTo(end, gap, end, tip, Math.min(4, Math.abs(end - start) / 2));
  ctx.lineTo(end, tip);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(end, tip);
  ctx.lineTo(end - 4, tip + (up ? 6 : -6));
  ctx.lineTo(end + 4, tip + (up ? 6 : -6));
  ctx.fill();
}

// The gap, counted in lanes from the top, that leaves the arrow head a whole lane to come in by.
function gapLane({ from, to }, up) {
  if (from === to) return up ? to + 2 : to - 1;
  const apart = Math.abs(to - from) > 1;
  return up ? from + (apart ? 0 : 1) : from + (apart ? 1 : 0);
}

// The step whose column lies nearest to the point.
function stepAt(page, x) {
  let best = page.first;
  for (let index = page.first; index < page.end; index += 1) {
    if (Math.abs(page.x(index) - x) < Math.abs(page.x(best) - x)) best = index;
  }
  return best;
}
