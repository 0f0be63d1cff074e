// The list of a device's datastreams, with the latest values as they arrive.
import { showTime } from "./page.js";
import { text } from "./points.js";
import { listen } from "./stream.js";

const table = document.querySelector("[data-streams]");

function reading(name, value, unit) {
  const part = document.createElement("span");
  part.className = "reading";
  const label = document.createElement("span");
  label.className = "faint";
  label.textContent = name;
  part.append(label, ` ${text(value)}${unit ? ` ${unit}` : ""}`);
  return part;
}

function arrived({ id, stream, values, at }) {
  if (!table || id !== Number(table.dataset.streams)) return;
  const row = [...table.querySelectorAll("[data-stream]")].find((each) => each.dataset.stream === stream);
  if (!row) {
    location.reload();
    return;
  }
  row.querySelector("[data-latest]").replaceChildren(
    ...Object.entries(values).map(([name, value]) => reading(name, value, row.dataset.unit)));
  const count = row.querySelector("[data-count]");
  count.dataset.count = Number(count.dataset.count) + 1;
  count.textContent = Number(count.dataset.count).toLocaleString("en");
  const time = document.createElement("time");
  time.dateTime = new Date(at * 1000).toISOString();
  time.dataset.when = "";
  showTime(time);
  row.querySelector("[data-last]").replaceChildren(time);
}

listen("/events", { datapoint: arrived });
