// The page of a datastream: which time its chart shows, the values under the mouse, and points as they arrive.
import { Chart, formatNumber } from "./chart.js";
import { fill, make } from "./parts.js";
import { get } from "./requests.js";
import { listen } from "./stream.js";
import { addPoint, countBetween } from "./summaries.js";
import { addRow, refresh, showExactTimes } from "./points.js";

const HOUR = 3600;
const SPANS = { hour: HOUR, day: 24 * HOUR, week: 168 * HOUR, month: 720 * HOUR, year: 8760 * HOUR, all: null };
const LEAST_SPAN = 10;

const page = document.querySelector("[data-datastream]");
const { datastream: name, address, unit } = page.dataset;
const deviceId = Number(page.dataset.deviceId);
const place = page.querySelector("[data-chart]");
const caption = page.querySelector("[data-caption]");
const legend = page.querySelector("[data-legend]");
const back = page.querySelector("[data-back]");
const csv = document.querySelector("[data-csv]");
const language = document.documentElement.lang;
const whole = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const count = new Intl.NumberFormat(language);

let last = page.dataset.last ? Number(page.dataset.last) : null;
let view; // { range } by its name, or { start, end }
let shown; // the start and the end of what is drawn
let summary;
let asked = 0;
let arriving = []; // the datapoints that came since the server was asked
let heard = 0; // datapoints since the page was opened
let isCaughtUp = false;
const earlier = []; // the views before this one, with what was drawn

const now = () => Math.floor(Date.now() / 1000);
/** Where a range ends: at the last point, as long as that is not in the future. */
const newest = () => last !== null && last < now() ? last : now();
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
function duration(seconds) {
  const [unitName, length] = UNITS.find(([, length]) => seconds >= length);
  const options = { style: "unit", unit: unitName, unitDisplay: "long", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, options).format(seconds / length);
}
const inZone = (seconds) => whole.format(new Date(seconds * 1000));

const chart = new Chart(place, {
  onSelect: (start, end) => go({ start: Math.floor(start), end: Math.ceil(end) }),
  onBack: goBack,
  onCursor: showValues,
});

/** Ask for what a view shows, and draw it; the answer of an earlier question is left out. */
async function load() {
  const number = ++asked;
  const query = new URLSearchParams({ buckets: Math.min(2000, Math.max(100, place.clientWidth)) });
  if (view.range !== "all") {
    const end = view.end ?? newest();
    query.set("start", view.start ?? end - SPANS[view.range]);
    query.set("end", end);
  }
  arriving = [];
  page.setAttribute("aria-busy", "true");
  caption.textContent = caption.dataset.reading;
  let answer;
  try {
    answer = await get(`${address}/summary?${query}&preview`);
    if (answer.is_preview && number === asked) {
      // A sample is there at once; the caption says that the rest is still being read.
      take(answer);
      chart.show(summary, shown.start, shown.end);
      showLegend();
      page.dataset.drawn = "";
      answer = await get(`${address}/summary?${query}`);
    }
  } catch (error) {
    if (number === asked) {
      caption.textContent = error.message;
      page.removeAttribute("aria-busy");
    }
    return;
  }
  if (number !== asked) return;
  take(answer);
  draw();
  // What is later than the end that was asked for is not in the answer.
  for (const { values, at } of arriving) if (at > answer.end) follow(values, at);
}

function take(answer) {
  summary = answer;
  shown = { start: answer.start, end: Math.max(answer.end, answer.start + 1) };
}

function draw() {
  chart.show(summary, shown.start, shown.end);
  showLegend();
  showCaption();
  page.removeAttribute("aria-busy");
  page.dataset.drawn = "";
}

function show(next) {
  describe(next);
  return load();
}

/** Say which view it is, on the buttons and in the address. */
function describe(next) {
  view = next;
  for (const button of page.querySelectorAll("[data-range]")) {
    button.setAttribute("aria-pressed", String(button.dataset.range === view.range));
  }
  back.disabled = !earlier.length;
  history.replaceState(null, "", view.range ? `#${view.range}` : `#${view.start}-${view.end}`);
}

function go(next) {
  if (next.range && next.range === view.range) return load();
  earlier.push({ view, drawn: page.hasAttribute("aria-busy") ? null : { summary, shown, heard } });
  return show(next);
}

function goBack() {
  if (!earlier.length) return;
  const { view: before, drawn } = earlier.pop();
  // What was drawn holds unless something has come since.
  if (drawn?.summary && drawn.heard === heard) {
    asked += 1;
    describe(before);
    ({ summary, shown } = drawn);
    draw();
  } else {
    show(before);
  }
}

