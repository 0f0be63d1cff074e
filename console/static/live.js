// The page of a device as it is now. One stream of events serves all of its parts.
import { showOnline } from "./dots.js";
import { startCommands } from "./live_commands.js";
import { Control } from "./live_control.js";
import { Frames } from "./live_frames.js";
import { startPrograms } from "./live_programs.js";
import { listen } from "./stream.js";

const page = document.querySelector("[data-live]");
const texts = JSON.parse(page.dataset.texts);
const address = page.dataset.live;
const part = (name) => page.querySelector(`[data-part="${name}"]`);

const control = part("control") && new Control(part("control"), address, texts);
const frames = part("frames") && new Frames(part("frames"), texts);
startCommands(part("commands"), address, texts);
startPrograms(part("programs"), page.dataset.secretsAt);

listen(`${address}/events`, {
  online: (event) => {
    showOnline(event);
    control?.online(event.online);
  },
  state: (state) => control?.heard(state),
  frame: (frame) => frames?.add(frame),
}, () => frames?.missed());
