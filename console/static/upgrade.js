// The steps of a device's upgrade, as they are reached.
import { listen } from "./stream.js";

const place = document.querySelector("[data-upgrade]");
const steps = [...place.querySelectorAll("[data-step]")];

function show({ version, step, percent, error, running }) {
  const reached = steps.findIndex((each) => each.dataset.step === step);
  const isOver = reached === steps.length - 1;
  steps.forEach((each, index) => {
    if (index < reached || isOver) each.dataset.state = "done";
    else if (index > reached) each.dataset.state = "";
    else each.dataset.state = error ? "failed" : "now";
  });
  place.querySelector("progress").value = percent;
  place.querySelector("[data-percent]").textContent = `${percent} %`;
  place.querySelector("[data-version]").textContent = version;
  const told = place.querySelector("[data-error]");
  told.textContent = error;
  told.hidden = !error;
  for (const each of document.querySelectorAll("[data-running]")) each.textContent = running || "–";
  place.hidden = false;
}

// A new connection begins with where the upgrade is.
listen(place.dataset.upgrade, { upgrade: show }, () => {});
