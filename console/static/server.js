// The connections at the device port.
import { keepFresh } from "./fresh.js";

const refresh = keepFresh(document.querySelector("[data-fresh]"));
document.querySelector("[data-refresh]").addEventListener("click", refresh);
