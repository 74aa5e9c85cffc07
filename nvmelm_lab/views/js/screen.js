// What all that is played has in common: going from step to step, playing, following size and theme of its host, and
// painting at most once a frame.  A screen builds its DOM in `build`, fits it to its width in `fit` and paints a step
// in `draw`; `neighbour` is the step beside one, `stopsAt` says where playing holds by itself.

const STEPS_PER_SECOND = 4; // at 1x, and more on long runs, so that 1x lasts at most
const LONGEST_PLAY = 100; // this many seconds
const STACK_BELOW = 700; // px of width
const SLIM_BELOW = 480;
const THEMED = ["class", "style", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind"];
const CALM = "(prefers-reduced-motion: reduce)";

class Screen {
  constructor(run, memory, chosen) {
    this.run = run;
    this.memory = memory;
    Object.assign(this, { step: memory.step, playing: false, carried: 0, gone: "" }, chosen);
    this.stops = new AbortController();
  }

  show(host) {
    this.build(host);
    this.watch();
    this.resize();
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

  neighbour(index, way) {
    return Math.min(Math.max(index + way, 0), this.run.length - 1);
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
    this.bind();
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
    this.fit();
    this.refresh();
  }

  refresh() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      if (this.root.clientWidth) this.paintSafely();
    });
  }

  paintSafely() {
    try {
      const began = performance.now();
      this.theme ||= readTheme(this.root);
      this.draw();
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
}

// An error is said in place of the picture, never swallowed and never a blank.
function showFault(host, error) {
  const help = "Run this cell again; if that does not help, the player's text(step) says the same in words.";
  host.replaceChildren(make("div", { class: "nvp-fault", role: "alert" },
    make("strong", {}, "The player cannot go on. "), `${error.message}. ${help}`));
}
