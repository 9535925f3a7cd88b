// One question and its answer, as the reader sees them.

import { AnswerWriter, claimBefore, withoutCitations } from "./answer.js";
import { element } from "./dom.js";
import { failureView } from "./failure.js";
import { feedbackView } from "./feedback.js";
import { sourceList, sourceTitle } from "./sources.js";

export class Turn {
  /** The element to put into the transcript. */
  root;
  #answer;
  #aside;
  #progress;
  #writer;
  #panel;
  #sources = [];
  #metadata = {};
  #provider = "";
  #messageId = messageId();

  constructor(question, panel) {
    this.#panel = panel;
    this.#progress = element("p", { class: "progress" });
    // Off: the finished answer is announced once, not fragment by fragment.
    this.#answer = element("div", { class: "answer", "aria-live": "off" });
    this.#aside = element("div", { class: "aside", "aria-live": "off" });
    this.root = element(
      "article",
      { class: "turn" },
      element("h2", { class: "question" }, question),
      this.#progress,
      this.#answer,
      this.#aside,
    );
    this.#writer = new AnswerWriter(this.#answer, (number, button) => this.#open(number, button, claimBefore(button)));
  }

  /** Empties the turn for a first or another attempt. */
  begin() {
    this.#sources = [];
    this.#metadata = {};
    this.#provider = "";
    this.#writer.clear();
    this.#aside.replaceChildren();
    this.#answer.setAttribute("aria-busy", "true");
    this.#say("Reading the documents");
  }

  /** Takes one event of the stream; events it does not know are ignored. */
  take({ event, data }) {
    if (event === "metadata") this.#describe(data);
    if (event === "fallback") this.#provider = String(data?.provider ?? "");
    if (event === "thinking") this.#say("Thinking");
    if (event === "sources_reorder") this.#sources = listOf(data?.reordered_sources);
    // What is known of the answer only now that it is complete.
    if (event === "result") this.#metadata = { ...this.#metadata, ...data };
    if (event === "token") {
      this.#say("");
      this.#writer.write(String(data));
    }
  }

  /** The answer is complete: notes and sources below it. */
  finish() {
    this.#settle();
    this.#aside.append(...[this.#note(), this.#rewriting(), this.#standIn(), this.#sourceSection(), this.#feedback()].filter(Boolean));
  }

  /** The answer has ended early; what has arrived stays. `onRetry` asks again. */
  fail(error, onRetry) {
    this.#settle();
    this.#aside.append(failureView(error, this.hasText, onRetry));
    const sources = this.hasText && this.#writer.cited().length > 0 ? this.#sourceSection() : null;
    if (sources) this.#aside.append(sources);
  }

  get hasText() {
    return this.#answer.textContent.trim() !== "";
  }

  /** The answer for reading aloud. */
  get spoken() {
    const paragraphs = [...this.#answer.children].map((paragraph) => withoutCitations(paragraph.textContent));
    return [...paragraphs, this.#note()?.textContent].filter(Boolean).join(" ");
  }

  #describe(metadata) {
    this.#metadata = metadata ?? {};
    this.#sources = listOf(this.#metadata.sources);
    if (!this.hasText && this.#sources.length > 0) this.#say("Writing the answer");
  }

  #settle() {
    this.#say("");
    this.#writer.finish(this.#sources.length);
    this.#answer.removeAttribute("aria-busy");
    for (const button of this.#writer.citations()) {
      const source = this.#sources[Number(button.dataset.source) - 1];
      button.setAttribute("aria-label", `${button.textContent} ${sourceTitle(source)}`);
      button.setAttribute("aria-haspopup", "dialog");
    }
  }

  #note() {
    if (this.#metadata.is_ambiguous) return element("p", { class: "note" }, "The question can be read in more than one way");
    if (this.#metadata.grounded === false) return element("p", { class: "note refusal" }, "Not found in the documents");
    return null;
  }

  #rewriting() {
    const rewritten = this.#metadata.rewrite_metadata?.rewritten_query;
    return rewritten ? element("p", { class: "note" }, `Searched for “${rewritten}”`) : null;
  }

  #standIn() {
    if (this.#provider !== "extractive") return null;
    return element("p", { class: "note" }, "The language model is not available: the answer quotes the documents word for word");
  }

  #feedback() {
    const sessionId = this.#metadata.session_id;
    return sessionId ? feedbackView({ sessionId, messageId: this.#messageId }) : null;
  }

  #sourceSection() {
    const cited = this.#writer.cited();
    const numbers = cited.length > 0 ? cited : this.#sources.map((_, at) => at + 1);
    if (numbers.length === 0) return null;
    const label = this.#metadata.grounded === false ? "Nearest passages" : "Sources";
    return sourceList(numbers, this.#sources, label, (number, button) => this.#open(number, button, this.#claimFor(number)));
  }

  #claimFor(number) {
    const button = this.#writer.citations().find((citation) => Number(citation.dataset.source) === number);
    return button ? claimBefore(button) : "";
  }

  #open(number, opener, claim) {
    const source = this.#sources[number - 1];
    if (source) this.#panel.open({ number, source, claim, opener });
  }

  #say(text) {
    this.#progress.textContent = text;
    this.#progress.hidden = text === "";
  }
}

/** Names this answer in feedback. `randomUUID` is missing on pages without TLS. */
function messageId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function listOf(value) {
  return Array.isArray(value) ? value : [];
}
