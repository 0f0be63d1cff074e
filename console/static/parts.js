// What several scripts need: elements, texts with values, and times.

/** Return a new element with attributes and children. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Put values into a text: `{count}` becomes `values.count`. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});

/** Return a time of epoch milliseconds as an element that shows it with them. */
export function timeOf(milliseconds) {
  const when = new Date(milliseconds);
  return make("time", { datetime: when.toISOString() }, clock.format(when));
}
