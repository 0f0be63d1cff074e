// Dots and times of devices that change by themselves, on every page that has some.
import { showTime } from "./page.js";
import { listen } from "./stream.js";

function seen({ id }) {
  for (const place of document.querySelectorAll(`[data-device="${id}"] [data-seen], [data-seen="${id}"]`)) {
    const time = document.createElement("time");
    time.dateTime = new Date().toISOString();
    time.dataset.when = "";
    showTime(time);
    place.replaceChildren(time);
  }
}

function online({ id, online: isOnline }) {
  for (const dot of document.querySelectorAll(`[data-dot="${id}"]`)) {
    dot.classList.toggle("dot-on", isOnline);
    dot.querySelector(".dot-text").textContent = isOnline ? dot.dataset.on : dot.dataset.off;
  }
}

// A stream begins with who is on-line, so nothing is missed between two of them.
listen("/events", { online, seen, datapoint: seen }, () => {});
