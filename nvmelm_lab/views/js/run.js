// The run: one player model, and its state at any step.  The rules are those of views/replay.py.
// A `Run` never changes once made and is shared by all views of a model; each view has a `Cursor` of its own.
// States are held by tile (the smallest place whose state can differ); key frames make any step a short walk.
// The steps of a summary, which has counters, are frames; "step" in this code means either.

const WORDS = ["deallocated", "mapped", "changed", "copying", "equal", "lost or stale", "unreadable"];
const [DEALLOCATED, CHANGED, LOST] = [0, 2, 5];
const RANK = [0, 2, 4, 3, 1, 6, 5];
const WALK_STEPS = 64; // from a key frame on, at most, unless
const WALK_RUNS = 1 << 14; // they lay more runs than this: then fewer, down to one,
const FRAME_BYTES = 48 << 20; // or all key frames would take more than this: then more

class Run {
  constructor(model) {
    this.model = model;
    this.steps = model.steps;
    this.length = model.steps.length;
    this.slots = model.queue.slots;
    this.summary = Boolean(model.counters);
    this.unit = this.summary ? "frame" : "step";
    this.grain = this.summary ? model.cell_lbas : grainOf(model);
    this.tiles = Math.ceil(model.blocks / this.grain);
    this.short = this.tiles * this.grain - model.blocks;
    this.highest = (model.counters || []).map((_, n) => Math.max(...model.steps.map((step) => step.counts[n])));
    this.versions = [];
    this.entries = [];
    this.turnsBad = new Set();
    this.frameSteps = frameStepsOf(this);
    this.frames = [];
    const moment = startOf(this);
    for (let index = 0; index < this.length; index += 1) {
      applyStep(this, moment, index);
      noteFacts(this, moment, index);
      if (index % this.frameSteps === 0) this.frames.push(copyOf(moment));
    }
  }

  phaseAt(index) {
    let found = 0;
    this.model.phases.forEach((phase, n) => {
      if (phase.first !== null && phase.first <= index) found = n;
    });
    return found;
  }

  // The steps that touch any LBA from `first` to `last`, in order.
  touching(first, last) {
    const hits = (run) => run[0] <= last && run[0] + run[1] > first;
    const found = [];
    this.steps.forEach((step, index) => {
      const runs = [...(step.lbas ? [step.lbas] : []), ...(step.source || []), ...(step.destination || [])];
      if (runs.some(hits)) found.push(index);
    });
    return found;
  }
}

class Cursor {
  constructor(run) {
    this.run = run;
    this.moment = copyOf(run.frames[0]);
  }

  // The run after step `index`.  The same object is handed out again and again: read it, keep nothing of it.
  at(index) {
    const frame = Math.floor(index / this.run.frameSteps);
    const walked = index - this.moment.index;
    if (walked < 0 || walked > index - frame * this.run.frameSteps) this.moment = copyOf(this.run.frames[frame]);
    for (let next = this.moment.index + 1; next <= index; next += 1) applyStep(this.run, this.moment, next);
    return this.moment;
  }
}

// Steps from one key frame to the next.
function frameStepsOf({ steps, length, tiles }) {
  const runs = steps.reduce((sum, step) => sum + (step.source?.length ?? 0) + (step.destination?.length ?? 0), 0);
  const walk = Math.min(WALK_STEPS, Math.max(1, Math.floor((WALK_RUNS * length) / Math.max(1, runs))));
  return Math.max(walk, Math.ceil((length * 2 * tiles) / FRAME_BYTES));
}

// The largest power of two on whose multiples every run begins and ends; the end of the namespace need not be one.
// LBA numbers may pass 2^31: no bit operators.
function grainOf(model) {
  let grain = model.cell_lbas;
  const hold = (value) => {
    while (value % grain) grain /= 2;
  };
  const holdRuns = (runs) => (runs || []).forEach(([slba, blocks]) => {
    hold(slba);
    if (slba + blocks < model.blocks) hold(slba + blocks);
  });
  holdRuns(model.source.start);
  holdRuns(model.destination.start);
  for (const step of model.steps) {
    holdRuns(step.source);
    holdRuns(step.destination);
  }
  return grain;
}

