// The server, as functions. Every trouble becomes a Trouble with a sentence in both languages.

const OFFLINE = {
  code: "offline",
  message_en: "The server on this machine does not answer. Is it still running?",
  message_ko: "이 컴퓨터의 서버가 응답하지 않습니다. 아직 실행 중인가요?",
  subject: "",
  retryable: true,
};
const TOKEN = "token";

export class Trouble extends Error {
  constructor(problem, status = 0) {
    super(problem.code);
    this.problem = problem;
    this.status = status;
  }
}

let askForToken = async () => null;

/** `ask` shows a dialog and resolves to a token or null. */
export function tokensFrom(ask) {
  askForToken = ask;
}

export async function call(path, options = {}) {
  for (;;) {
    const answer = await send(path, options);
    if (answer.ok) return answer;
    const trouble = new Trouble(await problemIn(answer), answer.status);
    if (answer.status !== 401) throw trouble;
    const token = await askForToken();
    if (!token) throw trouble;
    sessionStorage.setItem(TOKEN, token);
  }
}

async function send(path, options) {
  const headers = new Headers(options.headers);
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  try {
    return await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble(OFFLINE);
  }
}

async function problemIn(answer) {
  try {
    const problem = await answer.json();
    if (problem && problem.code && problem.message_en) return problem;
  } catch {
    // Not our server's words; said below.
  }
  return {
    code: "failed",
    message_en: `The server answered ${answer.status}.`,
    message_ko: `서버가 ${answer.status}로 응답했습니다.`,
    subject: "",
    retryable: answer.status >= 500,
  };
}

function post(body, signal) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
}

/** Digests while telling: `on[name](data)` for every event. Resolves to the finished digest. */
export async function digest(ask, on, signal) {
  const answer = await call("/v1/digest?stream=1", post(ask, signal));
  try {
    for await (const { name, data } of serverEvents(answer.body)) {
      if (name === "failed") throw new Trouble(data);
      if (name === "finished") return data;
      on[name]?.(data);
    }
  } catch (error) {
    if (error instanceof Trouble || error.name === "AbortError") throw error;
    throw new Trouble(OFFLINE);
  }
  throw new Trouble(OFFLINE);
}

/** Server-sent events out of a body. Comments (the heartbeat) are passed over. */
async function* serverEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      waiting += value;
      let end;
      while ((end = waiting.indexOf("\n\n")) >= 0) {
        const event = parseEvent(waiting.slice(0, end));
        waiting = waiting.slice(end + 2);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parseEvent(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length ? { name, data: JSON.parse(data.join("\n")) } : null;
}

export async function digestById(id) {
  return (await call(`/v1/digests/${encodeURIComponent(id)}?details=1`)).json();
}

export async function recentDigests(limit) {
  return (await (await call(`/v1/digests?limit=${limit}`)).json()).digests;
}

export async function sendVerdict(id, verdict) {
  await call(`/v1/digests/${encodeURIComponent(id)}/verdict`, post({ verdict }));
}

export async function questions(id) {
  const answer = await call(`/v1/digests/${encodeURIComponent(id)}/questions`, post({}));
  return (await answer.json()).questions;
}

export async function explain(term, language) {
  const query = new URLSearchParams({ term, language });
  return (await call(`/v1/explain?${query}`)).json();
}

export async function terms(typed) {
  const query = new URLSearchParams({ q: typed, limit: "6" });
  return (await (await call(`/v1/terms?${query}`)).json()).terms;
}

/** `earlier`: the questions before it. Resolves to {answered, answer, not_read}. */
export async function ask(question, earlier) {
  return (await call("/v1/ask", post({ question, earlier }))).json();
}

export async function search(words, limit) {
  const query = new URLSearchParams({ q: words, limit: String(limit) });
  return (await (await call(`/v1/search?${query}`)).json()).hits;
}

export async function words() {
  return (await call("/v1/words")).json();
}

export async function samples() {
  return (await call("/samples")).json();
}