/** Move or scale the time that is shown. */
function move(how) {
  if (!shown) return;
  const span = Math.max(shown.end - shown.start, LEAST_SPAN);
  const [from, to] = { earlier: [-0.5, -0.5], later: [0.5, 0.5], in: [0.25, -0.25], out: [-0.5, 0.5] }[how];
  const start = Math.max(0, Math.round(shown.start + from * span));
  const end = Math.round(shown.end + to * span);
  if (end - start >= LEAST_SPAN) go({ start, end });
}

function showCaption() {
  const { start, end } = shown;
  const points = countBetween(summary, start, end);
  const texts = caption.dataset;
  const text = !points ? texts.nothing
    : !Object.keys(summary.series).length ? texts.noNumbers
      : summary.width ? texts.buckets : texts.points;
  const values = { count: count.format(points), from: inZone(start), to: inZone(end), width: duration(summary.width || 1) };
  caption.textContent = fill(text, values);
  csv.href = `${address}/csv?start=${start}&end=${end}`;
  csv.hidden = !points;
}

function showLegend() {
  legend.replaceChildren(...chart.names.map((dimension) => {
    const value = make("span", { "data-value": dimension });
    const button = make("button", { type: "button", class: `series series-${dimension}` }, dimension, " ", value);
    button.setAttribute("aria-pressed", String(!chart.hidden.has(dimension)));
    button.addEventListener("click", () => {
      chart.toggle(dimension);
      button.setAttribute("aria-pressed", String(!chart.hidden.has(dimension)));
    });
    return button;
  }), make("span", { class: "faint legend-time" }));
  showValues(null);
}

/** Show the values under the mouse, or else the last ones. */
function showValues(index) {
  if (!summary) return;
  const at = index ?? summary.at.length - 1;
  for (const value of legend.querySelectorAll("[data-value]")) {
    const { least, mean, greatest } = summary.series[value.dataset.value] ?? {};
    const middle = mean?.[at] ?? null;
    const around = summary.width && middle !== null && least[at] !== greatest[at]
      ? ` (${formatNumber(least[at])} – ${formatNumber(greatest[at])})` : "";
    value.textContent = middle === null ? "–" : `${formatNumber(middle)}${unit ? ` ${unit}` : ""}${around}`;
  }
  const time = legend.querySelector(".legend-time");
  if (time) time.textContent = at >= 0 ? inZone(summary.at[at]) : "";
}

function arrived({ id, stream, values, at }) {
  if (id !== deviceId || stream !== name) return;
  heard += 1;
  addRow(values, at);
  if (page.hasAttribute("aria-busy")) arriving.push({ values, at });
  else follow(values, at);
}

/** Draw a new datapoint; the chart follows the newest ones unless a person looks at another time. */
function follow(values, at) {
  const before = newest();
  last = Math.max(last ?? at, at);
  if (!summary || !view.range) return;
  if (!addPoint(summary, values, at)) {
    load();
    return;
  }
  const isAll = view.range === "all";
  const end = Math.max(shown.end, isAll ? at : newest());
  const shift = isAll || end === shown.end ? 0 : Math.max(0, newest() - before);
  shown = { start: shown.start + shift, end };
  chart.update(shown.start, shown.end);
  if (legend.querySelectorAll("[data-value]").length !== chart.names.length) showLegend();
  showValues(null);
  showCaption();
}

/** Show what came while nobody listened. */
async function catchUp() {
  const fresh = await refresh();
  const there = Number(fresh?.querySelector("[data-datastream]")?.dataset.last ?? 0);
  if (there <= (last ?? 0)) return;
  heard += 1;
  last = there;
  if (view.range) load();
}

/** A stream of events begins with who is on-line: what came before, since the page was made, may be missing. */
function online({ id }) {
  if (id !== deviceId || isCaughtUp) return;
  isCaughtUp = true;
  catchUp();
}

page.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button?.dataset.range) go({ range: button.dataset.range });
  else if (button?.dataset.move) move(button.dataset.move);
  else if (button === back) goBack();
});

function fromAddress() {
  const hash = location.hash.slice(1);
  const [, start, end] = /^(\d{1,12})-(\d{1,12})$/.exec(hash) ?? [];
  if (start && Number(start) < Number(end)) return { start: Number(start), end: Number(end) };
  return { range: hash in SPANS ? hash : "day" };
}

showExactTimes();
show(fromAddress());
listen("/events", { datapoint: arrived, online }, catchUp);