function startOf(run) {
  const moment = {
    index: -1,
    source: new Uint8Array(run.tiles),
    destination: new Uint8Array(run.tiles),
    head: 0,
    tail: 0,
    read: 0,
    posted: 0,
    slotStep: new Int32Array(run.slots).fill(-1),
    verdictStep: new Int32Array(run.model.properties.length).fill(-1),
  };
  lay(run, moment.source, run.model.source.start);
  lay(run, moment.destination, run.model.destination.start);
  return moment;
}

function copyOf(moment) {
  return {
    ...moment,
    source: moment.source.slice(),
    destination: moment.destination.slice(),
    slotStep: moment.slotStep.slice(),
    verdictStep: moment.verdictStep.slice(),
  };
}

function lay(run, tiles, runs) {
  for (const [slba, blocks, state] of runs || []) {
    tiles.fill(state, slba / run.grain, Math.ceil((slba + blocks) / run.grain));
  }
}

function applyStep(run, moment, index) {
  const step = run.steps[index];
  lay(run, moment.source, step.source);
  lay(run, moment.destination, step.destination);
  if (step.entry) moment.slotStep[step.entry[0]] = index;
  const head = step.head ?? moment.head;
  const tail = step.tail ?? moment.tail;
  moment.read += (head - moment.head + run.slots) % run.slots;
  moment.posted += (tail - moment.tail + run.slots) % run.slots;
  moment.head = head;
  moment.tail = tail;
  for (const [property] of step.verdicts || []) moment.verdictStep[property] = index;
  moment.index = index;
}

// What the story of an LBA is looked up in, and where Play stops by itself.
function noteFacts(run, moment, index) {
  const step = run.steps[index];
  for (const [side, slba, blocks, version, writer] of step.versions || []) {
    run.versions.push({ index, side, first: slba, end: slba + blocks, version, writer });
  }
  if (step.entry && step.lbas) {
    const slot = step.entry[0];
    const number = moment.posted - ((moment.tail - slot + run.slots) % run.slots);
    run.entries.push({ index, slot, number, first: step.lbas[0], end: step.lbas[0] + step.lbas[1] });
  }
  if ((step.verdicts || []).some((verdict) => verdict[1] === "bad")) run.turnsBad.add(index);
}

// The verdict of each property at the moment: [verdict, word].
function verdictsAt(run, moment) {
  return run.model.properties.map((_, property) => {
    const index = moment.verdictStep[property];
    if (index < 0) return ["open", ""];
    const [, verdict, word] = run.steps[index].verdicts.findLast((one) => one[0] === property);
    return [verdict, word];
  });
}

function rankOf(moment, side, tile) {
  const source = moment.source[tile];
  if (side === 0) return RANK[source];
  const destination = moment.destination[tile];
  return destination === DEALLOCATED && source !== DEALLOCATED ? 1.5 : RANK[destination];
}

// The worst tile of a range of LBAs on one side.
function worstTile(run, moment, side, slba, blocks) {
  const last = Math.floor((slba + blocks - 1) / run.grain);
  let worst = Math.floor(slba / run.grain);
  for (let tile = worst + 1; tile <= last; tile += 1) {
    if (rankOf(moment, side, tile) > rankOf(moment, side, worst)) worst = tile;
  }
  return worst;
}

function stateOf(run, moment, side, slba, blocks) {
  return (side ? moment.destination : moment.source)[worstTile(run, moment, side, slba, blocks)];
}

function worstLba(run, moment, slba, blocks) {
  const [source, destination] = [0, 1].map((side) => worstTile(run, moment, side, slba, blocks));
  const heavier = rankOf(moment, 1, destination) - rankOf(moment, 0, source);
  const tile = heavier > 0 ? destination : heavier < 0 ? source : Math.min(source, destination);
  return Math.max(slba, tile * run.grain);
}

