// Who has come, and whose key nobody knows.
import { keepFresh } from "./fresh.js";

const notice = document.querySelector("[data-unknown]");

function unknown({ address }) {
  notice.querySelector("[data-address]").textContent = address;
  notice.hidden = false;
}

keepFresh(document.querySelector("[data-fresh]"), { unknown });
