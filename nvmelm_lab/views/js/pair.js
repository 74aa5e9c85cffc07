// A failing and a repaired run, played together: the failing one on the left and above, the repaired one on the right
// and below.  One scrub moves both; a dashed line says from where on they differ.

const PAIR_SIGNS = ["✗", "✓"];
const PAIR_LANES = ["▲ failing", "▼ repaired"];

class Pair extends Screen {
  constructor(host, twin, memory) {
    super(twin, memory, { pane: null, page: 0, pick: null, filter: null, faulty: "" });
    this.cursors = twin.runs.map((run) => new Cursor(run));
    this.show(host);
  }

  build(host) {
    const { run } = this;
    const act = {
      jump: (index) => this.jump(index), move: (by) => this.move(by), copyToken: () => this.copyToken(),
      togglePlay: () => this.play(!this.playing), turnPane: (by) => this.change({ page: this.page + by }),
      togglePane: (name) => this.change({ pane: this.pane === name ? null : name, page: 0 }), clearFilter: () => {},
    };
    this.at = {
      head: buildPhases(run, act), middle: { maps: [] }, halves: run.runs.map((_, which) => buildHalf(run, which)),
      legend: buildGlyphs(), lanes: buildTwoLanes(run), panes: run.runs.map(() => buildPane(act)),
      transport: buildTransport(run, act), gone: make("span", { class: "nvp-gone", role: "status" }),
    };
    const { head, halves, legend, lanes, panes, transport, gone } = this.at;
    head.copy.hidden = !run.model.token;
    transport.clear.closest("label").remove();
    const stage = make("div", { class: "nvp-stage" }, lanes.node,
      make("div", { class: "nvp-two-panes" }, ...panes.map((pane) => pane.node)));
    this.root = make("div", { class: "nvp nvp-pair", tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true",
      "aria-label": `${run.model.title}, a failing and a repaired run, step by step` },
      head.row, make("div", { class: "nvp-halves" }, ...halves.map((half) => half.node)),
      make("div", { class: "nvp-pair-legend" }, legend.row, gone), stage, transport.row);
    transport.speed.value = window.matchMedia(CALM).matches ? "0.25" : "1";
    host.replaceChildren(this.root);
  }

  bind() {
    keepFocus(this);
    bindScrub(this);
    const { signal } = this.stops;
    this.at.lanes.canvases.forEach((canvas, which) => {
      canvas.addEventListener("click", (event) => this.jump(stepAt(this.lanes, event.offsetX)), { signal });
      canvas.addEventListener("pointermove", (event) => {
        const row = stepAt(this.lanes, event.offsetX);
        canvas.title = sentence(this.run.runs[which], this.run.rows[row][which]);
      }, { signal });
    });
  }

  fit() {
    for (const half of this.at.halves) half.verdictForm = null;
  }

  draw() {
    const { run, step } = this;
    const moments = run.rows[step].map((index, which) => this.cursors[which].at(index));
    paintPhases(this, { index: step });
    moments.forEach((moment, which) => paintHalf(this, which, moment));
    paintGlyphs(this);
    if (this.pane) paintTwoPanes(this, moments);
    else paintTwoLanes(this, moments);
    paintTransport(this, { index: step });
    setText(this.at.gone, this.faulty || this.gone);
  }
}

// --- the DOM ----------------------------------------------------------------------------------------------------

// What stands of one run above the lanes.  It has what `paintVerdicts` asks of a player.
function buildHalf(twin, which) {
  const canvas = make("canvas", { class: "nvp-canvas", role: "img" });
  const said = Object.fromEntries(["place", "when", "text", "note"].map((name) =>
    [name, make("span", { class: `nvp-say-${name}` })]));
  const say = make("p", { class: "nvp-say", "aria-live": "polite" }, ...Object.values(said));
  const parts = { known: make("span"), entry: make("span") };
  const detail = make("p", { class: "nvp-detail-line" }, parts.known, parts.entry);
  const verdicts = make("div", { class: "nvp-verdicts", ...LIVE, "aria-label": `Properties, ${twin.names[which]}` });
  const sign = make("span", { class: "nvp-verdict-sign", "aria-hidden": "true" }, PAIR_SIGNS[which]);
  const head = make("div", { class: `nvp-half-head ${which ? "nvp-good" : "nvp-bad"}` }, sign, twin.names[which]);
  const node = make("section", { class: "nvp-half", "aria-label": twin.names[which] }, head, say,
    make("div", { class: "nvp-holdings" }, canvas), detail, verdicts);
  return { node, canvas, say, said, parts, run: twin.runs[which], gone: "",
    at: { verdicts, gone: make("span") }, verdictForm: null };
}

function buildGlyphs() {
  const canvases = WORDS.map(() => make("canvas", { class: "nvp-glyph", "aria-hidden": "true" }));
  const items = WORDS.map((word, state) => make("span", { class: "nvp-key" }, canvases[state], word));
  return { row: make("div", { class: "nvp-glyphs", role: "group", "aria-label": "Signs of states" }, ...items), canvases };
}

