// Parts of a page that the server renders anew whenever it says that they have changed.
import { showTime } from "./page.js";
import { listen } from "./stream.js";

const AT_MOST_EVERY = 500;

/**
 * Keep a part up to date: `data-fresh` is where it comes from, `data-events` the stream that tells when.
 *
 * `handlers` are for further events of that stream.
 */
export function keepFresh(part, handlers = {}) {
  let timer;
  let last = 0;

  async function refresh() {
    timer = undefined;
    last = Date.now();
    const response = await fetch(part.dataset.fresh);
    if (response.redirected) location.reload(); // signed out
    if (!response.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const focused = document.activeElement?.id;
    part.replaceChildren(...page.body.childNodes);
    for (const time of part.querySelectorAll("time[data-when]")) showTime(time);
    if (focused) document.getElementById(focused)?.focus();
  }

  /** What happens often is shown as often as a person can read it. */
  function refreshSoon() {
    timer ??= setTimeout(refresh, Math.max(0, last + AT_MOST_EVERY - Date.now()));
  }

  listen(part.dataset.events, { ...handlers, changed: refreshSoon }, refreshSoon);
  return refreshSoon;
}
