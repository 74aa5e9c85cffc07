// The player: puts the regions together, keeps what the viewer chose, and paints it.  One per view; the run is
// shared.  Everything below reads the run and asks nothing of the kernel.

class Player extends Screen {
  constructor(host, run, memory) {
    super(run, memory, {
      hover: null, pick: null, state: null, filter: null, zoom: null, byTime: false, pane: null, page: 0, faulty: "",
    });
    this.cursor = new Cursor(run);
    this.show(host);
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

  bind() {
    bindPointer(this);
  }

  fit() {
    const { box } = this.at.middle.maps[0];
    this.layout = mapLayout(this.run, this.zoom, box.clientWidth - CELL_GAP, box.clientHeight - CELL_GAP);
    this.verdictForm = null;
    fitCaptions(this);
  }

  draw() {
    paint(this, this.cursor.at(this.step));
  }

  // --- what the viewer does -------------------------------------------------------------------------------------

  // The next step in the direction, among those that the filter lets through; the same one at the end.
  neighbour(index, way) {
    if (!this.filter) return super.neighbour(index, way);
    const { steps } = this.filter;
    return (way > 0 ? steps.find((one) => one > index) : steps.findLast((one) => one < index)) ?? index;
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

  // The LBAs that the detail line speaks of: hovered, else picked, else those of the step.
  pointed() {
    if (this.hover !== null) return cellLbas(this.layout, this.hover);
    return this.pick || this.run.steps[this.step].lbas || null;
  }
}

// What has arrived, ready to be played: one run, or two side by side.
const read = (model) => (model.runs ? new Twin(model) : new Run(model));

// What the link calls once run and code have arrived.
function mount({ host, run, memory }) {
  const screen = run instanceof Twin ? new Pair(host, run, memory) : new Player(host, run, memory);
  return { gone: (words) => screen.kernelGone(words), dispose: () => screen.dispose() };
}

export { mount, read };
