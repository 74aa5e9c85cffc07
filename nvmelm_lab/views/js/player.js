// The player: puts the regions together, keeps what the viewer chose, and paints it.  One per view; the run is
// shared.  Everything below reads the run and asks nothing of the kernel.

const STEPS_PER_SECOND = 4; // at 1x, and more on long runs, so that 1x lasts at most
const LONGEST_PLAY = 100; // this many seconds
const STACK_BELOW = 700; // px of width
const SLIM_BELOW = 480;
const THEMED = ["class", "style", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind"];
const LIVE = { role: "group", "aria-label": "Properties", "aria-live": "polite" };
const CALM = "(prefers-reduced-motion: reduce)";

class Player {
  constructor(host, run, memory) {
    this.run = run;
    this.memory = memory;
    this.cursor = new Cursor(run);
    Object.assign(this, {
      step: memory.step, hover: null, pick: null, state: null, filter: null, zoom: null, byTime: false,
      pane: null, page: 0, playing: false, carried: 0, gone: "", faulty: "",
    });
    this.stops = new AbortController();
    this.build(host);
    this.watch();
    this.resize();
  }

  build(host) {
    const { run } = this;
    const act = {
      jump: (index) => this.jump(index), move: (by) => this.move(by), copyToken: () => this.copyToken(),
      zoomOut: () => this.zoomTo(null), onlyPicked: () => this.setFilter(this.pointed()),
      showState: (state) => this.change({ state: this.state === state ? null : state }),
      toggleTime: () => this.change({ byTime: !this.byTime }), togglePlay: () => this.play(!this.playing),
      clearFilter: () => this.setFilter(null), turnPane: (by) => this.change({ page: this.page + by }),
      togglePane: (name) => this.change({ pane: this.pane === name ? null : name, page: 0 }),
    };
    this.at = {
      head: buildPhases(run, act), say: buildSentence(run), middle: buildMiddle(run, act),
      legend: buildLegend(run, act), lanes: buildLanes(run, act), pane: buildPane(act),
      transport: buildTransport(run, act), verdicts: make("div", { class: "nvp-verdicts", ...LIVE }),
      gone: make("span", { class: "nvp-gone", role: "status" }),
    };
    const { head, say, middle, legend, lanes, pane, transport, verdicts, gone } = this.at;
    const stage = make("div", { class: "nvp-stage" }, lanes.node, pane.node);
    const status = make("div", { class: "nvp-status" }, verdicts, gone);
    this.root = make("div", { class: "nvp", tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true",
      "aria-label": `${run.model.title}, ${run.unit} by ${run.unit}` },
      head.row, say.row, middle.row, legend.row, stage, transport.row, status);
    transport.speed.value = window.matchMedia(CALM).matches ? "0.25" : "1";
    host.replaceChildren(this.root);
  }

  // --- what the viewer does -------------------------------------------------------------------------------------

  change(chosen) {
    Object.assign(this, chosen);
    this.refresh();
  }

  jump(index) {
    const step = Math.min(Math.max(index, 0), this.run.length - 1);
    this.memory.step = step;
    this.change({ step, page: 0 });
  }

  move(by) {
    let index = this.step;
    for (let n = Math.abs(by); n > 0; n -= 1) index = this.neighbour(index, Math.sign(by));
    this.jump(index);
  }

  // The next step in the direction, among those that the filter lets through; the same one at the end.
  neighbour(index, way) {
    if (!this.filter) return Math.min(Math.max(index + way, 0), this.run.length - 1);
    const { steps } = this.filter;
    return (way > 0 ? steps.find((one) => one > index) : steps.findLast((one) => one < index)) ?? index;
  }

  movePhase(way) {
    const begun = this.run.model.phases.map((phase) => phase.first).filter((first) => first !== null);
    const next = way > 0 ? begun.find((first) => first > this.step) : begun.findLast((first) => first < this.step);
    this.jump(next ?? (way > 0 ? this.run.length - 1 : 0));
  }

  play(playing) {
    if (playing && this.step === this.run.length - 1) this.jump(0);
    this.change({ playing, carried: 0, last: performance.now() });
    if (playing) requestAnimationFrame((now) => this.tick(now));
  }

  // One frame of play.  A hidden tab gets no frames, and the pause that it made is not caught up.
  tick(now) {
    if (!this.playing || this.stops.signal.aborted) return;
    const pace = Math.max(STEPS_PER_SECOND, this.run.length / LONGEST_PLAY) * Number(this.at.transport.speed.value);
    this.carried += (Math.min(Math.max(0, now - this.last), 250) / 1000) * pace;
    this.last = now;
    let index = this.step;
    for (; this.carried >= 1; this.carried -= 1) {
      const next = this.neighbour(index, 1);
      if (next === index || this.run.turnsBad.has(next)) this.playing = false;
      index = next;
      if (!this.playing) break;
    }
    if (index !== this.step || !this.playing) this.jump(index);
    requestAnimationFrame((later) => this.tick(later));
  }

  setFilter(range) {
    const { filter } = this.at.transport;
    filter.removeAttribute("aria-invalid");
    filter.value = range ? (range[1] === 1 ? `${range[0]}` : `${range[0]}-${range[0] + range[1] - 1}`) : "";
    if (!range) return this.change({ filter: null, faulty: "" });
    const steps = this.run.touching(range[0], range[0] + range[1] - 1);
    const faulty = steps.length ? "" : `No ${this.run.unit} touches ${lbaWords(...range)}`;
    return this.change({ filter: steps.length ? { range, steps, set: new Set(steps) } : null, faulty, pick: range });
  }

  // "12" or "12-15" from the field; what cannot be read as LBAs of the namespace is said in the detail line.
  readFilter() {
    const { filter } = this.at.transport;
    if (!filter.value.trim()) return this.setFilter(null);
    const found = /^\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?$/.exec(filter.value);
    const [first, last] = found ? [Number(found[1]), Number(found[2] ?? found[1])] : [1, 0];
    if (first <= last && last < this.run.model.blocks) return this.setFilter([first, last - first + 1]);
    filter.setAttribute("aria-invalid", "true");
    const most = this.run.model.blocks - 1;
    const typed = filter.value.trim().slice(0, 20);
    return this.change({ faulty: `"${typed}": give an LBA from 0 to ${most}, or two with a dash` });
  }

  // Both maps show the range alone, or the whole namespace for null.  What was or is now shown whole stays picked, so
  // that it is seen where it lies, and its steps can be asked for.
  zoomTo(zoom) {
    const { first, blocks } = zoom || this.zoom;
    this.change({ zoom, hover: null, pick: [first, blocks], faulty: "" });
    this.resize();
  }

  // A cell that stands for more than one tile opens; another is picked, or let go.
  openCell(index) {
    const [first, blocks] = cellLbas(this.layout, index);
    if (blocks > this.run.grain) return this.zoomTo({ first, blocks });
    const again = this.pick && this.pick[0] === first && this.pick[1] === blocks;
    return this.change({ pick: again ? null : [first, blocks], faulty: "" });
  }

  async copyToken() {
    const { copy } = this.at.head;
    const { token } = this.run.model;
    try {
      await navigator.clipboard.writeText(token);
      copy.textContent = "Copied";
    } catch {
      this.change({ faulty: `Copying is not allowed here; the token is ${token}` });
    }
    setTimeout(() => { copy.textContent = "Copy token"; }, 1500);
  }

  // --- what happens around it -----------------------------------------------------------------------------------

  watch() {
    const { signal } = this.stops;
    const again = () => this.resize();
    const [size, sight] = [new ResizeObserver(again), new IntersectionObserver(again)];
    const theme = new MutationObserver(() => this.retheme());
    const observers = [size, sight, theme];
    size.observe(this.root);
    sight.observe(this.root);
    for (const node of [document.documentElement, document.body]) theme.observe(node, { attributeFilter: THEMED });
    signal.addEventListener("abort", () => observers.forEach((one) => one.disconnect()));
    window.addEventListener("resize", again, { signal });
    document.addEventListener("visibilitychange", again, { signal });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.retheme(), { signal });
    for (const canvas of this.root.querySelectorAll("canvas")) {
      canvas.addEventListener("contextrestored", again, { signal });
    }
    bindKeys(this);
    bindPointer(this);
  }

  retheme() {
    this.theme = null;
    this.refresh();
  }

  // Size or place changed.  A detached view has no size: it keeps what it has until it is back.
  resize() {
    if (!this.root.clientWidth) return;
    this.root.classList.toggle("nvp-narrow", this.root.clientWidth < STACK_BELOW);
    this.root.classList.toggle("nvp-slim", this.root.clientWidth < SLIM_BELOW);
    const { box } = this.at.middle.maps[0];
    this.layout = mapLayout(this.run, this.zoom, box.clientWidth - CELL_GAP, box.clientHeight - CELL_GAP);
    this.verdictForm = null;
    fitCaptions(this);
    this.refresh();
  }

  refresh() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      if (this.root.clientWidth && this.layout) this.paintSafely();
    });
  }

  paintSafely() {
    try {
      const began = performance.now();
      this.theme ||= readTheme(this.root);
      paint(this, this.cursor.at(this.step));
      this.root.dataset.painted = String(this.step);
      this.root.dataset.paintMs = (performance.now() - began).toFixed(2);
    } catch (error) {
      console.error(error);
      showFault(this.root.parentElement, error);
      this.dispose();
    }
  }

  kernelGone(words) {
    this.change({ gone: words });
    this.resize();
  }

  dispose() {
    this.playing = false;
    this.stops.abort();
    cancelAnimationFrame(this.due);
  }

  // The LBAs that the detail line speaks of: hovered, else picked, else those of the step.
  pointed() {
    if (this.hover !== null) return cellLbas(this.layout, this.hover);
    return this.pick || this.run.steps[this.step].lbas || null;
  }
}

// An error is said in place of the picture, never swallowed and never a blank.
function showFault(host, error) {
  const help = "Run this cell again; if that does not help, the player's text(step) says the same in words.";
  host.replaceChildren(make("div", { class: "nvp-fault", role: "alert" },
    make("strong", {}, "The player cannot go on. "), `${error.message}. ${help}`));
}

// What the link calls once run and code have arrived.
function mount({ host, run, memory }) {
  const player = new Player(host, run, memory);
  return { gone: (words) => player.kernelGone(words), dispose: () => player.dispose() };
}

export { mount, Run };
