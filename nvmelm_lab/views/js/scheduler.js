// You are the scheduler: shows what the session in the kernel says, and tells it what was decided.  One per view; what
// the session said last is shared by all views of one widget.

const NARROW = 700; // px of width below which the regions stack
const THEMED = ["class", "style", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind"];
const LANE_NAMES = 74; // px

const BUTTONS = [
  ["undo", "↶ Undo", "One step back (←)"],
  ["redo", "↷ Redo", "One step on again (→)"],
  ["restart", "Restart", "Back to the start; what was tried is kept"],
  ["run", "Let it run", "To the end by itself: whoever went last goes on as long as it can"],
  ["find", "Find a failing order", "Let the machine try one order after the other"],
  ["cancel", "Cancel", "Stop the search"],
  ["tokenIn", "Token in", "Go to where a line of text leads"],
  ["tokenOut", "Token out", "Copy this order as a line of text"],
];

class Scheduler {
  constructor(host, share, model) {
    Object.assign(this, { share, model, chosen: 0, page: 0, gone: "", asks: false, said: "", note: "" });
    this.stops = new AbortController();
    this.build(host);
    this.watch();
    this.resize();
  }

  build(host) {
    const region = (name, attributes = {}) => make("div", { class: `nvs-${name}`, ...attributes });
    this.at = {
      goal: region("goal"), who: region("who"), state: region("state"), history: region("history"),
      buttons: region("buttons", { role: "group", "aria-label": "What you can do" }),
      verdict: region("verdict"), heard: region("heard", { "aria-live": "polite" }),
    };
    const { goal, who, state, history, buttons, verdict, heard } = this.at;
    this.buttons = Object.fromEntries(BUTTONS.map(([name, words, title]) => [name, make("button",
      { type: "button", class: `nvs-${name}`, title, "data-act": name }, words)]));
    buttons.append(...Object.values(this.buttons));
    this.root = make("div", { class: "nvs", tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true",
      "aria-label": "You are the scheduler" },
      goal, make("div", { class: "nvs-middle" }, who, state), history, buttons, verdict, heard);
    host.replaceChildren(this.root);
  }

  get view() { return this.share.view; }

  get frozen() { return Boolean(this.view.search || this.gone || this.share.asked); }

  // --- what the learner does ------------------------------------------------------------------------------------

  ask(kind, more = {}) {
    if (this.gone) return;
    if (this.view.search ? kind !== "cancel" : this.share.asked) return;
    this.note = "";
    this.share.ask({ kind, at: [this.view.history.line, this.view.history.position], ...more });
  }

  take(n = this.chosen) {
    const option = optionsOf(this.view)[n];
    if (option) this.ask("take", { decision: option.decision });
  }

  choose(n) {
    const last = optionsOf(this.view).length - 1;
    this.chosen = Math.min(Math.max(n, 0), Math.max(0, last));
    this.refresh();
  }

  press(name) {
    if (this.buttons[name].getAttribute("aria-disabled") === "true") return;
    if (name === "tokenIn") this.openToken(!this.asks);
    else if (name === "tokenOut") this.copyToken();
    else this.ask(name);
  }

  openToken(asks) {
    this.asks = asks;
    this.paint();
    if (asks) this.at.verdict.querySelector("input").focus();
    else this.root.focus();
  }

  sendToken() {
    const text = this.at.verdict.querySelector("input").value;
    this.asks = false;
    this.root.focus();
    if (text.trim()) this.ask("token", { text });
    this.refresh();
  }

  async copyToken() {
    try {
      await navigator.clipboard.writeText(this.view.token);
      this.note = "The token is copied: paste it anywhere; Token in brings this order back.";
    } catch {
      this.note = `Copying is not allowed here; the token is ${this.view.token}`;
    }
    this.refresh();
  }

  // --- keys and pointer -----------------------------------------------------------------------------------------

  key(event) {
    const { target, key } = event;
    if (key === "Escape") return this.leave(target);
    if (target.matches("input")) return key === "Enter" && (this.sendToken(), true);
    if (target.matches("button") && (key === "Enter" || key === " ")) return false;
    const act = {
      ArrowUp: () => this.choose(this.chosen - 1), ArrowDown: () => this.choose(this.chosen + 1),
      Enter: () => this.take(), ArrowLeft: () => this.press("undo"), ArrowRight: () => this.press("redo"),
    }[key];
    act?.();
    return Boolean(act);
  }

  leave(target) {
    if (this.asks) this.openToken(false);
    else if (target !== this.root) this.root.focus();
    else {
      this.root.blur();
      this.root.parentElement.closest("[tabindex]")?.focus({ preventScroll: true });
    }
    return true;
  }

  click(event) {
    const near = (selector) => event.target.closest(selector);
    const row = near(".nvs-row");
    const data = near("button")?.dataset || {};
    if (row && !this.frozen) {
      this.chosen = Number(row.dataset.n);
      this.take();
    } else if (data.act) this.press(data.act);
    else if (data.jump) this.ask("jump", { position: Number(data.jump) });
    else if (data.line) this.ask("jump", { line: Number(data.line), position: this.view.history.lines[data.line].steps });
    else if (data.page) {
      this.page += Number(data.page) * 8;
      this.refresh();
    } else if (data.why) this.ask("why");
    else if (data.go) this.sendToken();
  }

  watch() {
    const { signal } = this.stops;
    const { root } = this;
    root.addEventListener("keydown", (event) => {
      if (event.key === "Tab" || event.altKey || event.ctrlKey || event.metaKey) return;
      // No other key gets past here: it would scroll the widget away, and the next one would meet the notebook.
      event.stopPropagation();
      if (this.key(event) || !event.target.matches("button, input")) event.preventDefault();
    }, { signal });
    root.addEventListener("click", (event) => this.click(event), { signal });
    // Painting puts new rows in place; between press and release it would take away what was pressed, and with it the click.
    root.addEventListener("pointerdown", () => { this.held = true; }, { signal });
    const release = () => {
      this.held = false;
      this.refresh();
    };
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, release, { signal });
    root.addEventListener("mousedown", (event) => {
      if (event.target.closest("input")) return;
      event.preventDefault();
      root.focus({ preventScroll: true });
    }, { signal });
    root.addEventListener("mousemove", (event) => {
      const row = event.target.closest(".nvs-row");
      if (row && !this.frozen && Number(row.dataset.n) !== this.chosen) this.choose(Number(row.dataset.n));
    }, { signal });
    const again = () => this.resize();
    const observers = [new ResizeObserver(again), new IntersectionObserver(again), new MutationObserver(() => this.retheme())];
    observers[0].observe(root);
    observers[1].observe(root);
    for (const node of [document.documentElement, document.body]) observers[2].observe(node, { attributeFilter: THEMED });
    signal.addEventListener("abort", () => observers.forEach((one) => one.disconnect()));
    document.addEventListener("visibilitychange", again, { signal });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.retheme(), { signal });
  }

  // --- painting -------------------------------------------------------------------------------------------------

  retheme() {
    this.theme = null;
    this.refresh();
  }

  resize() {
    if (!this.root.clientWidth) return;
    this.root.classList.toggle("nvs-narrow", this.root.clientWidth < NARROW);
    this.refresh();
  }

  refresh() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      if (this.root.clientWidth && !this.held) this.paintSafely();
    });
  }

  // The session said something new: whoever was chosen stays so, if still there.
  renew(before) {
    const was = optionsOf(before)[this.chosen];
    const options = optionsOf(this.view);
    const same = options.findIndex(({ row }) => was && row.who === was.row.who);
    this.chosen = Math.max(0, same);
    this.page = 0;
    this.refresh();
  }

  paintSafely() {
    try {
      this.paint();
    } catch (error) {
      console.error(error);
      const help = "Run this cell again; if that does not help, the scheduler's text() says the same in words.";
      this.root.parentElement.replaceChildren(make("div", { class: "nvs-fault", role: "alert" },
        make("strong", {}, "The scheduler cannot go on. "), `${error.message}. ${help}`));
      this.dispose();
    }
  }

  paint() {
    this.theme ||= readTheme(this.root);
    const { view, at, frozen } = this;
    const kept = document.activeElement?.dataset?.key;
    const options = optionsOf(view);
    const places = options[this.chosen]?.row.places || [];
    at.goal.replaceChildren(...goalRegion(view));
    at.who.replaceChildren(...whoRegion(view, frozen ? -1 : this.chosen, frozen));
    at.state.replaceChildren(...stateRegion(view, frozen ? [] : places));
    const lines = this.root.classList.contains("nvs-narrow") ? 0 : 100;
    at.history.replaceChildren(...historyRegion(view, at.history.clientWidth - LANE_NAMES - lines - 24, this.page));
    if (!this.asks || !at.verdict.querySelector("input")) at.verdict.replaceChildren(...this.verdictRegion());
    this.paintButtons();
    this.root.dataset.frozen = String(frozen);
    this.root.dataset.searching = String(Boolean(view.search));
    if (options.length && !frozen) this.root.setAttribute("aria-activedescendant", `nvs-${this.chosen}`);
    else this.root.removeAttribute("aria-activedescendant");
    if (kept) this.root.querySelector(`[data-key="${kept}"]`)?.focus();
    this.sayAloud();
    this.root.dataset.painted = String(view.steps);
  }

  paintButtons() {
    const { view, gone } = this;
    const { position, chips } = view.history;
    const off = {
      undo: !position, redo: position === chips.length, restart: !position,
      run: view.is_over && position === chips.length, find: false, cancel: !view.search, tokenIn: false, tokenOut: false,
    };
    for (const [name, button] of Object.entries(this.buttons)) {
      const disabled = gone || off[name] || (view.search && name !== "cancel" && name !== "tokenOut");
      if (disabled) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }

  verdictRegion() {
    const { view } = this;
    if (this.asks) return this.tokenForm();
    if (view.search) {
      return [make("span", { class: "nvs-sign", "aria-hidden": "true" }, "…"),
        make("p", {}, make("strong", {}, "Searching."), ` ${count(view.search.runs, "order")} tried, none of them fails yet. Nobody may go meanwhile.`),
        make("div", { class: "nvs-bar", role: "progressbar", "aria-label": "searching" }, make("i"))];
    }
    const { kind, head, rest } = view.stake;
    this.at.verdict.dataset.kind = kind;
    const more = this.gone || this.note || view.message;
    const words = make("p", {}, make("strong", {}, head), ` ${rest}`, more ? make("span", { class: "nvs-note" }, ` ${more}`) : "");
    const why = view.why === null ? "" : make("button", { type: "button", class: "nvs-why", "data-why": "1", "data-key": "why",
      title: "Watch this run in the player, step by step" }, view.why ? "Close" : "Why?");
    return [make("span", { class: "nvs-sign", "aria-hidden": "true" }, STAKE_SIGNS[kind]), words, why];
  }

  tokenForm() {
    return [make("label", {}, make("span", {}, "Token"), make("input", { type: "text", spellcheck: "false",
      placeholder: "a line that begins with nvmelm1." })),
      make("button", { type: "button", "data-go": "1" }, "Go there")];
  }

  sayAloud() {
    const { view } = this;
    const last = view.history.chips[view.history.position - 1];
    const words = view.search ? "Searching." : `${last ? `Step ${view.steps}: ${last.title}. ` : ""}${view.stake.head} ${view.stake.rest}`;
    if (words === this.said) return;
    this.said = words;
    this.at.heard.textContent = words;
  }

  kernelGone(words) {
    this.gone = `${words[0].toUpperCase()}${words.slice(1)}: run this cell again.`;
    this.refresh();
  }

  dispose() {
    this.stops.abort();
    cancelAnimationFrame(this.due);
  }
}

// What all views of one widget share: what the session said last, and whether an answer is still to come.
function listen(model, first) {
  const share = { view: first, views: new Set(), asked: false };
  share.ask = (request) => {
    share.asked = request.kind !== "cancel";
    model.send(request);
  };
  model.on("msg:custom", (content) => {
    if (content.kind !== "view") return;
    const before = share.view;
    share.view = content.view;
    share.asked = false;
    for (const view of share.views) view.renew(before);
  });
  // What was said while code and first view were on their way.
  model.send({ kind: "view" });
  return share;
}

function mount({ host, run, memory, model }) {
  const share = memory.share ||= listen(model, run);
  const scheduler = new Scheduler(host, share, model);
  share.views.add(scheduler);
  return {
    gone: (words) => scheduler.kernelGone(words),
    dispose: () => {
      share.views.delete(scheduler);
      scheduler.dispose();
    },
  };
}

const read = (view) => view;

export { mount, read };
