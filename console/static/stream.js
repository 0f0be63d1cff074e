// Events of the server, for as long as somebody looks at the page.

/**
 * Listen to a stream of events: `handlers` has a function for each name of an event.
 *
 * A browser has six connections to a server in all its tabs, so a page that nobody sees gives its own
 * up. `missed` is called when there is a connection again, for what happened meanwhile.
 */
export function listen(path, handlers, missed = () => location.reload()) {
  let source;
  let wasOpen = false;

  function open() {
    source = new EventSource(path);
    for (const [name, handler] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
    }
    source.addEventListener("open", () => {
      if (wasOpen) missed();
      wasOpen = true;
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = undefined;
    } else if (!source) {
      open();
    }
  });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  if (!document.hidden) open();
}
