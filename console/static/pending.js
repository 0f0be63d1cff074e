// The list of devices that wait.
import { keepFresh } from "./fresh.js";

keepFresh(document.querySelector("[data-fresh]"));
