// The only part of a view that a saved notebook keeps.  It fetches run and code from the kernel, shows them in
// every view of the widget, and says so when the kernel is gone.

const ASK_AFTER = 400; // ms without the run, before it is asked for: after a reload nothing comes by itself
const LOST_AFTER = 5000; // ms without an answer
const GONE = "Kernel gone: run this cell again.";
const DEAD = ["dead", "restarting", "autorestarting", "terminating"];

const links = new Map();

function open(model) {
  const link = { key: model.get("_key"), gone: false, memory: { step: 0 }, views: new Set() };
  link.ready = new Promise((resolve) => {
    model.on("msg:custom", (content, buffers) => {
      if (content.kind === "run" && !link.came) resolve(load(link, content, buffers));
    });
  });
  setTimeout(() => { if (!link.came) model.send({ kind: "ask" }); }, ASK_AFTER);
  watchKernel(model, () => {
    link.gone = true;
    for (const view of link.views) view();
  });
  links.set(link.key, link);
  return link;
}

async function load(link, content, [code, style, packed]) {
  link.came = true;
  link.memory.step = content.step;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const player = await import(/* webpackIgnore: true */ url);
  URL.revokeObjectURL(url);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  addStyle(await new Blob([style]).text());
  return { ...player, run: player.read(await new Response(stream).json()) };
}

// Once a page, however many views there are; another kind of view has another style sheet.
function addStyle(text) {
  const there = [...document.querySelectorAll("style[data-nvmelm]")].some((node) => node.textContent === text);
  if (there) return;
  const node = document.createElement("style");
  node.dataset.nvmelm = "";
  node.textContent = text;
  document.head.append(node);
}

// Calls back once, when this model's kernel has died or has been restarted: either way it cannot answer any more.
// JupyterLab tells through its session; other hosts at least tell when the widget's channel closes.
function watchKernel(model, tell) {
  let told = false;
  const gone = () => {
    if (!told) tell();
    told = true;
  };
  model.on("comm_live_update", gone);
  const session = model.widget_manager?.context?.sessionContext;
  session?.statusChanged?.connect((_, status) => { if (DEAD.includes(status)) gone(); });
  session?.kernelChanged?.connect((_, change) => { if (change.oldValue) gone(); });
}

// A line in place of the picture: one that asks for patience (the still picture stands below it), or a fault.
function say(el, words, className = "nvp-fault") {
  el.replaceChildren(Object.assign(document.createElement("p"), { className, textContent: words }));
}

// The still picture beside the live one is hidden for as long as a live one stands.
function hideStill(key) {
  const node = document.createElement("style");
  const still = `[data-nvmelm-still="${key}"]`;
  node.textContent = `${still}, .jp-OutputArea-child:has(> .jp-OutputArea-output > ${still}) { display: none !important; }`;
  document.head.append(node);
  return () => node.remove();
}

export default {
  initialize({ model }) {
    open(model);
  },

  render({ model, el }) {
    const link = links.get(model.get("_key"));
    let ended = false;
    let view = null;
    let showStill = () => {};
    const update = () => {
      if (view && link.gone) view.gone("static copy: kernel gone");
      else if (!view && link.gone) say(el, GONE);
    };
    link.views.add(update);
    say(el, "Fetching the run from the kernel ...", "nvp-wait");
    const patience = setTimeout(() => { if (!link.came) say(el, `No answer from the kernel. ${GONE}`); }, LOST_AFTER);
    link.ready.then((found) => {
      if (ended) return;
      view = found.mount({ host: el, run: found.run, memory: link.memory, model });
      showStill = hideStill(link.key);
      update();
    }).catch((error) => say(el, `The player cannot be shown: ${error.message}. Run this cell again.`));
    update();
    return () => {
      ended = true;
      clearTimeout(patience);
      link.views.delete(update);
      view?.dispose();
      showStill();
    };
  },
};
