// Draws what the server tells of a datastream: a line for each dimension, and where it tells of intervals
// the least and the greatest value around their mean. Knows no server and no page but its own place.
import uPlot from "./vendor/uplot/uPlot.esm.js";

const DIMENSIONS = ["x", "y", "z", "k", "l"];
const MOST_DOTS = 100;
const language = document.documentElement.lang;
const dark = matchMedia("(prefers-color-scheme: dark)");

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function format(options) {
  return new Intl.DateTimeFormat(language, { hourCycle: "h23", ...options });
}
const CLOCK = format({ hour: "2-digit", minute: "2-digit" });
const SECONDS = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = format({ day: "numeric", month: "short" });
const MONTH = format({ month: "short" });
const YEAR = format({ year: "numeric" });
const large = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
const small = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });

export const formatNumber = (value) => (Math.abs(value) < 1 ? small : large).format(value);

/** The texts at the ticks of the time axis; the coarser part stands below where it changes. */
function times(chart, ticks, axis, space, step) {
  const [fine, coarse] = step < 60 ? [SECONDS, DAY] : step < 86400 ? [CLOCK, DAY]
    : step < 28 * 86400 ? [DAY, YEAR] : step < 365 * 86400 ? [MONTH, YEAR] : [YEAR, null];
  let before;
  return ticks.map((tick) => {
    const when = new Date(tick * 1000);
    const below = coarse?.format(when);
    const text = below === before ? fine.format(when) : `${fine.format(when)}\n${below}`;
    before = below;
    return text;
  });
}

/**
 * A chart in an element. `onSelect(start, end)` is called with what was marked with the mouse, `onBack()` for a
 * double click, and `onCursor(index)` with the point under the mouse, null where there is none.
 */
export class Chart {
  constructor(place, { onSelect, onBack, onCursor }) {
    this.place = place;
    this.handlers = { onSelect, onBack, onCursor };
    this.hidden = new Set();
    dark.addEventListener("change", () => this.#make());
    new ResizeObserver(() => this.plot?.setSize(this.#size())).observe(place);
  }

  /** Show a summary of the server from `start` to `end`, epoch seconds. */
  show(summary, start, end) {
    this.summary = summary;
    this.range = [start, end];
    this.names = DIMENSIONS.filter((name) => name in summary.series);
    this.#make();
  }

  /** Draw again what has changed in the summary, maybe over another time. */
  update(start, end) {
    this.range = [start, end];
    const names = DIMENSIONS.filter((name) => name in this.summary.series);
    if (!this.plot || names.length !== this.names.length) this.show(this.summary, start, end);
    else this.plot.setData(this.#data());
  }

  /** Show or hide a dimension. */
  toggle(name) {
    if (!this.hidden.delete(name)) this.hidden.add(name);
    this.#make();
  }

  #size() {
    const width = Math.max(this.place.clientWidth, 100);
    return { width, height: Math.round(Math.min(380, Math.max(220, width * 0.45))) };
  }

  /** The time with some room, so that points at its ends are seen whole. */
  #padded() {
    const [start, end] = this.range;
    const room = Math.max(1, (end - start) / 100);
    return [start - room, end + room];
  }

  #shown() {
    return this.names.filter((name) => !this.hidden.has(name));
  }

  /** The columns of the summary; a mean is in the middle of its interval. */
  #data() {
    const { at, width, series } = this.summary;
    const columns = this.#shown().flatMap((name) => {
      const { least, mean, greatest } = series[name];
      return width ? [greatest, least, mean] : [mean];
    });
    return [at.map((second) => second + width / 2), ...columns];
  }

  #make() {
    if (!this.summary) return;
    this.plot?.destroy();
    const shown = this.#shown();
    const isBanded = this.summary.width > 0;
    const isSparse = this.summary.at.length <= MOST_DOTS;
    const series = [{}];
    const bands = [];
    for (const name of shown) {
      const stroke = color(`--series-${DIMENSIONS.indexOf(name) + 1}`);
      if (isBanded) {
        bands.push({ series: [series.length, series.length + 1], fill: `${stroke}33` });
        const edge = { stroke: `${stroke}55`, width: 1, spanGaps: true, points: { show: false } };
        series.push(edge, edge);
      }
      // A dimension that some points lack has a line all the same, and one value alone a dot.
      series.push({ label: name, stroke, width: 2, spanGaps: true, points: { show: isSparse, size: 5, fill: stroke } });
    }
    const axis = { stroke: color("--faint"), grid: { stroke: color("--line"), width: 1 },
      ticks: { stroke: color("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
    const { onSelect, onBack, onCursor } = this.handlers;
    this.plot = new uPlot({
      ...this.#size(),
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { show: true, size: 7 },
        bind: { dblclick: () => () => onBack() },
      },
      scales: { x: { time: true, range: () => this.#padded() } },
      axes: [
        { ...axis, values: times, space: 70, size: 48 },
        { ...axis, size: 58, values: (chart, ticks) => ticks.map(formatNumber) },
      ],
      series,
      bands,
      hooks: {
        setSelect: [(plot) => {
          const { left, width } = plot.select;
          if (width < 3) return;
          const [start, end] = [left, left + width].map((pixel) => plot.posToVal(pixel, "x"));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onSelect(start, end);
        }],
        setCursor: [(plot) => onCursor(plot.cursor.idx)],
      },
    }, this.#data(), this.place);
  }
}
