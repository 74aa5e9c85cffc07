// The Migration Queue as a ring of at most 32 slots; a longer queue shows the 32 around its head.

const RING_MOST = 32;

function ringWindow(run, moment) {
  if (run.slots <= RING_MOST) return { first: 0, count: run.slots };
  const half = RING_MOST / 2;
  return { first: Math.floor(moment.head / half) * half, count: RING_MOST };
}

// What is drawn of a slot: phase tag, whether an entry waits in it, whether it is read next or was just posted.
function slotAt(run, moment, slot) {
  const index = moment.slotStep[slot];
  const entry = index < 0 ? null : run.steps[index].entry;
  const ahead = (slot - moment.head + run.slots) % run.slots;
  const waiting = ahead < usedOf(run, moment);
  return {
    tag: run.summary ? "" : entry ? entry[1] : 0,
    waiting,
    next: waiting && ahead === 0,
    posted: index === moment.index,
    marker: entry && entry[2] !== 0 && waiting ? entry[3] || MARKERS[entry[2]] : "",
  };
}

function drawRing(canvas, run, moment, theme) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ctx = surface(canvas, width, height, theme);
  ctx.translate(width / 2, height / 2);
  ctx.textAlign = "center";
  const outer = Math.min(width, height) / 2 - 21;
  const ring = { ...ringWindow(run, moment), outer, inner: outer - 19 };
  let marker = "";
  drawRims(ctx, ring, theme);
  for (let n = 0; n < ring.count; n += 1) {
    const slot = slotAt(run, moment, (ring.first + n) % run.slots);
    marker = slot.marker || marker;
    drawSlot(ctx, ring, n, slot, theme);
  }
  for (let n = 0; n < ring.count; n += 1) {
    if (slotAt(run, moment, (ring.first + n) % run.slots).posted) outlineSlot(ctx, ring, n, theme);
  }
  drawEnds(ctx, ring, run, moment, theme);
  drawCentre(ctx, ring, run, moment, marker, theme);
}

function drawRims(ctx, ring, theme) {
  ctx.lineWidth = 1;
  ctx.strokeStyle = css(theme.edge);
  for (const radius of [ring.outer + 0.5, ring.inner - 0.5]) {
    ctx.beginPath();
    ctx.arc(0, 0, radius, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

function slotAngle(ring, n) {
  return (2 * Math.PI * n) / ring.count - Math.PI / 2;
}

function slotPath(ctx, ring, n) {
  const [from, to] = [slotAngle(ring, n) + 0.012, slotAngle(ring, n + 1) - 0.012];
  ctx.beginPath();
  ctx.arc(0, 0, ring.outer, from, to);
  ctx.arc(0, 0, ring.inner, to, from, true);
  ctx.closePath();
}

function drawSlot(ctx, ring, n, slot, theme) {
  const look = slot.next ? theme.states[1] : slot.waiting ? theme.states[2] : theme.states[0];
  slotPath(ctx, ring, n);
  ctx.fillStyle = css(slot.waiting ? look.fill : theme.panel);
  ctx.fill();
  ctx.lineWidth = 1;
  ctx.strokeStyle = css(slot.waiting ? look.line : theme.hair);
  ctx.stroke();
  const middle = slotAngle(ring, n + 0.5);
  const radius = (ring.outer + ring.inner) / 2;
  ctx.fillStyle = css(slot.waiting ? look.ink : theme.muted);
  ctx.fillText(slot.tag, Math.cos(middle) * radius, Math.sin(middle) * radius + 1);
}

function outlineSlot(ctx, ring, n, theme) {
  slotPath(ctx, { ...ring, outer: ring.outer + 1.5, inner: ring.inner - 1.5 }, n);
  ctx.lineWidth = 2;
  ctx.strokeStyle = css(theme.fg);
  ctx.stroke();
}

// Head and tail as arrow heads with a letter outside the ring; side by side when they meet.
function drawEnds(ctx, ring, run, moment, theme) {
  const meet = moment.head === moment.tail ? 0.15 : 0;
  drawEnd(ctx, ring, (moment.head - ring.first + run.slots) % run.slots, -meet, "H", theme);
  drawEnd(ctx, ring, (moment.tail - ring.first + run.slots) % run.slots, meet, "T", theme);
}

function drawEnd(ctx, ring, n, turn, letter, theme) {
  if (n >= ring.count) return;
  ctx.save();
  const angle = slotAngle(ring, n + 0.5) + turn;
  ctx.rotate(angle);
  ctx.fillStyle = css(theme.fg);
  ctx.beginPath();
  ctx.moveTo(ring.outer + 2, 0);
  ctx.lineTo(ring.outer + 8.5, -4.5);
  ctx.lineTo(ring.outer + 8.5, 4.5);
  ctx.fill();
  ctx.translate(ring.outer + 15, 0);
  ctx.rotate(-angle);
  ctx.font = `bold 12px ${theme.font}`;
  ctx.fillText(letter, 0, 1);
  ctx.restore();
}

function drawCentre(ctx, ring, run, moment, marker, theme) {
  const lines = [...fitting(ctx, marker, 2 * ring.inner - 18)];
  const top = lines.length ? -9 * lines.length - 2 : 0;
  ctx.fillStyle = css(theme.muted);
  ctx.fillText("used", 0, top - 10);
  ctx.fillStyle = css(theme.fg);
  ctx.font = `bold 15px ${theme.font}`;
  ctx.fillText(`${usedOf(run, moment)} of ${run.slots - 1}`, 0, top + 8);
  ctx.font = `12px ${theme.font}`;
  lines.forEach((line, n) => ctx.fillText(line, 0, top + 29 + 15 * n));
}

// The marker's word in one line or two, or its ordinary short name where it is too long for the ring.
function fitting(ctx, words, width) {
  if (!words) return [];
  const wide = (text) => ctx.measureText(text).width > width;
  if (!wide(words)) return [words];
  const parts = words.split(" ");
  const half = Math.ceil(parts.length / 2);
  const lines = [parts.slice(0, half).join(" "), parts.slice(half).join(" ")];
  return lines.some(wide) ? ["marker"] : lines;
}