function buildTwoLanes(twin) {
  const canvases = twin.names.map((name) => make("canvas", { class: "nvp-canvas", role: "img", "aria-label": name }));
  const names = twin.runs.map(({ model }) => model.lanes.map((lane) =>
    make("div", { class: "nvp-lane" }, make("span", {}, lane))));
  const [now, split] = [make("span", { class: "nvp-now" }), make("span", { class: "nvp-split" }, "different from here on")];
  const strip = make("div", { class: "nvp-strip", "aria-hidden": "true" }, split, now);
  const titles = names.map((nodes) => make("div", { class: "nvp-names" }, ...nodes));
  const boxes = canvases.map((canvas) => make("div", { class: "nvp-lane-box" }, canvas));
  const which = make("div", { class: "nvp-which" }, ...PAIR_LANES.map((words) => make("span", {}, words)));
  const node = make("div", { class: "nvp-lanes" }, titles[0], boxes[0], which, strip, titles[1], boxes[1]);
  return { node, canvases, names, strip, now, split };
}

// --- painting ---------------------------------------------------------------------------------------------------

function paintHalf(pair, which, moment) {
  const { run: twin, step, theme, playing } = pair;
  const half = pair.at.halves[which];
  const rests = twin.rests(which, step);
  const words = sentenceParts(half.run, moment.index);
  if (rests) words.place = `After step ${moment.index + 1} of ${half.run.length}`;
  half.say.classList.toggle("nvp-rests", rests);
  half.say.setAttribute("aria-live", playing ? "off" : "polite");
  for (const [name, text] of Object.entries(words)) setText(half.said[name], text);
  half.say.classList.remove("nvp-dense");
  if (half.say.scrollHeight > half.say.clientHeight + 1) half.say.classList.add("nvp-dense");
  drawHoldings(half.canvas, twin, which, moment, theme);
  const [known, entry, risky] = detailParts({ run: half.run }, moment, [twin.lba, 1]);
  setText(half.parts.known, known);
  setText(half.parts.entry, entry);
  half.parts.entry.classList.toggle("nvp-risk", risky);
  paintVerdicts(half, moment);
  if (!playing) half.canvas.setAttribute("aria-label", `${known}${entry}. ${queueLine(half.run, moment)}`);
}

function paintGlyphs({ at, theme }) {
  at.legend.canvases.forEach((canvas, state) => {
    drawState(surface(canvas, 16, 16, theme), { x: 1, y: 1, w: 14, h: 14 }, state, theme);
  });
}

function paintTwoLanes(pair, moments) {
  const { at, run: twin, step, theme } = pair;
  at.lanes.node.classList.remove("nvp-away");
  at.panes.forEach(({ node }) => node.classList.add("nvp-away"));
  pair.lanes = lanePage(twin, step, at.lanes.canvases[0].clientWidth, false);
  moments.forEach((moment, which) => {
    const run = twin.runs[which];
    drawLanes(at.lanes.canvases[which], run, moment, lanesOf(twin, which, pair.lanes, step), null, theme);
    const acting = twin.rests(which, step) ? -1 : run.steps[moment.index].lane;
    at.lanes.names[which].forEach((node, lane) => node.classList.toggle("nvp-acting", lane === acting));
    const told = `${twin.names[which]}: ${run.steps[moment.index].actor} acts. ${causeLine(run, moment.index)}`;
    if (!pair.playing) at.lanes.canvases[which].setAttribute("aria-label", told);
  });
  paintTwoLabels(pair);
}

// The numbers of the steps at the cursor, and what the dashed line means, beside it or where there is room.
function paintTwoLabels({ at, run: twin, lanes, step }) {
  const { now, split, strip } = at.lanes;
  const [failing, repaired] = twin.rows[step].map((index) => index + 1);
  setText(now, failing === repaired ? `${failing}` : `${failing} / ${repaired}`);
  const room = strip.clientWidth;
  const left = within(lanes.x(step) - now.offsetWidth / 2, now.offsetWidth, room);
  now.style.left = `${left}px`;
  const line = lanesOf(twin, 0, lanes, step).split;
  split.hidden = line === null;
  if (line === null) return;
  const width = split.offsetWidth;
  const [nowLeft, nowRight] = [left - 6, left + now.offsetWidth + 6];
  const free = (x) => x >= 0 && x + width <= room && (x + width <= nowLeft || x >= nowRight);
  split.style.left = `${[line + 4, line - 4 - width, nowRight, nowLeft - width].find(free) ?? 0}px`;
}

function paintTwoPanes(pair, moments) {
  const { at, run: twin, pane } = pair;
  at.lanes.node.classList.add("nvp-away");
  const pages = moments.map((moment, which) => {
    at.panes[which].node.classList.remove("nvp-away");
    const filled = pane === "help" ? PAIR_HELP[which] : PANES[pane](twin.runs[which], moment);
    const title = pane === "help" ? filled.title : [twin.names[which], filled.title].filter(Boolean).join(": ");
    return fillPane(at.panes[which], { ...filled, title }, pair.page);
  });
  pair.page = Math.min(pair.page, Math.max(...pages) - 1);
}

const PAIR_HELP = [
  {
    kind: "help",
    title: "Keys",
    rows: [
      ["← →", "one step back, forward"],
      ["Shift ← →", "ten steps"],
      ["Home, End", "first, last step"],
      ["Page Up, Down", "part before, next part"],
      ["Space", "play, pause"],
      ["Tab", "next region"],
      ["Esc", "close, leave the region, the player"],
    ],
  },
  {
    kind: "help",
    title: "Signs",
    rows: [
      ["dashed line", "from here on the runs differ"],
      ["gap in the lanes", "the other run takes a step"],
      ["two bars", "the step posts an entry"],
      ["hollow block", "a step still to come"],
      ["× in a cell", "the destination lacks the last write"],
      ["H, T", "head: read next; tail: filled next"],
    ],
  },
];
