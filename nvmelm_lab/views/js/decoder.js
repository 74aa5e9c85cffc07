// The decoder: shows the structure that the kernel keeps, tells it what was typed.  One per view; all views of one
// widget show the same.

const TYPING = 250; // ms of silence before bytes that are being typed are sent
const THEMED = ["class", "style", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind"];
const HEADS = ["Where", "Field", "Value", "In words", "Standard"];

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

class Decoder {
  constructor(host, share) {
    Object.assign(this, { share, stops: new AbortController(), marked: -1, rows: [] });
    this.build(host);
    this.watch();
    readTheme(this.root);
    this.paint();
  }

  get view() { return this.share.view; }

  build(host) {
    this.kind = make("select", { "aria-label": "What the bytes are taken for" });
    this.title = make("strong");
    this.bytes = make("textarea", { spellcheck: "false", "aria-label": "The bytes, in hex" });
    this.shade = make("div", { class: "nvd-shade", "aria-hidden": "true" });
    this.refused = make("p", { class: "nvd-refused", role: "status" });
    this.body = make("tbody");
    const head = make("tr", {}, ...HEADS.map((word) => make("th", { scope: "col" }, word)));
    this.root = make("div", { class: "nvd", "data-lm-suppress-shortcuts": "true", role: "group", "aria-label": "Decoder" },
      make("div", { class: "nvd-top" }, make("label", {}, "Take the bytes for ", this.kind), this.title),
      make("div", { class: "nvd-bytes" }, this.shade, this.bytes), this.refused,
      make("div", { class: "nvd-table" }, make("table", {}, make("thead", {}, head), this.body)));
    host.replaceChildren(this.root);
  }

  watch() {
    const { signal } = this.stops;
    const on = (node, name, act) => node.addEventListener(name, act, { signal });
    on(this.root, "keydown", (event) => {
      if (event.key === "Tab" || event.altKey || event.ctrlKey || event.metaKey) return;
      event.stopPropagation();
      if (event.key === "Enter" && event.target.matches("input")) this.sendField(event.target);
      if (event.key === "Escape") this.paint(true);
    });
    on(this.kind, "change", () => this.share.ask({ kind: "as", name: this.kind.value }));
    on(this.bytes, "input", () => {
      this.shade.replaceChildren();
      clearTimeout(this.wait);
      this.wait = setTimeout(() => this.sendBytes(), TYPING);
    });
    on(this.bytes, "blur", () => this.wait && this.sendBytes());
    on(this.body, "change", (event) => this.sendField(event.target));
    const rowOf = (event) => Number(event.target.closest("tr")?.dataset.n ?? -1);
    on(this.body, "pointerover", (event) => this.mark(rowOf(event)));
    on(this.body, "pointerleave", () => this.mark(-1));
    on(this.body, "focusin", (event) => this.mark(rowOf(event)));
    const theme = new MutationObserver(() => readTheme(this.root));
    for (const node of [document.documentElement, document.body]) theme.observe(node, { attributeFilter: THEMED });
    signal.addEventListener("abort", () => theme.disconnect());
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => readTheme(this.root), { signal });
  }

  sendBytes() {
    clearTimeout(this.wait);
    this.wait = 0;
    this.share.ask({ kind: "bytes", text: this.bytes.value });
  }

  sendField(input) {
    const index = Number(input.closest("tr").dataset.n);
    if (input.value !== this.view.rows[index].value) this.share.ask({ kind: "field", index, text: input.value });
  }

  // --- painting -------------------------------------------------------------------------------------------------

  paint(all = false) {
    const { view } = this;
    if (this.kind.options.length !== view.kinds.length) {
      this.kind.replaceChildren(...view.kinds.map((name) => make("option", { value: name }, name)));
    }
    this.kind.value = view.kind;
    this.title.textContent = view.title;
    const wrongBytes = view.refused.words && view.refused.at < 0;
    this.bytes.rows = view.lines.length;
    this.bytes.setAttribute("aria-invalid", String(Boolean(wrongBytes)));
    // What is being typed stays as it is.
    if (all || (document.activeElement !== this.bytes && !wrongBytes)) this.bytes.value = view.lines.join("\n");
    this.refused.textContent = view.refused.words || "";
    this.paintRows(all);
    this.mark(this.marked);
    this.root.dataset.painted = String(this.share.said);
  }

  paintRows(all) {
    const same = this.rows.length === this.view.rows.length
      && this.view.rows.every((row, n) => row.name === this.rows[n].name && row.place === this.rows[n].place);
    if (!same) this.body.replaceChildren(...this.view.rows.map((row, n) => this.rowNode(row, n)));
    this.rows = this.view.rows;
    for (const [n, row] of this.rows.entries()) {
      const [, , value, words] = this.body.rows[n].cells;
      const input = value.firstChild;
      const wrong = this.view.refused.words && this.view.refused.at === n;
      if (all || !wrong) input.value = row.value;
      input.setAttribute("aria-invalid", String(Boolean(wrong)));
      words.replaceChildren(...(row.words ? [row.words, " "] : []), make("span", { class: "nvd-muted" }, row.meaning));
      this.body.rows[n].classList.toggle("nvd-quiet", row.is_quiet);
    }
  }

  rowNode(row, n) {
    const input = make("input", { type: "text", spellcheck: "false", "aria-label": row.name });
    return make("tr", { "data-n": n }, make("td", {}, row.place), make("th", { scope: "row" }, row.name),
      make("td", {}, input), make("td"), make("td", { class: "nvd-muted" }, row.source));
  }

  // The bytes in which a field lies: a frame around each, behind the text; not while the text is of another shape.
  mark(n) {
    this.marked = n;
    for (const tr of this.body.rows) tr.classList.toggle("nvd-marked", Number(tr.dataset.n) === n);
    const row = this.view.rows[n];
    const shown = this.bytes.value === this.view.lines.join("\n");
    if (!row || !shown) return this.shade.replaceChildren();
    const spans = [];
    for (let at = row.first; at <= row.last; at += 1) {
      const style = `left:${(at % 16) * 3}ch;top:${Math.floor(at / 16) * 18}px`;
      spans.push(make("i", { style }));
    }
    return this.shade.replaceChildren(...spans);
  }

  kernelGone(words) {
    this.refused.textContent = `${words[0].toUpperCase()}${words.slice(1)}: run this cell again.`;
    for (const node of this.root.querySelectorAll("input, textarea, select")) node.disabled = true;
  }

  dispose() {
    this.stops.abort();
    clearTimeout(this.wait);
  }
}

// What all views of one widget share: what the kernel said last.
function listen(model, first) {
  const share = { view: first, views: new Set(), said: 0 };
  share.ask = (request) => model.send(request);
  model.on("msg:custom", (content) => {
    if (content.kind !== "view") return;
    share.view = content.view;
    share.said += 1;
    for (const view of share.views) view.paint();
  });
  return share;
}

function mount({ host, run, memory, model }) {
  const share = memory.share ||= listen(model, run);
  const decoder = new Decoder(host, share);
  share.views.add(decoder);
  return {
    gone: (words) => decoder.kernelGone(words),
    dispose: () => {
      share.views.delete(decoder);
      decoder.dispose();
    },
  };
}

const read = (view) => view;

export { mount, read };
