// The conversation: asks one question at a time and feeds its events to a turn.

import { ask, AskError } from "./api.js";
import { failureText } from "./failure.js";
import { clearSession, keepSession, sessionId } from "./session.js";
import { Turn } from "./turn.js";

const NEAR_THE_END = 120;

export class Chat {
  #transcript;
  #announcement;
  #panel;
  #onBusy;
  #running = null;

  /** `onBusy(isBusy)` is called when an answer starts and when it ends. */
  constructor({ transcript, announcement, panel, onBusy }) {
    this.#transcript = transcript;
    this.#announcement = announcement;
    this.#panel = panel;
    this.#onBusy = onBusy;
  }

  get isBusy() {
    return this.#running !== null;
  }

  /** Adds a question to the transcript and answers it. */
  ask(question) {
    if (this.isBusy) return;
    const turn = new Turn(question, this.#panel);
    this.#transcript.append(turn.root);
    this.#attempt(turn, question);
  }

  /** Ends the running answer; its text stays. */
  stop() {
    this.#running?.abort();
  }

  /** Forgets the conversation, here and for the service. */
  restart() {
    this.stop();
    this.#running = null;
    this.#onBusy(false);
    this.#announcement.textContent = "";
    this.#transcript.replaceChildren();
    clearSession();
  }

  async #attempt(turn, question) {
    const running = new AbortController();
    this.#running = running;
    this.#onBusy(true);
    this.#announcement.textContent = "";
    turn.begin();
    scrollToEnd();
    try {
      await this.#stream(turn, question, running.signal);
      if (this.#running === running) this.#settle(() => turn.finish(), () => turn.spoken);
    } catch (error) {
      const known = error instanceof AskError ? error : new AskError("server", { detail: String(error) });
      const retry = () => this.isBusy || this.#attempt(turn, question);
      if (this.#running === running) this.#settle(() => turn.fail(known, retry), () => failureText(known, turn.hasText));
    } finally {
      if (this.#running === running) {
        this.#running = null;
        this.#onBusy(false);
      }
    }
  }

  async #stream(turn, question, signal) {
    try {
      for await (const event of ask({ question, sessionId: sessionId(), signal })) {
        if (signal.aborted) throw new AskError("stopped");
        if (event.event === "metadata") keepSession(event.data?.session_id);
        followingTheEnd(() => turn.take(event));
      }
    } catch (error) {
      // The service no longer knows this conversation: start another, once.
      if (error.kind !== "expired" || sessionId() === null) throw error;
      clearSession();
      await this.#stream(turn, question, signal);
      return;
    }
    if (!turn.hasText) throw new AskError("cut");
  }

  #settle(change, spoken) {
    followingTheEnd(change);
    this.#announcement.textContent = spoken();
  }
}

/** Keeps the end of the page in view if it was in view before the change. */
function followingTheEnd(change) {
  const page = document.documentElement;
  const isAtEnd = page.scrollHeight - page.clientHeight - page.scrollTop < NEAR_THE_END;
  change();
  if (isAtEnd) scrollToEnd();
}

function scrollToEnd() {
  window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
}
