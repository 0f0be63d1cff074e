// The time zone of the browser: a form tells it, and what is in it need not name it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (zone) {
  for (const field of document.querySelectorAll("[data-own-zone]")) {
    field.value = zone;
    field.closest("form").querySelector("[data-zone-name]").textContent = zone;
  }
  for (const name of document.querySelectorAll("[data-zone-of]")) name.hidden = name.dataset.zoneOf === zone;
}
