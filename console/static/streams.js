// The list of a device's datastreams, with the latest values as they arrive.
import { ago } from "./page.js";
import { make } from "./parts.js";
import { text } from "./points.js";
import { listen } from "./stream.js";

const table = document.querySelector("[data-streams]");

function reading(name, value, unit) {
  const label = make("span", { class: "faint" }, name);
  return make("span", { class: "reading" }, label, ` ${text(value)}${unit ? ` ${unit}` : ""}`);
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
  row.querySelector("[data-last]").replaceChildren(ago(new Date(at * 1000)));
}

listen("/events", { datapoint: arrived });
