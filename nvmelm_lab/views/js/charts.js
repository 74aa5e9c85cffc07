// What stands in place of the lanes in a summary: a chart for each counter, all frames wide, with its level at the
// frame and the highest of the run beside it.  A level holds until the next frame.  Up to the frame the chart is
// filled; what is still to come is a thin line.

const CHART_INSET = 5; // px left and right, so that the cursor is whole at both ends
const DOT = 3; // px, the radius of the mark on a level; its halo is wider by one

// Columns of words beside the charts.  A hidden copy of the longest word keeps each as wide, whatever it shows.
function buildLevels(run) {
  const shown = run.model.counters.map((one, n) => {
    const words = run.steps.map((step) => amountParts(step.counts[n], one));
    const longest = words.reduce((most, parts) => (parts[0].length > most[0].length ? parts : most));
    const spans = ([number, unit]) => [make("span", {}, number), make("span", { class: "nvp-unit" }, unit)];
    const now = make("span", { class: "nvp-level-now" }, ...spans(longest));
    const copy = make("span", { class: "nvp-level-copy", "aria-hidden": "true" }, ...spans(longest));
    return { now, node: make("div", { class: "nvp-level" }, copy, now) };
  });
  const tops = run.model.counters.map((one, n) =>
    make("div", { class: "nvp-level nvp-level-top" }, amount(run.highest[n], one)));
  return {
    now: shown.map(({ now }) => now.firstChild),
    levels: make("div", { class: "nvp-levels" }, ...shown.map(({ node }) => node)),
    tops: make("div", { class: "nvp-levels nvp-tops" }, ...tops),
    heads: ["now", "highest"].map((word) => make("span", { class: `nvp-level-head nvp-head-${word}` }, word)),
  };
}

// All frames, and the x of each.
function chartPage(run, width, byTime) {
  const room = width - 2 * CHART_INSET;
  const last = run.length - 1;
  const [from, to] = [run.steps[0].t, run.steps[last].t];
  const share = byTime && to > from
    ? (index) => (run.steps[index].t - from) / (to - from)
    : (index) => index / Math.max(1, last);
  return { first: 0, end: run.length, x: (index) => CHART_INSET + share(index) * room };
}

function paintCharts(player, moment) {
  const { at, run, theme } = player;
  const { canvas, levels } = at.lanes;
  player.sheets = sheetsFor(player);
  player.lanes = player.sheets.page;
  drawCharts(canvas, player.sheets, moment.index, player.filter, theme);
  const { counters } = run.model;
  const { counts } = run.steps[moment.index];
  counts.forEach((level, n) => setText(levels.now[n], amountParts(level, counters[n])[0]));
  if (player.playing) return;
  const told = counts.map((level, n) => `${counters[n].name} ${amount(level, counters[n])}`).join(", ");
  canvas.setAttribute("aria-label", `Counters: ${told}`);
}

// The charts in both looks, drawn once for a size, an axis and a theme: thousands of lines are too many to draw at
// every move.  What is shown of a frame is the left part of one sheet and the right part of the other.
function sheetsFor({ at, run, byTime, theme, sheets }) {
  const { clientWidth: width, clientHeight: height } = at.lanes.canvas;
  const made = { width, height, byTime, theme, ratio: window.devicePixelRatio };
  if (sheets && Object.keys(made).every((name) => sheets[name] === made[name])) return sheets;
  const page = chartPage(run, width, byTime);
  const pitch = height / run.highest.length;
  const bases = run.highest.map((_, n) => Math.round((n + 1) * pitch) - DOT - 1);
  const ys = run.highest.map((top, n) => (index) =>
    bases[n] - (run.steps[index].counts[n] / Math.max(1, top)) * (pitch - 2 * DOT - 1));
  const draw = (look) => {
    const sheet = document.createElement("canvas");
    const ctx = surface(sheet, width, height, theme);
    drawGround(ctx, run, page, width, height, pitch, theme);
    ys.forEach((y, n) => drawChart(ctx, page, y, bases[n], look));
    return sheet;
  };
  const past = draw({ area: mix(theme.panel, theme.accent, 0.3), line: theme.accent, width: 1.5 });
  const later = draw({ line: theme.muted, width: 1 });
  return { ...made, page, ys, past, later };
}

function drawChart(ctx, page, y, base, look) {
  ctx.beginPath();
  ctx.moveTo(page.x(0), y(0));
  for (let index = 1; index < page.end; index += 1) {
    ctx.lineTo(page.x(index), y(index - 1));
    ctx.lineTo(page.x(index), y(index));
  }
  ctx.strokeStyle = css(look.line);
  ctx.lineWidth = look.width;
  ctx.stroke();
  if (!look.area) return;
  ctx.lineTo(page.x(page.end - 1), base);
  ctx.lineTo(page.x(0), base);
  ctx.globalCompositeOperation = "destination-over";
  ctx.fillStyle = css(look.area);
  ctx.fill();
  ctx.globalCompositeOperation = "source-over";
}

function drawCharts(canvas, { page, ys, past, later, width, height }, index, filter, theme) {
  const ctx = surface(canvas, width, height, theme);
  const now = ctx.snap(page.x(index));
  const cut = now * (past.width / width);
  if (cut > 0) ctx.drawImage(past, 0, 0, cut, past.height, 0, 0, now, height);
  if (cut < later.width) {
    ctx.drawImage(later, cut, 0, later.width - cut, later.height, now, 0, width - now, height);
  }
  if (filter) drawTicks(ctx, page, filter, theme);
  ctx.fillStyle = css(theme.accent);
  ctx.fillRect(now - 1, 0, 2, height);
  for (const y of ys) drawDot(ctx, now, y(index), theme);
}

// Where the frames are that the filter lets through.
function drawTicks(ctx, page, filter, theme) {
  ctx.fillStyle = css(theme.fg);
  for (const index of filter.steps) ctx.fillRect(ctx.snap(page.x(index)) - 1, 0, 2, 5);
}

function drawDot(ctx, x, y, theme) {
  for (const [radius, colour] of [[DOT + 1, theme.bg], [DOT, theme.fg]]) {
    ctx.fillStyle = css(colour);
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fill();
  }
}
