// The control of a light: on and off, a color or white, and how bright.

function rgbOf(text) {
  return [1, 3, 5].map((start) => Number.parseInt(text.slice(start, start + 2), 16));
}

function textOf(channels) {
  return `#${channels.slice(0, 3).map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}

export class Light {
  constructor(fields, want) {
    const find = (name) => fields.querySelector(`[data-${name}]`);
    this.settles = 2500; // ms; what it reports before is only on its way.
    this.switch = find("on");
    this.modes = find("modes");
    this.isColor = find("is-color");
    this.isWhite = find("is-white");
    this.color = find("color");
    this.brightness = find("brightness");
    this.output = find("output");
    this.channels = [255, 255, 255, 0];
    this.isNew = false;
    this.isKnown = false;
    this.mine = ""; // The levels that this page has set: there are several ways back from them.
    const send = (isOn) => {
      this.switch.checked = isOn;
      this.showOutput();
      want(this.wish());
    };
    this.switch.addEventListener("change", () => send(this.switch.checked));
    this.brightness.addEventListener("input", () => send(true));
    this.color.addEventListener("input", () => {
      const rgb = rgbOf(this.color.value);
      this.isColor.checked = true;
      // Black is off, and leaves the color for the next time.
      if (rgb.some(Boolean)) this.channels = [...rgb, 0];
      send(rgb.some(Boolean));
    });
    this.isColor.addEventListener("change", () => {
      const rgb = rgbOf(this.color.value);
      this.channels = rgb.some(Boolean) ? [...rgb, 0] : [255, 255, 255, 0];
      send(true);
    });
    this.isWhite.addEventListener("change", () => {
      this.channels = [0, 0, 0, 255];
      send(true);
    });
  }

  wish() {
    return {
      on: this.switch.checked,
      is_new: this.isNew,
      channels: this.channels,
      brightness: Math.max(1, Math.round(this.brightness.valueAsNumber * 255 / 100)),
    };
  }

  /** The light has taken what was wished. */
  accepted({ on, levels }) {
    if (on) this.mine = String(levels);
  }

  show({ on, is_new: isNew, has_white: hasWhite, levels, channels, brightness }) {
    this.switch.checked = on;
    this.isNew = isNew;
    this.modes.hidden = !hasWhite;
    const isOther = on ? String(levels) !== this.mine : !this.isKnown;
    if (isOther) {
      this.mine = "";
      this.channels = channels;
      this.brightness.value = Math.max(1, Math.round(brightness * 100 / 255));
      const isWhite = !channels.slice(0, 3).some(Boolean);
      this.isWhite.checked = isWhite;
      this.isColor.checked = !isWhite;
      if (!isWhite) this.color.value = textOf(channels);
    }
    this.isKnown = true;
    this.showOutput();
  }

  showOutput() {
    const text = `${this.brightness.value} %`;
    this.output.textContent = text;
    this.brightness.setAttribute("aria-valuetext", text);
  }
}
