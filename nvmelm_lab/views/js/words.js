// The run in words: the same lines as views/text.py writes.

const MARKERS = ["ordinary", "first", "stopped", "suspended", "reserved", "reserved", "reserved", "full"];

const RESERVED = "Reserved";

function duration(ns) {
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
    if (ns >= size) {
      const thousandths = Math.floor(((ns % size) * 1000) / size);
      return `${Math.floor(ns / size)}.${String(thousandths).padStart(3, "0")} ${unit}`;
    }
  }
  return `${ns} ns`;
}

function lbaWords(slba, blocks) {
  return blocks === 1 ? `LBA ${slba}` : `LBAs ${slba}-${slba + blocks - 1}`;
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

// The parts of the one sentence: they are styled apart and read as one.
function sentenceParts(run, index) {
  const step = run.steps[index];
  return {
    place: `${capital(run.unit)} ${index + 1} of ${run.length}`,
    when: run.model.timed ? `, ${duration(step.t)}: ` : ": ",
    text: step.text,
    note: step.note ? `; ${step.note}` : "",
  };
}

function sentence(run, index) {
  return Object.values(sentenceParts(run, index)).join("");
}

// What is known of one LBA, in two parts: the second, its entry, is what may be at risk.
function storyParts(story) {
  const known = `LBA ${story.lba}: source ${story.source}, destination ${story.destination},` +
    ` last writer ${story.writer}; `;
  return [known, `entry: ${story.entry}`];
}

function storyLine(story) {
  return storyParts(story).join("");
}

function describe(run, moment) {
  const { model } = run;
  const counts = countsOf(run, moment);
  return [
    sentence(run, moment.index),
    ...(run.summary ? levelLines(run, moment) : doingLines(run, moment)),
    `${model.source.name}: ${countedWords(counts.source)}`,
    `${model.destination.name}: ${countedWords(counts.destination)}`,
    queueLine(run, moment),
    `Properties: ${verdictWords(run, moment).join("; ")}`,
  ];
}

const grouped = (number) => `${number}`.replace(/\B(?=(\d{3})+$)/g, "\u202f");

// A counter's level for reading, in number and unit: "1 204" and " LBAs"; "1.204 ms", where the unit tells the size.
function amountParts(value, { unit }) {
  if (unit === "ns") return [duration(value), ""];
  return [grouped(value), unit && ` ${unit}`];
}

function amount(value, counter) {
  return amountParts(value, counter).join("");
}

// What a frame of a summary has in place of one actor, its cause and its LBAs: a line for each counter.
function levelLines(run, moment) {
  const levels = run.steps[moment.index].counts;
  return [`Phase ${phaseWords(run, moment)}`, ...run.model.counters.map((one, n) =>
    `${one.name}: ${amount(levels[n], one)}, highest ${amount(run.highest[n], one)}. ${one.sentence}`)];
}

function doingLines(run, moment) {
  return [actsLine(run, moment), causeLine(run, moment.index), whereLine(run, moment)];
}

function phaseWords(run, moment) {
  const { phases } = run.model;
  const phase = run.phaseAt(moment.index);
  return `${phase + 1} of ${phases.length}, ${phases[phase].name}`;
}

function actsLine(run, moment) {
  const step = run.steps[moment.index];
  return `${step.actor} acts, in the lane ${run.model.lanes[step.lane]}; phase ${phaseWords(run, moment)}`;
}

function causeLine(run, index) {
  const cause = run.steps[index].cause ?? null;
  return cause === null ? "Cause: none" : `Cause: step ${cause + 1}: ${run.steps[cause].text}`;
}

function whereLine(run, moment) {
  const { lbas } = run.steps[moment.index];
  if (!lbas) return "Touches no LBA";
  return `Touches ${lbaWords(...lbas)}. ${storyLine(storyOf(run, moment, worstLba(run, moment, ...lbas)))}`;
}

function countedWords(numbers) {
  return numbers.map((number, state) => (number ? `${WORDS[state]} ${number}` : "")).filter(Boolean).join(", ");
}

function usedOf(run, moment) {
  return (moment.tail - moment.head + run.slots) % run.slots;
}

function queueLine(run, moment) {
  const line = `Migration Queue, CDQ ${run.model.queue.cdqid}: used ${usedOf(run, moment)} of ${run.slots - 1},` +
    ` head ${moment.head}, tail ${moment.tail}`;
  const { entry } = run.steps[moment.index];
  if (!entry) return line;
  const [slot, tag, esa, word] = entry;
  return `${line}; posted now: slot ${slot}, phase tag ${tag}, ESA ${esa}, ${word || MARKERS[esa]}`;
}

function verdictWords(run, moment) {
  return verdictsAt(run, moment).map(([verdict, word], property) =>
    `${run.model.properties[property].name}: ${verdict}${word ? ` (${word})` : ""}`);
}

// The step's SQE, CQE or MQE, field by field: [bytes, raw hex, name, value, meaning, source].
function decodeStep(run, index) {
  const raw = run.steps[index].bytes;
  if (!raw) return [];
  const data = raw[1].match(/../g).map((pair) => parseInt(pair, 16));
  const rows = run.model.layouts[raw[0]].fields.map((field) => decodeField(field, data));
  return rows.filter(([, , name, value]) => name !== RESERVED || value !== "0");
}

function decodeField(field, data) {
  const part = data.slice(field.byte, field.byte + field.size);
  const whole = part.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const width = BigInt(field.high_bit - field.low_bit + 1);
  const value = (whole >> BigInt(field.low_bit)) & ((1n << width) - 1n);
  const meaning = (field.values || {})[String(value)] ?? field.meaning;
  return [placeOf(field), hexOf(part), field.name, valueWords(value), meaning, field.source];
}

function placeOf({ byte, size, low_bit: low, high_bit: high }) {
  const where = size === 1 ? `${byte}` : `${byte + size - 1}:${byte}`;
  if (low === 0 && high === 8 * size - 1) return where;
  return low === high ? `${where} [${low}]` : `${where} [${high}:${low}]`;
}

function hexOf(part) {
  const pairs = part.map((byte) => byte.toString(16).padStart(2, "0"));
  if (part.length > 8 && part.every((byte) => byte === 0)) return `00 x ${part.length}`;
  return part.length <= 8 ? pairs.join(" ") : `${pairs.slice(0, 7).join(" ")} ..`;
}

function valueWords(value) {
  return value < 10n ? `${value}` : `${value} (${value.toString(16).toUpperCase()}h)`;
}
