// Events of the server, for as long as somebody looks at the page.

const streams = new Map(); // by path: who listens

/**
 * Listen to a stream of events: `handlers` has a function for each name of an event.
 *
 * A browser has six connections to a server in all its tabs, so a page has one for each path, whoever
 * listens there, and one that nobody sees gives its own up. `missed` is called when there is a connection
 * again, for what happened meanwhile.
 */
export function listen(path, handlers, missed = () => location.reload()) {
  const listener = { handlers, missed };
  if (streams.has(path)) streams.get(path)(listener);
  else streams.set(path, connect(path, listener));
}

/** Open a stream, and return what adds another listener to it. */
function connect(path, first) {
  const listeners = [];
  const names = new Set();
  let source;
  let wasOpen = false;

  function hear(name) {
    source.addEventListener(name, (event) => {
      const data = JSON.parse(event.data);
      for (const { handlers } of listeners) handlers[name]?.(data);
    });
  }

  function add(listener) {
    listeners.push(listener);
    for (const name of Object.keys(listener.handlers)) {
      if (names.has(name)) continue;
      names.add(name);
      if (source) hear(name);
    }
  }

  function open() {
    source = new EventSource(path);
    for (const name of names) hear(name);
    source.addEventListener("open", () => {
      if (wasOpen) for (const { missed } of listeners) missed();
      wasOpen = true;
    });
  }

  add(first);

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
  return add;
}
