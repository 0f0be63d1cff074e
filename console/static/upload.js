// Forms with files, with a bar that shows how much of them has arrived.
import { formToken } from "./requests.js";

function send(form) {
  const button = form.querySelector("button");
  const progress = form.querySelector("[data-progress]");
  const failed = form.querySelector("[data-failed]");
  const bar = progress.querySelector("progress");

  function end(message) {
    progress.hidden = true;
    button.disabled = false;
    failed.textContent = message;
    failed.hidden = false;
  }

  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-Form-Token", formToken());
  request.upload.addEventListener("progress", ({ loaded, total }) => { bar.value = (100 * loaded) / total; });
  request.addEventListener("load", () => {
    if (request.status === 200) location.assign(request.response.path);
    else end(request.response?.message ?? failed.dataset.lost);
  });
  request.addEventListener("error", () => end(failed.dataset.lost));
  failed.hidden = true;
  progress.hidden = false;
  bar.value = 0;
  button.disabled = true;
  request.send(new FormData(form));
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
