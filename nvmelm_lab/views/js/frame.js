// The player's DOM: every region of the screen, made once.  What it shows is filled in by player.js.

const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  forward: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
};

const LIVE = { role: "group", "aria-label": "Properties", "aria-live": "polite" };

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": true })) {
    svg.setAttribute(key, value);
  }
  const path = svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
  path.setAttribute("fill-rule", "evenodd");
  path.setAttribute("fill", "currentColor");
  path.setAttribute("d", ICONS[name]);
  return svg;
}

function button(label, act, ...children) {
  const attributes = { type: "button", class: "nvp-button", "aria-label": label, title: label, onclick: act };
  return make("button", attributes, ...children);
}

// A group of controls that is one stop for Tab; arrows move inside it.
function toolbar(name, label, ...children) {
  children.filter((child) => child.tagName === "BUTTON").forEach((child, n) => { child.tabIndex = n ? -1 : 0; });
  return make("div", { class: `nvp-bar nvp-${name}`, role: "toolbar", "aria-label": label }, ...children);
}

function buildPhases(run, act) {
  const phases = run.model.phases.map((phase, n) => {
    const node = make("button", { type: "button", class: "nvp-phase", onclick: () => act.jump(phase.first) },
      make("span", { class: "nvp-phase-sign", "aria-hidden": "true" }, `${n + 1}`), make("span", {}, phase.name));
    node.disabled = phase.first === null;
    return node;
  });
  const copy = button("Copy token", act.copyToken, "Copy token");
  copy.classList.add("nvp-copy");
  const row = make("div", { class: "nvp-head" }, toolbar("phases", "Phases", ...phases), copy);
  return { row, phases, copy };
}

function buildSentence(run) {
  const parts = Object.fromEntries(["place", "when", "text", "note"].map((name) =>
    [name, make("span", { class: `nvp-say-${name}` })]));
  const say = make("p", { class: "nvp-say", "aria-live": "polite" }, ...Object.values(parts));
  const seed = make("span", { class: "nvp-seed" }, `seed ${run.model.seed}`);
  return { row: make("div", { class: "nvp-sentence" }, say, seed), say, parts };
}

function buildMap(run, side) {
  const { name } = side ? run.model.destination : run.model.source;
  const canvas = make("canvas", { class: "nvp-canvas", role: "img" });
  const caption = make("span", { class: "nvp-caption" });
  const box = make("div", { class: "nvp-map-box", tabindex: "0", role: "group", "aria-label": name }, canvas);
  const head = make("div", { class: "nvp-map-head" }, make("strong", {}, name), caption);
  return { node: make("div", { class: `nvp-map nvp-map-${side}` }, head, box), canvas, head, caption, box, name };
}

function buildMiddle(run, act) {
  const maps = [buildMap(run, 0), buildMap(run, 1)];
  const ring = make("canvas", { class: "nvp-canvas", role: "img" });
  const ends = make("div", { class: "nvp-ends" });
  const queue = make("div", { class: "nvp-queue" },
    make("div", { class: "nvp-map-head" }, make("strong", {}, "Migration Queue")),
    make("div", { class: "nvp-ring-box" }, ring), ends);
  const parts = { known: make("span"), entry: make("span") };
  const detail = make("span", { class: "nvp-detail-line", "aria-live": "polite" }, parts.known, parts.entry);
  const only = button(`Show only the ${run.unit}s that touch it`, act.onlyPicked, `Its ${run.unit}s`);
  const out = button("Back to the whole namespace", act.zoomOut, "Whole");
  const row = make("div", { class: "nvp-middle" }, maps[0].node, queue, maps[1].node,
    make("div", { class: "nvp-detail" }, detail, out, only));
  return { row, maps, ring, ends, detail, parts, only, out };
}

function buildLegend(run, act) {
  const digits = Math.min(4, `${run.model.blocks}`.length);
  const items = WORDS.map((word, state) => {
    const canvas = make("canvas", { class: "nvp-glyph", "aria-hidden": "true" });
    const count = make("span", { class: "nvp-count", style: `width: ${digits + 0.2}ch` });
    const node = make("button", { type: "button", class: "nvp-key", "aria-pressed": "false",
      onclick: () => act.showState(state) }, canvas, make("span", {}, word), count);
    return { node, canvas, count, word };
  });
  return { row: toolbar("legend", "States: show one of them", ...items.map((item) => item.node)), items };
}

