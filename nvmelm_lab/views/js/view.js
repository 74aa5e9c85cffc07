// Painting: everything that one step puts on the screen, region by region.

const VERDICT_SIGNS = { good: "✓", open: "○", bad: "✗" };

function paint(player, moment) {
  player.tally = tallyOf(player.run, moment, player.layout);
  paintPhases(player, moment);
  paintSentence(player, moment);
  paintMaps(player, moment);
  paintQueue(player, moment);
  paintDetail(player, moment);
  paintLegend(player);
  if (player.pane) paintPane(player, moment);
  else paintLanes(player, moment);
  paintTransport(player, moment);
  paintVerdicts(player, moment);
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function paintPhases({ at, run }, moment) {
  const now = run.phaseAt(moment.index);
  at.head.phases.forEach((node, n) => {
    const { first } = run.model.phases[n];
    const look = first === null ? "never" : n === now ? "now" : n < now ? "done" : "later";
    if (node.dataset.look === look) return;
    node.dataset.look = look;
    setText(node.firstChild, { now: "now", done: "✓" }[look] || `${n + 1}`);
    if (look === "now") node.setAttribute("aria-current", "step");
    else node.removeAttribute("aria-current");
    node.title = first === null ? "The run did not come to this phase" : `Go to ${run.unit} ${first + 1}`;
  });
}

function paintSentence(player, moment) {
  const { say, parts } = player.at.say;
  const words = sentenceParts(player.run, moment.index);
  const live = player.playing ? "off" : "polite";
  for (const node of [say, player.at.verdicts, player.at.middle.detail]) {
    if (node.getAttribute("aria-live") !== live) node.setAttribute("aria-live", live);
  }
  for (const [name, text] of Object.entries(words)) setText(parts[name], text);
  say.classList.remove("nvp-dense");
  if (say.scrollHeight > say.clientHeight + 1) say.classList.add("nvp-dense");
}

function paintMaps(player, moment) {
  const { run, layout, theme } = player;
  const { hover, state } = player;
  const pick = player.pick && !holdsAll(layout, player.pick) ? player.pick : null;
  const marks = { lbas: run.steps[moment.index].lbas || null, pick, hover, state };
  player.at.middle.maps.forEach((map, side) => {
    drawMap(map.canvas, player.tally.worst[side], layout, marks, theme);
    if (player.playing) return;
    const counts = player.tally.counts[side ? "destination" : "source"];
    map.canvas.setAttribute("aria-label", `${map.name}: ${countedWords(counts)}`);
  });
}

function fitCaptions({ run, layout, zoom, at }) {
  const { maps, out } = at.middle;
  const say = (halves) => captionsOf(run, layout, halves).forEach((text, side) => setText(maps[side].caption, text));
  out.hidden = !zoom;
  say(false);
  if (maps.some(({ head }) => head.scrollWidth > head.clientWidth)) say(true);
}

function paintQueue({ at, run, theme, playing }, moment) {
  drawRing(at.middle.ring, run, moment, theme);
  const { head, tail } = moment;
  setText(at.middle.ends, `H head ${head} · T tail ${tail}`);
  if (!playing) at.middle.ring.setAttribute("aria-label", queueLine(run, moment));
}

// The line on what is pointed at.  Its entry stands out when the destination lacks what no entry has announced.
function paintDetail(player, moment) {
  const { parts, only } = player.at.middle;
  const lbas = player.pointed();
  const told = player.run.summary ? tileParts : detailParts;
  const [known, entry, risky] = player.faulty ? [player.faulty, "", true] : told(player, moment, lbas);
  setText(parts.known, known);
  setText(parts.entry, entry);
  parts.entry.classList.toggle("nvp-risk", risky);
  parts.known.classList.toggle("nvp-risk", risky && entry === "");
  only.disabled = !lbas || player.faulty !== "";
}

const NOTHING_POINTED = ["Point at a cell to compare both sides.", "", false];

// Of a summary both states of the worst tile are known, but no version and no writer.
function tileParts({ run }, moment, lbas) {
  if (!lbas) return NOTHING_POINTED;
  const first = Math.floor(worstLba(run, moment, ...lbas) / run.grain) * run.grain;
  const tile = [first, Math.min(run.grain, run.model.blocks - first)];
  const [source, destination] = [0, 1].map((side) => WORDS[stateOf(run, moment, side, ...tile)]);
  const worst = lbas[1] > tile[1] ? `${lbaWords(...lbas)}, worst ${lbaWords(...tile)}` : lbaWords(...tile);
  return [`${worst}: source ${source}, destination ${destination}`, "", false];
}

function detailParts({ run }, moment, lbas) {
  if (!lbas) return NOTHING_POINTED;
  const lba = worstLba(run, moment, ...lbas);
  const [known, entry] = storyParts(storyOf(run, moment, lba));
  const behind = stateOf(run, moment, 0, lba, 1) === CHANGED || stateOf(run, moment, 1, lba, 1) === LOST;
  const risky = behind && entry === "entry: none";
  return [lbas[1] === 1 ? known : `${lbaWords(...lbas)}, worst ${known}`, entry, risky];
}

function paintLegend(player) {
  const { counts } = player.tally;
  player.at.legend.items.forEach(({ node, canvas, count, word }, state) => {
    drawState(surface(canvas, 16, 16, player.theme), { x: 1, y: 1, w: 14, h: 14 }, state, player.theme);
    setText(count, shortCount(counts.either[state]));
    node.setAttribute("aria-pressed", String(player.state === state));
    if (player.playing) return;
    node.title = `${word}: ${counts.source[state]} LBAs at the source, ${counts.destination[state]} at the destination`;
    node.setAttribute("aria-label", node.title);
  });
}

// A count in four characters at most; the whole of it stands in the title.
function shortCount(count) {
  if (count < 10000) return `${count}`;
  const [size, unit] = [[1e3, "k"], [1e6, "M"], [1e9, "G"], [1e12, "T"]].findLast(([least]) => count >= least);
  const share = count / size;
  return `${share < 10 ? Math.floor(share * 10) / 10 : Math.floor(share)}${unit}`;
}

function paintLanes(player, moment) {
  const { at, run, theme } = player;
  at.lanes.node.classList.remove("nvp-away");
  at.pane.node.classList.add("nvp-away");
  setText(at.lanes.byTime, player.byTime ? "x = time" : `x = ${run.unit}`);
  (run.summary ? paintCharts : paintMarks)(player, moment);
  paintStrip(player, moment);
}

function paintMarks(player, moment) {
  const { at, run, theme } = player;
  player.lanes = lanePage(run, moment.index, at.lanes.canvas.clientWidth, player.byTime);
  drawLanes(at.lanes.canvas, run, moment, player.lanes, player.filter, theme);
  at.lanes.names.forEach((node, lane) => node.classList.toggle("nvp-acting", lane === run.steps[moment.index].lane));
  if (player.playing) return;
  const told = `${actsLine(run, moment)}. ${causeLine(run, moment.index)}`;
  at.lanes.canvas.setAttribute("aria-label", `Lanes: ${told}`);
}

// The two labels above the lanes: the step's number over the cursor, and the cause's over its mark, or beside the
// other label where they would touch.
function paintStrip({ at, run, lanes }, moment) {
  const { now, cause, strip } = at.lanes;
  const room = strip.clientWidth;
  setText(now, `${moment.index + 1}`);
  const left = within(lanes.x(moment.index) - now.offsetWidth / 2, now.offsetWidth, room);
  now.style.left = `${left}px`;
  const from = run.steps[moment.index].cause ?? null;
  cause.hidden = from === null;
  if (from === null) return;
  setText(cause, from < lanes.first ? `← cause ${from + 1}` : `cause ${from + 1}`);
  const width = cause.offsetWidth;
  let x = within((from < lanes.first ? 0 : lanes.x(from)) - width / 2, width, room);
  if (x + width + 8 > left) x = left - width - 8;
  if (x < 0) x = left + now.offsetWidth + 8;
  cause.style.left = `${x}px`;
}

function within(left, width, room) {
  return Math.round(Math.min(Math.max(0, left), room - width));
}

function paintPane(player, moment) {
  const { at, run, pane } = player;
  at.lanes.node.classList.add("nvp-away");
  at.pane.node.classList.remove("nvp-away");
  const pages = fillPane(at.pane, PANES[pane](run, moment), player.page);
  player.page = Math.min(player.page, pages - 1);
}

function paintTransport(player, moment) {
  const { play, scrub, clear, panes } = player.at.transport;
  const { index } = moment;
  const last = player.run.length - 1;
  const word = player.playing ? "Pause" : "Play";
  if (play.lastChild.textContent !== word) {
    play.replaceChildren(icon(word.toLowerCase()), make("span", {}, word));
    play.setAttribute("aria-label", word);
    play.title = word;
  }
  scrub.thumb.style.left = scrub.fill.style.width = scrub.share(index);
  scrub.node.setAttribute("aria-valuenow", index + 1);
  const phase = player.run.model.phases[player.run.phaseAt(index)].name;
  scrub.node.setAttribute("aria-valuetext", `${player.run.unit} ${index + 1} of ${last + 1}, ${phase}`);
  clear.style.visibility = player.filter || player.faulty ? "visible" : "hidden";
  for (const [name, node] of Object.entries(panes)) node.setAttribute("aria-pressed", String(player.pane === name));
}

// --- verdicts ---------------------------------------------------------------------------------------------------

// Four forms, from the fullest: all names with their words; without words; only what is broken by name; counts.  The
// first that fits whatever the run may show is kept, so that nothing changes its form while it plays.
const VERDICT_FORMS = [
  (run, verdicts) => verdicts.map(([verdict, word], n) => chip(verdict, nameOf(run, n) + said(verdict, word))),
  (run, verdicts) => verdicts.map(([verdict], n) => chip(verdict, nameOf(run, n))),
  (run, verdicts) => [
    ...verdicts.flatMap(([verdict, word], n) =>
      (verdict === "bad" ? [chip(verdict, nameOf(run, n) + said(verdict, word))] : [])),
    ...countChips(verdicts, ["open", "good"]),
  ],
  (_, verdicts) => countChips(verdicts, ["bad", "open", "good"]),
];

const COUNTED = { bad: "broken", open: "open", good: "hold" };

function countChips(verdicts, wanted) {
  const counts = wanted.map((which) => [which, verdicts.filter(([verdict]) => verdict === which).length]);
  return counts.flatMap(([which, count]) => (count ? [chip(which, `${count} ${COUNTED[which]}`)] : []));
}

const nameOf = (run, property) => run.model.properties[property].name;

function said(verdict, word) {
  return verdict === "good" ? "" : `: ${word || { open: "open", bad: "broken" }[verdict]}`;
}

function chip(verdict, text) {
  return make("span", { class: `nvp-verdict nvp-${verdict}` },
    make("span", { class: "nvp-verdict-sign", "aria-hidden": "true" }, VERDICT_SIGNS[verdict]), text);
}

function paintVerdicts(player, moment) {
  const { run, at } = player;
  setText(at.gone, player.gone);
  const key = `${player.verdictForm}/${[...moment.verdictStep].join()}`;
  if (player.verdictForm !== null && key === player.verdictsShown) return;
  if (player.verdictForm === null) player.verdictForm = fittingForm(player);
  at.verdicts.replaceChildren(...VERDICT_FORMS[player.verdictForm](run, verdictsAt(run, moment)));
  [...at.verdicts.children].forEach((node, n) => {
    if (player.verdictForm < 2) node.title = run.model.properties[n].sentence;
  });
  at.verdicts.title = player.verdictForm < 2 ? "" : verdictWords(run, moment).join("; ");
  at.verdicts.classList.toggle("nvp-few", player.verdictForm > 1);
  player.verdictsShown = `${player.verdictForm}/${[...moment.verdictStep].join()}`;
}

function fittingForm({ run, at }) {
  const seen = new Map([["start", run.model.properties.map(() => ["open", ""])]]);
  const now = run.model.properties.map(() => ["open", ""]);
  for (const step of run.steps) {
    if (!(step.verdicts || []).length) continue;
    for (const [property, verdict, word] of step.verdicts) now[property] = [verdict, word];
    seen.set(JSON.stringify(now), now.map((one) => [...one]));
  }
  const fits = (form) => [...seen.values()].slice(0, 64).every((verdicts) => {
    at.verdicts.replaceChildren(...form(run, verdicts));
    return at.verdicts.scrollWidth <= at.verdicts.clientWidth;
  });
  const found = VERDICT_FORMS.findIndex(fits);
  return found < 0 ? VERDICT_FORMS.length - 1 : found;
}
