// What shows whether a device is on-line, and when it was last heard of.
import { showTime } from "./page.js";

/** A device was heard of just now. */
export function seen({ id }) {
  for (const place of document.querySelectorAll(`[data-device="${id}"] [data-seen], [data-seen="${id}"]`)) {
    const time = document.createElement("time");
    time.dateTime = new Date().toISOString();
    time.dataset.when = "";
    showTime(time);
    place.replaceChildren(time);
  }
}

/** Show of a device whether it is on-line. */
export function showOnline({ id, online: isOnline }) {
  for (const dot of document.querySelectorAll(`[data-dot="${id}"]`)) {
    dot.classList.toggle("dot-on", isOnline);
    dot.querySelector(".dot-text").textContent = isOnline ? dot.dataset.on : dot.dataset.off;
  }
}