function buildLanes(run, act) {
  const names = run.model.lanes.map((name) => make("div", { class: "nvp-lane" }, make("span", {}, name)));
  const canvas = make("canvas", { class: "nvp-canvas", role: "img" });
  const byTime = button("What the horizontal axis shows", act.toggleTime, `x = ${run.unit}`);
  byTime.disabled = !run.model.timed;
  byTime.classList.add("nvp-axis");
  const [now, cause] = [make("span", { class: "nvp-now" }), make("span", { class: "nvp-cause" })];
  const strip = make("div", { class: "nvp-strip", "aria-hidden": "true" }, cause, now);
  const box = make("div", { class: "nvp-lane-box" }, canvas);
  const titles = make("div", { class: "nvp-names" }, ...names);
  if (!run.summary) {
    const node = make("div", { class: "nvp-lanes" }, byTime, strip, titles, box);
    return { node, names, canvas, byTime, strip, now, cause };
  }
  names.forEach((node, n) => { node.title = run.model.counters[n].sentence; });
  const levels = buildLevels(run);
  const node = make("div", { class: "nvp-lanes nvp-charts" }, byTime, levels.heads[0], strip, levels.heads[1],
    titles, levels.levels, box, levels.tops);
  return { node, names, canvas, byTime, strip, now, cause, levels };
}

function buildPane(act) {
  const [title, sources, where] = [make("strong"), make("span", { class: "nvp-sources" }), make("span")];
  const before = button("Rows before", () => act.turnPane(-1), "‹");
  const after = button("More rows", () => act.turnPane(1), "›");
  const pager = make("span", { class: "nvp-pager" }, before, where, after);
  const body = make("div", { role: "table" });
  const node = make("div", { class: "nvp-pane" }, make("div", { class: "nvp-pane-head" }, title, sources, pager), body);
  return { node, title, sources, where, before, after, pager, body };
}

function buildTransport(run, act) {
  const play = button("Play", act.togglePlay, icon("play"), make("span", {}, "Play"));
  play.classList.add("nvp-play");
  const { unit } = run;
  const steps = toolbar("steps", `${capital(unit)}s`,
    button(`First ${unit}`, () => act.jump(0), icon("first")),
    button(`One ${unit} back`, () => act.move(-1), icon("back")),
    play, button(`One ${unit} forward`, () => act.move(1), icon("forward")),
    button(`Last ${unit}`, () => act.jump(run.length - 1), icon("last")));
  const scrub = buildScrub(run);
  const speed = make("select", { class: "nvp-speed", "aria-label": "Speed", title: "Speed" },
    ...[0.25, 0.5, 1, 2, 4, 8].map((rate) => make("option", { value: rate }, `${rate}×`)));
  const only = `Only ${unit}s that touch this LBA`;
  const filter = make("input", { class: "nvp-filter-lba", inputmode: "numeric", size: 6, autocomplete: "off",
    spellcheck: "false", "aria-label": only, title: `${only}, such as 12 or 12-15` });
  const clear = button(`All ${unit}s again`, act.clearFilter, "×");
  clear.classList.add("nvp-clear");
  const words = [["text", "Text"], ["help", "?"]];
  if (run.steps.some((step) => step.bytes)) words.unshift(["bytes", "Bytes"]);
  const panes = Object.fromEntries(words.map(([name, word]) =>
    [name, button(name === "help" ? "Keys and signs" : word, () => act.togglePane(name), word)]));
  const row = make("div", { class: "nvp-transport" }, steps, scrub.node, speed,
    make("label", { class: "nvp-filter" }, "LBA", filter, clear),
    toolbar("panes", `In place of the ${run.summary ? "counters" : "lanes"}`, ...Object.values(panes)));
  return { row, play, scrub, speed, filter, clear, panes };
}

function buildScrub(run) {
  const fill = make("div", { class: "nvp-scrub-fill" });
  const thumb = make("div", { class: "nvp-scrub-thumb" });
  const share = (index) => `${(100 * index) / Math.max(1, run.length - 1)}%`;
  const tick = (index, name) => make("div", { class: name, style: `left:${share(index)}` });
  const ticks = run.model.phases.filter((phase) => phase.first).map((phase) => tick(phase.first, "nvp-tick"));
  const bad = [...run.turnsBad].map((index) => tick(index, "nvp-tick nvp-tick-bad"));
  const track = make("div", { class: "nvp-scrub-track" }, fill, ...ticks, ...bad, thumb);
  const node = make("div", { class: "nvp-scrub", role: "slider", tabindex: "0", "aria-label": capital(run.unit),
    "aria-valuemin": 1, "aria-valuemax": run.length }, track);
  return { node, track, fill, thumb, share };
}
