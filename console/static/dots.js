// What shows whether a device is on-line, and when it was last heard of.
import { ago } from "./page.js";

/** A device was heard of just now. */
export function seen({ id }) {
  for (const place of document.querySelectorAll(`[data-device="${id}"] [data-seen], [data-seen="${id}"]`)) {
    place.replaceChildren(ago(new Date()));
  }
}

const endings = new Map();

/** Show of a device whether it is on-line; a sensor is so for some seconds only, unless it posts again. */
export function showOnline({ id, online: isOnline, seconds = 0 }) {
  clearTimeout(endings.get(id));
  if (seconds) endings.set(id, setTimeout(showOnline, seconds * 1000, { id, online: false }));
  for (const dot of document.querySelectorAll(`[data-dot="${id}"]`)) {
    dot.classList.toggle("dot-on", isOnline);
    dot.querySelector(".dot-text").textContent = isOnline ? dot.dataset.on : dot.dataset.off;
  }
}
