// The table of datapoints: times in the browser's zone, and a row for each point that arrives.

import { make } from "./parts.js";

const exact = new Intl.DateTimeFormat(document.documentElement.lang,
  { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });
const MOST = 25;

/** Show the times of the table as they are, not how long ago. */
export function showExactTimes() {
  for (const time of document.querySelectorAll("time[data-exact]")) showTime(time);
}

function showTime(time) {
  time.textContent = exact.format(new Date(time.dateTime));
  time.title = time.dateTime;
}

/** Put a datapoint on top of the first page, unless it came late. */
export function addRow(values, at) {
  const rows = document.querySelector("[data-rows]");
  if (!rows) return;
  const datetime = new Date(at * 1000).toISOString().replace(".000", "");
  const time = make("time", { datetime, "data-exact": "" });
  const top = rows.querySelector("time");
  const columns = rows.dataset.rows.split(" ");
  if (top && top.dateTime > time.dateTime || Object.keys(values).some((name) => !columns.includes(name))) {
    refresh();
    return;
  }
  showTime(time);
  const row = rows.insertRow(0);
  row.insertCell().append(time);
  for (const name of columns) row.insertCell().textContent = name in values ? text(values[name]) : "";
  if (rows.rows.length > MOST) rows.deleteRow(-1);
}

export const text = (value) => typeof value === "string" ? value : JSON.stringify(value);

let isRefreshing = false;

/** Get the parts of the page that are marked so from the server anew; returns its page, null if there is none. */
export async function refresh() {
  if (isRefreshing) return null;
  isRefreshing = true;
  try {
    const response = await fetch(location.pathname + location.search);
    if (!response.ok) return null;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of document.querySelectorAll("[data-refresh]")) {
      const fresh = page.querySelector(`[data-refresh="${part.dataset.refresh}"]`);
      if (fresh && !part.contains(document.activeElement)) part.replaceChildren(...document.adoptNode(fresh).childNodes);
    }
    showExactTimes();
    return page;
  } catch {
    return null; // Without a connection there is nothing newer to show.
  } finally {
    isRefreshing = false;
  }
}
