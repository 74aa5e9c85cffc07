// Colours of the host's theme, crisp canvases, and the one drawing of each state that maps, legend and lanes share.

// Fills of the visual language; outline and ink are derived for the background at hand.
const FILLS = ["", "#0072B2", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7"];
const WHITE = [255, 255, 255];
const BLACK = [0, 0, 0];
const TEXT_CONTRAST = 4.6;
const SHAPE_CONTRAST = 3.1;

const swatch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

// Any CSS colour as [r, g, b], laid over `under` where it is translucent.
function rgb(colour, under = WHITE) {
  swatch.canvas.width = swatch.canvas.height = 1;
  swatch.fillStyle = `rgb(${under.join(",")})`;
  swatch.fillRect(0, 0, 1, 1);
  swatch.fillStyle = colour;
  swatch.fillRect(0, 0, 1, 1);
  return [...swatch.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function luminance(colour) {
  const [r, g, b] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function mix(one, other, share) {
  return one.map((part, n) => Math.round(part * (1 - share) + other[n] * share));
}

// The colour itself, or the nearest one on its way to black or white that stands out from `against` by `ratio`.
function standOut(colour, against, ratio) {
  const goal = luminance(against) > 0.18 ? BLACK : WHITE;
  for (let share = 0; share < 1; share += 0.04) {
    const found = mix(colour, goal, share);
    if (contrast(found, against) >= ratio) return found;
  }
  return goal;
}

// White where it stands out and black does not do so by much more: a glyph in white looks lighter than it measures.
function inkOn(fill) {
  const [white, black] = [contrast(fill, WHITE), contrast(fill, BLACK)];
  return white >= SHAPE_CONTRAST && white * 1.7 > black ? WHITE : [20, 20, 20];
}

const css = (colour) => `rgb(${colour.join(",")})`;

// The theme at this moment.  The style sheet resolves the host's variables; here they become colours that are sure
// to be readable, and go back to the style sheet as --nvp-... variables, so that DOM and canvas agree.
function readTheme(root) {
  const style = getComputedStyle(root);
  const given = (name) => style.getPropertyValue(name).trim();
  const bg = rgb(given("--nvp-given-bg") || "white");
  const fg = standOut(rgb(given("--nvp-given-fg") || "black", bg), bg, 9);
  const accent = standOut(rgb(given("--nvp-given-accent") || "#1976d2", bg), bg, TEXT_CONTRAST);
  const theme = {
    bg, fg, accent,
    dark: luminance(bg) < 0.18,
    panel: mix(bg, fg, 0.035),
    hair: mix(bg, fg, 0.14),
    edge: standOut(mix(bg, fg, 0.35), bg, SHAPE_CONTRAST),
    muted: standOut(mix(fg, bg, 0.35), mix(bg, fg, 0.05), TEXT_CONTRAST),
    onAccent: contrast(accent, WHITE) >= TEXT_CONTRAST ? WHITE : BLACK,
    risk: standOut(rgb("#D55E00"), bg, TEXT_CONTRAST),
    good: standOut(rgb("#009E73"), bg, TEXT_CONTRAST),
    open: standOut(rgb("#E69F00"), bg, TEXT_CONTRAST),
    font: style.fontFamily,
  };
  theme.states = FILLS.map((name) => {
    if (!name) return { fill: bg, line: theme.edge, ink: theme.muted };
    const fill = rgb(name);
    return { fill, line: standOut(fill, bg, SHAPE_CONTRAST), ink: inkOn(fill) };
  });
  for (const name of ["bg", "fg", "accent", "panel", "hair", "edge", "muted", "onAccent", "risk", "good", "open"]) {
    root.style.setProperty(`--nvp-${name}`, css(theme[name]));
  }
  root.style.colorScheme = theme.dark ? "dark" : "light";
  return theme;
}

// A canvas context of the given size in CSS pixels, cleared, sharp at any pixel ratio; `snap` finds device pixels.
function surface(canvas, width, height, theme) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = `12px ${theme.font}`;
  ctx.textBaseline = "middle";
  ctx.lineJoin = ctx.lineCap = "round";
  ctx.snap = (value) => Math.round(value * ratio) / ratio;
  return ctx;
}

function snapped(ctx, { x, y, w, h }) {
  const [left, top] = [ctx.snap(x), ctx.snap(y)];
  return { x: left, y: top, w: ctx.snap(x + w) - left, h: ctx.snap(y + h) - top };
}

// A frame of `width` around the inside edge of the box, as four bars: sharp where a stroke would blur.
function frame(ctx, box, width, colour) {
  const { x, y, w, h } = box;
  ctx.fillStyle = css(colour);
  ctx.fillRect(x, y, w, width);
  ctx.fillRect(x, y + h - width, w, width);
  ctx.fillRect(x, y + width, width, h - 2 * width);
  ctx.fillRect(x + w - width, y + width, width, h - 2 * width);
}

function dashedFrame(ctx, { x, y, w, h }, dashes, colour) {
  ctx.strokeStyle = css(colour);
  ctx.lineWidth = 2;
  ctx.lineCap = "butt";
  ctx.setLineDash(dashes);
  ctx.strokeRect(x, y, w, h);
  ctx.setLineDash([]);
  ctx.lineCap = "round";
}

function grown(box, by) {
  return { x: box.x - by, y: box.y - by, w: box.w + 2 * by, h: box.h + 2 * by };
}

// One cell in its state: fill, outline, glyph.  `faint` for what a filter leaves out.
function drawState(ctx, where, state, theme, faint = false) {
  const box = snapped(ctx, where);
  const { fill, line, ink } = theme.states[state];
  ctx.globalAlpha = faint ? 0.22 : 1;
  if (state === DEALLOCATED) {
    ctx.strokeStyle = css(line);
    ctx.lineWidth = 1;
    ctx.setLineDash([2, 3]);
    ctx.strokeRect(box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1);
    ctx.setLineDash([]);
  } else {
    ctx.fillStyle = css(fill);
    ctx.fillRect(box.x, box.y, box.w, box.h);
    frame(ctx, box, state === LOST ? 2 : 1, state === LOST ? theme.fg : line);
    drawGlyph(ctx, box, state, ink);
  }
  ctx.globalAlpha = 1;
}

// Glyphs live in a square of -4 .. 4 around the cell's middle and grow a little with it.
const GLYPHS = {
  2: [[[-4, 3], [-0.5, -3]], [[0.5, 3], [4, -3]]],
  3: [[[-3.5, 0], [3.5, 0]], [[0.5, -3], [3.5, 0], [0.5, 3]]],
  4: [[[-3.5, 0.3], [-1, 2.8], [3.5, -2.6]]],
  5: [[[-2.8, -2.8], [2.8, 2.8]], [[2.8, -2.8], [-2.8, 2.8]]],
};

function drawGlyph(ctx, box, state, ink) {
  if (!(state in GLYPHS) && state !== 6) return;
  const size = Math.min(1.5, Math.min(box.w, box.h) / 13);
  ctx.save();
  ctx.translate(box.x + box.w / 2, box.y + box.h / 2);
  ctx.scale(size, size);
  ctx.strokeStyle = css(ink);
  ctx.lineWidth = state === LOST ? 2.2 : 1.7;
  ctx.beginPath();
  if (state === 6) ctx.arc(0, 0, 2.7, 0, 2 * Math.PI);
  for (const line of GLYPHS[state] || []) line.forEach(([x, y], n) => (n ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.stroke();
  ctx.restore();
}
