// The device's frames as they pass: a row for each, the latest on top, no more than a page can hold.
import { fill, make, timeOf } from "./parts.js";

const MOST = 500;

function pretty({ text, length }) {
  return text.length < length ? `${text}…` : JSON.stringify(JSON.parse(text), null, 2);
}

export class Frames {
  constructor(section, texts) {
    const find = (name) => section.querySelector(`[data-${name}]`);
    this.texts = texts;
    this.list = find("list");
    this.empty = find("none");
    this.pause = find("pause");
    this.filter = find("filter");
    this.rows = []; // {frame, item}, the latest first.
    this.waiting = []; // Frames that are not on the page yet, the latest last.
    this.waitingCount = 0;
    this.isPaused = false;
    this.isDue = false;
    this.pause.addEventListener("click", () => this.setPaused(!this.isPaused));
    this.filter.addEventListener("change", () => this.applyFilter());
    find("clear").addEventListener("click", () => this.clear());
    find("download").addEventListener("click", () => this.download(section.dataset.file));
  }

  /** A frame has passed. */
  add(frame) {
    this.waiting.push(frame);
    this.waitingCount += 1;
    if (this.waiting.length > MOST) this.waiting.shift();
    this.draw();
  }

  /** There was no connection for a while. */
  missed() {
    this.add({ at: Date.now(), gap: true });
  }

  /** Draw what waits with the next picture, however many frames come until then. */
  draw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      if (this.isPaused) this.showPaused();
      else this.take();
    });
  }

  take() {
    const rows = this.waiting.map((frame) => ({ frame, item: this.row(frame) })).reverse();
    this.waiting = [];
    this.waitingCount = 0;
    this.list.prepend(...rows.map(({ item }) => item));
    this.rows.unshift(...rows);
    for (const { item } of this.rows.splice(MOST)) item.remove();
    this.applyFilter();
  }

  row(frame) {
    if (frame.gap) return make("li", { class: "frame-gap faint" }, timeOf(frame.at), ` ${this.texts.gap}`);
    const name = frame.from_device ? "from_device" : "to_device";
    const pre = make("pre", { tabindex: "0" });
    const details = make("details", {}, make(
      "summary", { class: "frame-head" },
      timeOf(frame.at),
      make("span", { class: `tag tag-${name.replace("_", "-")}` }, this.texts[name]),
      make("code", { class: "frame-text" }, frame.text),
    ), pre);
    details.addEventListener("toggle", () => {
      if (details.open && !pre.textContent) pre.textContent = pretty(frame);
    });
    return make("li", {}, details);
  }

  isWanted({ frame }) {
    return this.filter.value === "all" || frame.gap || frame.from_device === (this.filter.value === "from");
  }

  applyFilter() {
    let count = 0;
    for (const row of this.rows) {
      row.item.hidden = !this.isWanted(row);
      if (!row.item.hidden) count += 1;
    }
    this.empty.hidden = count > 0;
  }

  setPaused(isPaused) {
    this.isPaused = isPaused;
    if (!isPaused) this.take();
    this.showPaused();
  }

  showPaused() {
    this.pause.textContent = this.isPaused
      ? fill(this.texts.proceed, { count: this.waitingCount })
      : this.texts.pause;
  }

  clear() {
    for (const { item } of this.rows.splice(0)) item.remove();
    this.applyFilter();
  }

  /** Save what is on the page as JSON, a line for each frame, the oldest first. */
  download(name) {
    const lines = this.rows.filter((row) => !row.frame.gap && this.isWanted(row)).reverse().map(({ frame }) => {
      const isWhole = frame.text.length === frame.length;
      const line = {
        time: new Date(frame.at).toISOString(),
        from_device: frame.from_device,
        frame: isWhole ? JSON.parse(frame.text) : frame.text,
      };
      return `${JSON.stringify(line)}\n`;
    });
    const url = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}
