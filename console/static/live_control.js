// The control of a plug, a light or a power strip: shows the device's state, and sends what is moved.
import { Light } from "./live_light.js";
import { fill, make } from "./parts.js";
import { post } from "./requests.js";

const POLL = 10_000; // A plug tells nobody of its button.
const GAP = 150;

class Plug {
  constructor(fields, want) {
    this.switch = fields.querySelector("[data-on]");
    this.switch.addEventListener("change", () => want({ on: this.switch.checked }));
  }

  show({ on }) {
    this.switch.checked = on;
  }
}

class Strip {
  constructor(fields, want, texts) {
    this.place = fields.querySelector("[data-sockets]");
    this.want = want;
    this.texts = texts;
  }

  show({ sockets }) {
    if (this.place.children.length !== sockets.length) {
      this.place.replaceChildren(...sockets.map((_, socket) => this.makeSocket(socket)));
    }
    this.place.querySelectorAll("input").forEach((input, socket) => { input.checked = sockets[socket]; });
  }

  makeSocket(socket) {
    const input = make("input", { type: "checkbox", role: "switch" });
    input.addEventListener("change", () => this.want({ socket, on: input.checked }));
    return make("label", { class: "switch" }, input, fill(this.texts.socket, { number: socket + 1 }));
  }
}

const KINDS = { plug: Plug, light: Light, strip: Strip };

/** The part of the page: whether it can be used and why not, and one request at a time. */
export class Control {
  constructor(section, address, texts) {
    this.address = address;
    this.texts = texts;
    this.fields = section.querySelector("fieldset");
    this.note = section.querySelector("[data-note]");
    this.error = section.querySelector("[data-error]");
    this.isOnline = false;
    this.isBusy = false;
    this.state = undefined; // The device's, as far as it is known.
    this.news = undefined; // What came while a request was under way.
    this.wanted = new Map(); // What is to be sent: a later wish takes the place of an earlier one.
    this.kind = new KINDS[section.dataset.kind](this.fields, (wish) => this.want(wish), texts);
    setInterval(() => { if (this.isOnline && !document.hidden && !this.isBusy) this.read(); }, POLL);
  }

  /** The device has come or gone. */
  online(isOnline) {
    this.isOnline = isOnline;
    if (!isOnline) this.state = undefined; // It may be moved by hand meanwhile.
    this.enable(isOnline ? this.texts.reading : this.texts.offline);
    if (isOnline) this.read();
  }

  /** The server tells of the state. */
  heard(state) {
    if (this.isBusy) {
      this.news = state;
      return;
    }
    this.state = state;
    this.kind.show(state);
    this.enable("");
  }

  enable(reason) {
    const isUsable = this.isOnline && this.state !== undefined;
    this.fields.disabled = !isUsable;
    const text = isUsable ? "" : reason;
    if (this.note.textContent !== text) this.note.textContent = text;
    this.note.hidden = isUsable;
  }

  async read() {
    try {
      const { message } = await post(`${this.address}/read`, {});
      if (message && this.isOnline) this.enable(message);
    } catch (error) {
      if (this.isOnline) this.enable(error.status ? error.message : this.texts.unreachable);
    }
  }

  want(wish) {
    this.wanted.set(wish.socket ?? "", wish);
    if (!this.isBusy) this.send();
  }

  async send() {
    this.isBusy = true;
    let failure = "";
    while (this.wanted.size) {
      const [[name, wish]] = this.wanted;
      this.wanted.delete(name);
      this.news = undefined;
      failure = await this.sendOne(wish);
      if (this.wanted.size) await new Promise((resolve) => { setTimeout(resolve, GAP); });
    }
    this.isBusy = false;
    this.error.textContent = failure;
    this.error.hidden = !failure;
    const state = this.news ?? (failure ? this.state : undefined);
    if (state && this.isOnline) this.heard(state);
    clearTimeout(this.check);
    if (this.kind.settles) this.check = setTimeout(() => { if (this.isOnline) this.read(); }, this.kind.settles);
  }

  /** Send a wish, and return what is to be said of it. */
  async sendOne(wish) {
    try {
      const { answer, message, state } = await post(`${this.address}/control`, wish);
      if (message) return message;
      const status = answer.status ?? 200;
      if (status !== 200) return fill(this.texts.refused, { status });
      this.kind.accepted?.(state);
      return "";
    } catch (error) {
      return error.status ? error.message : this.texts.unreachable;
    }
  }
}
