// Commands that a person types, and what the device answers. Several may be under way.
import { fill, make, timeOf } from "./parts.js";
import { post } from "./requests.js";

const KEPT = 50;
const REMEMBERED = 30;
const STORE = "local_cloud_actions";
const KEY = /[0-9a-f]{40}/i;

/** Return the names of actions that were sent in this browser, the latest first. */
function remembered() {
  try {
    const names = JSON.parse(localStorage.getItem(STORE) ?? "[]");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

function remember(action, list) {
  if (action && !KEY.test(action)) {
    const names = [action, ...remembered().filter((name) => name !== action)].slice(0, REMEMBERED);
    try {
      localStorage.setItem(STORE, JSON.stringify(names));
    } catch {
      // Some browsers keep nothing; then nothing is offered again.
    }
  }
  list.replaceChildren(...remembered().map((name) => make("option", { value: name })));
}

/** Let the rows of parameters be added and removed. */
function startRows(form, texts) {
  const rows = form.querySelector("[data-rows]");
  const template = form.querySelector("template");
  const add = form.querySelector("[data-add]");
  add.addEventListener("click", () => {
    const row = template.content.firstElementChild.cloneNode(true);
    row.querySelector("[data-remove]").addEventListener("click", () => {
      const near = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (near?.querySelector("[data-remove]") ?? add).focus();
      number();
    });
    rows.append(row);
    number();
    row.querySelector("[data-name]").focus();
  });

  function number() {
    [...rows.children].forEach((row, index) => {
      row.setAttribute("aria-label", fill(texts.parameter, { number: index + 1 }));
    });
  }
}

function parametersOf(form) {
  return [...form.querySelectorAll("[data-rows] > *")]
    .map((row) => [row.querySelector("[data-name]").value.trim(), row.querySelector("[data-value]").value])
    .filter(([name, value]) => name || value);
}

function valuesOf(form) {
  const fields = [...form.querySelectorAll("[data-dimension]")];
  return Object.fromEntries(fields.map((field) => [field.dataset.dimension, field.value]));
}

/** Make the forms of a section work. */
export function startCommands(section, address, texts) {
  const results = section.querySelector("[data-results]");
  const announce = section.querySelector("[data-announce]");
  const empty = section.querySelector("[data-empty]");
  const actions = section.querySelector("[data-actions]");

  async function send(title, command) {
    const outcome = make("span", { class: "faint" }, texts.under_way);
    const item = make("li", {}, make("p", { class: "result-head" }, make("code", {}, title), outcome, timeOf(Date.now())));
    results.prepend(item);
    empty.hidden = true;
    while (results.children.length > KEPT) results.lastElementChild.remove();
    try {
      const { answer, message, milliseconds } = await post(`${address}/command`, command);
      const taken = fill(texts.milliseconds, { number: milliseconds });
      if (answer) {
        const status = answer.status ?? 200;
        outcome.replaceChildren(make("span", { class: status >= 400 ? "bad" : "good" }, String(status)), ` · ${taken}`);
        item.append(make("pre", { tabindex: "0" }, JSON.stringify(answer, null, 2)));
        say(fill(texts.answered, { title, status, taken }));
      } else {
        fail(message, ` · ${taken}`);
      }
    } catch (error) {
      fail(error.status ? error.message : texts.unreachable, "");
    }

    function fail(message, taken) {
      outcome.replaceChildren(make("span", { class: "bad" }, texts.failed), taken);
      item.append(make("p", { class: "bad" }, message));
      say(`${title}: ${message}`);
    }
  }

  function say(text) {
    announce.textContent = text;
  }

  const rpc = section.querySelector("[data-rpc]");
  rpc.addEventListener("submit", (event) => {
    event.preventDefault();
    const action = rpc.elements.action.value.trim();
    const parameters = parametersOf(rpc);
    remember(action, actions);
    const shown = parameters.map(([name, value]) => `${name}=${value}`).join(" ");
    send(`${action} ${shown}`.trim(), { action, parameters });
  });
  startRows(rpc, texts);
  remember("", actions);

  const point = section.querySelector("[data-point]");
  point.addEventListener("submit", (event) => {
    event.preventDefault();
    const stream = point.elements.stream.value.trim();
    const sets = event.submitter?.value !== "GET";
    const values = valuesOf(point);
    const shown = Object.entries(values).filter(([, value]) => value.trim()).map(([name, value]) => `${name}=${value}`);
    send(
      sets ? `POST ${stream} ${shown.join(" ")}` : `GET ${stream}`,
      sets ? { stream, values } : { stream },
    );
  });
}
