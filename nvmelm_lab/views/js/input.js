// Keyboard and pointer.  Only keys that do no harm when they miss the player: arrows, Home, End, Page, Space, Esc.

const MOVES = {
  ArrowLeft: (player, event) => player.move(event.shiftKey ? -10 : -1),
  ArrowRight: (player, event) => player.move(event.shiftKey ? 10 : 1),
  Home: (player) => player.jump(0),
  End: (player) => player.jump(player.run.length - 1),
  PageUp: (player) => player.movePhase(-1),
  PageDown: (player) => player.movePhase(1),
  " ": (player) => player.play(!player.playing),
};

function bindKeys(player) {
  const { root } = player;
  root.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (!handleKey(player, event)) return;
    event.preventDefault();
    event.stopPropagation();
  }, { signal: player.stops.signal });
}

// True when the key was ours.  The closest region with a meaning for it takes it; the player's own come last.
function handleKey(player, event) {
  const { target, key } = event;
  if (key === "Escape") return leave(player, target);
  if (target.matches("input, select")) return target.matches("input") && key === "Enter" && (player.readFilter(), true);
  const map = player.at.middle.maps.find(({ box }) => box === target);
  if (map && handleMapKey(player, key)) return true;
  if (target.matches("button") && (key === " " || key === "Enter")) return false;
  if (target.closest(".nvp-bar") && key.startsWith("Arrow")) return moveInBar(target, key);
  if (!(key in MOVES)) return false;
  if (key !== " " && player.playing) player.play(false);
  MOVES[key](player, event);
  return true;
}

// What stands open closes first; then out of a region to the player, and out of the player to what holds it.
function leave(player, target) {
  const open = player.pane || player.pick;
  if (open) player.change({ pane: null, pick: null });
  if (open || target !== player.root) {
    player.root.focus();
    return true;
  }
  player.root.blur();
  player.root.parentElement.closest("[tabindex]")?.focus({ preventScroll: true });
  return true;
}

function moveInBar(target, key) {
  const bar = target.closest(".nvp-bar");
  const buttons = [...bar.querySelectorAll("button:not(:disabled)")];
  const way = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const next = buttons[(buttons.indexOf(target) + way + buttons.length) % buttons.length];
  buttons.forEach((one) => { one.tabIndex = one === next ? 0 : -1; });
  next.focus();
  return true;
}

function handleMapKey(player, key) {
  const { layout } = player;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -layout.columns, ArrowDown: layout.columns }[key];
  const pointed = player.pick || player.run.steps[player.step].lbas;
  const range = pointed && cellsOf(layout, ...pointed);
  const here = range ? range[0] : null;
  if (by !== undefined) {
    const onCell = player.pick && range && range[0] === range[1];
    const next = here === null ? 0 : here + (onCell ? by : 0);
    if (next >= 0 && next < layout.count) player.change({ pick: cellLbas(layout, next), hover: null, faulty: "" });
    return true;
  }
  if (key === "Enter") enterCell(player, here);
  return key === "Enter";
}

// Into the cell that is pointed out; out to the whole namespace again where it cannot be opened any more.
function enterCell(player, index) {
  if (index !== null && cellLbas(player.layout, index)[1] > player.run.grain) player.openCell(index);
  else if (player.zoom) player.zoomTo(null);
}

function bindPointer(player) {
  const { at } = player;
  const { signal } = player.stops;
  keepFocus(player);
  bindScrub(player);
  at.middle.maps.forEach((map) => bindMap(player, map, signal));
  at.lanes.canvas.addEventListener("click", (event) => player.jump(stepAt(player.lanes, event.offsetX)), { signal });
  at.lanes.canvas.addEventListener("pointermove", (event) => {
    at.lanes.canvas.title = sentence(player.run, stepAt(player.lanes, event.offsetX));
  }, { signal });
  at.transport.filter.addEventListener("change", () => player.readFilter(), { signal });
}

// A click leaves the keys with the player: arrows go on stepping after a button was pressed.
function keepFocus({ root, stops }) {
  root.addEventListener("mousedown", (event) => {
    if (event.target.closest("input, select, .nvp-rows")) return;
    event.preventDefault();
    root.focus({ preventScroll: true });
  }, { signal: stops.signal });
}

function bindScrub(player) {
  const { scrub } = player.at.transport;
  bindDrag(scrub.node, (event) => {
    const box = scrub.track.getBoundingClientRect();
    player.play(false);
    player.jump(Math.round(((event.clientX - box.left) / box.width) * (player.run.length - 1)));
  }, player.stops.signal);
}

function bindMap(player, { canvas }, signal) {
  const cell = (event) => cellAt(player.layout, event.offsetX, event.offsetY);
  const hover = (index) => {
    if (index !== player.hover) player.change({ hover: index });
  };
  canvas.addEventListener("pointermove", (event) => hover(cell(event)), { signal });
  canvas.addEventListener("pointerleave", () => hover(null), { signal });
  canvas.addEventListener("click", (event) => {
    const index = cell(event);
    if (index !== null && event.detail < 2) player.openCell(index);
  }, { signal });
}

function bindDrag(node, act, signal) {
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    act(event);
  }, { signal });
  node.addEventListener("pointermove", (event) => {
    if (node.hasPointerCapture(event.pointerId)) act(event);
  }, { signal });
}
