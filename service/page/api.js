// The only module that talks to the service. Every refusal becomes a Problem whose message can be shown as it is.
const TOKEN = "pentimento-token";
let askForToken = null; // set by the page: () => Promise of a token, or of "" where the user gave up
let asking = null; // one question at a time, however many requests were refused

export class Problem extends Error {
  constructor({ title = "", detail = "", field = "", status = 0, kind = "", retryAfter = 0 }) {
    super(detail || title);
    this.name = "Problem";
    Object.assign(this, { title, field, status, kind, retryAfter });
  }

  // Worth trying again by itself: the service is busy, starting, or going away.
  get passes() {
    return this.retryAfter > 0 && [429, 503].includes(this.status);
  }
}

export function onTokenWanted(ask) {
  askForToken = ask;
}

export function keepToken(token) {
  sessionStorage.setItem(TOKEN, token); // gone with the tab
}

export async function ask(path, { method = "GET", form, signal } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  let answer;
  try {
    answer = await fetch(path, { method, body: form, signal, headers: token ? { Authorization: `Bearer ${token}` } : {} });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The service cannot be reached", detail: "The service cannot be reached. Is it running, and are you online?" });
  }
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  if (answer.status === 401 && askForToken) {
    asking ??= askForToken(problem.message).finally(() => { asking = null; });
    if (await asking) return ask(path, { method, form, signal });
  }
  throw problem;
}

export async function askJson(path, options) {
  return (await ask(path, options)).json();
}

// A picture's address for an <img>: with a token it must be fetched, for an <img> sends no headers.
export async function pictureAddress(path) {
  const relative = path.replace(/^\//, "");
  if (!sessionStorage.getItem(TOKEN)) return relative;
  return URL.createObjectURL(await (await ask(relative)).blob());
}

async function problemOf(answer) {
  const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
  let body = {};
  try {
    body = await answer.json();
  } catch {
    body = { title: "Unexpected answer", detail: `Something between here and the service answered ${answer.status}.` };
  }
  const kind = String(body.type ?? "").split(":").pop();
  return new Problem({ ...body, status: answer.status, kind, retryAfter });
}
