// What every page does: times in the browser's zone, secrets that show themselves, copying.
import { make } from "./parts.js";
import { post } from "./requests.js";

const language = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const whole = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const STEPS = [
  ["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity],
];

/** Show a time as "5 minutes ago", with the whole time as its title. */
export function showTime(element) {
  const when = new Date(element.dateTime);
  let count = (when - Date.now()) / 1000;
  for (const [unit, next] of STEPS) {
    if (Math.abs(count) < next || next === Infinity) {
      element.textContent = relative.format(Math.round(count), unit);
      break;
    }
    count /= next;
  }
  element.title = whole.format(when);
}

/** Return an element that shows a time so. */
export function ago(when) {
  const element = make("time", { datetime: when.toISOString(), "data-when": "" });
  showTime(element);
  return element;
}

function showTimes() {
  for (const element of document.querySelectorAll("time[data-when]")) showTime(element);
}

async function reveal(secret) {
  const body = secret.querySelector(".secret-body");
  const button = secret.querySelector("[data-reveal]");
  const failed = secret.querySelector("[data-failed]");
  failed.hidden = true;
  button.disabled = true;
  try {
    const told = await post(secret.closest("[data-secrets]").dataset.secrets, {});
    const { text, qr } = secret.dataset.secret ? told[secret.dataset.secret] : told;
    body.querySelector("[data-text]").textContent = text;
    const picture = new DOMParser().parseFromString(qr, "text/html").querySelector("svg");
    body.querySelector("[data-qr]").replaceChildren(document.adoptNode(picture));
    body.hidden = false;
    button.hidden = true;
    body.querySelector("[data-text]").focus();
  } catch {
    failed.hidden = false;
    button.disabled = false;
  }
}

async function copy(button) {
  const text = (button.closest("[data-copies]") ?? button.parentElement).querySelector("[data-text]");
  const label = button.textContent;
  try {
    // Only there on HTTPS and on the machine itself.
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text);
    document.execCommand("copy");
  }
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = label; }, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.matches("[data-reveal]")) reveal(button.closest(".secret"));
  if (button?.matches("[data-copy]")) copy(button);
});
// Where the tabs or the menu are wider than the window, the present one is to be seen.
for (const each of document.querySelectorAll(".tabs [aria-current], .menu [aria-current]")) {
  each.scrollIntoView({ block: "nearest", inline: "center" });
}
showTimes();
setInterval(showTimes, 30_000);
