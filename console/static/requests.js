// Requests to this site, with the token that no other site knows.

/** The answer of the server is an error; `message` is its text, in the language of the page. */
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The token of this session. */
export function formToken() {
  return document.querySelector('meta[name="form-token"]')?.content ?? "";
}

async function answerOf(response) {
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.message, response.status);
  return answer;
}

/** Send an object as JSON, and return the object that is the answer. Throws Refused. */
export async function post(path, body) {
  return answerOf(await fetch(path, {
    method: "POST",
    headers: { "Accept": "application/json", "Content-Type": "application/json", "X-Form-Token": formToken() },
    body: JSON.stringify(body),
  }));
}

/** Ask for an object. Throws Refused. */
export async function get(path) {
  return answerOf(await fetch(path, { headers: { "Accept": "application/json" } }));
}
