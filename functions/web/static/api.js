// The calls to the service: one question as a stream of events, its health, a vote on an answer.

import { readEvents } from "./sse.js";

const SILENCE_MS = 60_000;

/** Why a question has no complete answer. `kind` decides what the page says. */
export class AskError extends Error {
  /** @param {"limit"|"invalid"|"expired"|"server"|"network"|"silent"|"cut"|"stopped"} kind */
  constructor(kind, { detail = "", retryAfter = null, requestId = "" } = {}) {
    super(detail || kind);
    this.kind = kind;
    this.detail = detail;
    this.retryAfter = retryAfter;
    this.requestId = requestId;
  }
}

/** Asks; yields `{ event, data }` with decoded data, and returns after `done`. Throws `AskError`. */
export async function* ask({ question, sessionId, signal }) {
  const silence = new SilenceTimer(SILENCE_MS);
  try {
    const response = await post(question, sessionId, AbortSignal.any([signal, silence.signal]));
    if (!response.ok) throw await refusal(response);

    const events = readEvents(response.body, () => silence.restart());
    for (let next = await events.next(); !next.done; next = await events.next()) {
      const { event, data } = next.value;
      if (event === "done") return void drain(events);
      if (event === "error") throw streamError(decode(data));
      yield { event, data: decode(data) };
    }
    throw new AskError("cut");
  } catch (error) {
    if (error instanceof AskError) throw error;
    if (signal.aborted) throw new AskError("stopped");
    if (silence.signal.aborted) throw new AskError("silent");
    throw new AskError("network", { detail: error.message });
  } finally {
    silence.clear();
  }
}

/** The health report, or `null` when it cannot be had. */
export async function health() {
  try {
    const response = await fetch("/api/v1/health/detailed", { signal: AbortSignal.timeout(5_000) });
    return await response.json();
  } catch {
    return null;
  }
}

/** Says whether an answer helped; returns whether that was heard. */
export async function vote({ sessionId, messageId, thumbsUp }) {
  try {
    const response = await fetch("/api/v1/feedback", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ session_id: sessionId, message_id: messageId, thumbs_up: thumbsUp }),
      signal: AbortSignal.timeout(10_000),
    });
    return response.ok;
  } catch {
    return false;
  }
}

function post(question, sessionId, signal) {
  return fetch("/api/v1/chat/stream", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(sessionId ? { question, session_id: sessionId } : { question }),
    signal,
  });
}

/** Reads to the end without waiting for it: the service may still be recording the turn. */
async function drain(events) {
  try {
    while (!(await events.next()).done);
  } catch {
    // The answer is complete; how the connection ends does not matter.
  }
}

/** JSON where it is JSON, the raw text otherwise. */
function decode(data) {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  const about = {
    detail: textOf(problem.detail) || textOf(problem.message) || textOf(problem.title),
    requestId: textOf(problem.request_id) || response.headers.get("X-Request-Id") || "",
    retryAfter: secondsUntil(response.headers.get("Retry-After")),
  };
  if (response.status === 429) return new AskError("limit", about);
  if (response.status === 404) return new AskError("expired", about);
  return new AskError(response.status < 500 ? "invalid" : "server", about);
}

function streamError(data) {
  const detail = textOf(data?.detail) || textOf(data?.message) || textOf(data);
  const isLimit = data?.status === 429 || /rate limit/i.test(detail);
  return new AskError(isLimit ? "limit" : "server", {
    detail,
    requestId: textOf(data?.request_id),
    retryAfter: secondsUntil(data?.retry_after),
  });
}

function textOf(value) {
  return typeof value === "string" ? value : "";
}

/** `Retry-After` is a number of seconds or a date. */
function secondsUntil(value) {
  if (value == null || value === "") return null;
  const seconds = Number.isFinite(Number(value)) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}

/** Aborts its signal when nothing has arrived for a while. */
class SilenceTimer {
  #controller = new AbortController();
  #milliseconds;
  #timer;

  constructor(milliseconds) {
    this.#milliseconds = milliseconds;
    this.restart();
  }

  get signal() {
    return this.#controller.signal;
  }

  restart() {
    this.clear();
    this.#timer = setTimeout(() => this.#controller.abort(), this.#milliseconds);
  }

  clear() {
    clearTimeout(this.#timer);
  }
}