// The worst state among those in a bit mask; bit 7 is a destination tile that is still to be copied.
const TO_COPY = 7;
const WORST = Uint8Array.from({ length: 256 }, (_, mask) => {
  const there = [...RANK, 1.5].map((rank, bit) => (mask & (1 << bit) ? [rank, bit % TO_COPY] : [-1, 0]));
  return there.reduce((worst, one) => (one[0] > worst[0] ? one : worst))[1];
});

// One pass over all tiles: the worst state of each cell of the layout on either side, and the counts.
function tallyOf(run, moment, layout) {
  const { source, destination } = moment;
  const pairs = new Int32Array(64);
  const worst = [new Uint8Array(layout.count), new Uint8Array(layout.count)];
  const per = layout.cell / run.grain;
  const first = layout.first / run.grain;
  const end = first + Math.ceil(layout.blocks / run.grain);
  for (let cell = 0, tile = first; tile < end; cell += 1) {
    let here = 0;
    let there = 0;
    for (const stop = Math.min(tile + per, end); tile < stop; tile += 1) {
      const s = source[tile];
      const d = destination[tile];
      here |= 1 << s;
      there |= 1 << (d === DEALLOCATED && s !== DEALLOCATED ? TO_COPY : d);
      pairs[8 * s + d] += 1;
    }
    worst[0][cell] = WORST[here];
    worst[1][cell] = WORST[there];
  }
  countPairs(moment, 0, first, pairs);
  countPairs(moment, end, run.tiles, pairs);
  return { worst, counts: sumsOf(run, moment, pairs) };
}

function countPairs({ source, destination }, from, end, pairs) {
  for (let tile = from; tile < end; tile += 1) pairs[8 * source[tile] + destination[tile]] += 1;
}

function countsOf(run, moment) {
  const pairs = new Int32Array(64);
  countPairs(moment, 0, run.tiles, pairs);
  return sumsOf(run, moment, pairs);
}

// LBAs by state, from the number of tiles of each pair: at the source, at the destination, and on either of them.
function sumsOf(run, moment, pairs) {
  const counts = { source: WORDS.map(() => 0), destination: WORDS.map(() => 0), either: WORDS.map(() => 0) };
  const add = (s, d, blocks) => {
    counts.source[s] += blocks;
    counts.destination[d] += blocks;
    counts.either[s] += blocks;
    if (d !== s) counts.either[d] += blocks;
  };
  pairs.forEach((tiles, pair) => {
    if (tiles) add(pair >> 3, pair & 7, tiles * run.grain);
  });
  add(moment.source[run.tiles - 1], moment.destination[run.tiles - 1], -run.short);
  return counts;
}

// What is known of one LBA: see replay.story for the rule that ties an entry to a version.
function storyOf(run, moment, lba) {
  const [source, before] = lastVersions(run, moment.index, 0, lba);
  const [destination] = lastVersions(run, moment.index, 1, lba);
  const written = source ? source.index : 0;
  const entry = run.entries.findLast((one) =>
    one.index <= moment.index && one.index > before && lba >= one.first && lba < one.end &&
    (one.index >= written || run.steps[one.index].actor === run.steps[written].actor));
  return {
    lba,
    source: source ? source.version : "v0",
    destination: destination ? destination.version : "none yet",
    writer: source ? source.writer : "none",
    entry: entry ? `slot ${entry.slot}, ${entry.number < moment.read ? "read" : "waiting"}` : "none",
  };
}

function lastVersions(run, index, side, lba) {
  const covers = (one) => one.side === side && one.index <= index && lba >= one.first && lba < one.end;
  const at = run.versions.findLastIndex(covers);
  if (at < 0) return [null, -1];
  for (let n = at - 1; n >= 0; n -= 1) if (covers(run.versions[n])) return [run.versions[at], run.versions[n].index];
  return [run.versions[at], -1];
}
