// Dots and times of devices that change by themselves, on every page that has some.
import { seen, showOnline } from "./dots.js";
import { listen } from "./stream.js";

// A stream begins with who is on-line, so nothing is missed between two of them.
listen("/events", { online: showOnline, seen, datapoint: seen }, () => {});
