// Writes an answer into the page while it arrives: paragraphs of text nodes, and `[n]` as buttons.

import { element } from "./dom.js";
import { sentences } from "./passage.js";

const PARAGRAPH = /^\n[^\S\n]*\n\s*/;
const CITATION = /^\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/;
// What may still become one of the two when more text arrives.
const UNDECIDED = /^(?:\[[\d,\s]{0,40}|\n\s*)$/;

export class AnswerWriter {
  #root;
  #onCite;
  #pending = "";
  #paragraph = null;

  /** `onCite(number, button)` is called when a reader activates a citation. */
  constructor(root, onCite) {
    this.#root = root;
    this.#onCite = onCite;
  }

  /** Adds a fragment; an unfinished citation or paragraph break waits for the next one. */
  write(fragment) {
    this.#pending += fragment;
    while (this.#pending !== "" && !UNDECIDED.test(this.#pending)) this.#step();
  }

  /** Writes what is still waiting and turns citations that select nothing back into text. */
  finish(sourceCount) {
    this.#text(this.#pending.trimEnd());
    this.#pending = "";
    for (const button of this.citations()) {
      if (numberOf(button) > sourceCount) button.replaceWith(button.textContent);
    }
    this.#root.normalize();
  }

  clear() {
    this.#pending = "";
    this.#paragraph = null;
    this.#root.replaceChildren();
  }

  citations() {
    return [...this.#root.querySelectorAll("button.citation")];
  }

  /** The numbers in use, each once, ascending. */
  cited() {
    return [...new Set(this.citations().map(numberOf))].sort((a, b) => a - b);
  }

  #step() {
    const citation = CITATION.exec(this.#pending);
    const paragraph = PARAGRAPH.exec(this.#pending);
    if (citation) {
      citation[1].split(",").forEach((number) => this.#cite(Number(number)));
    } else if (paragraph) {
      this.#paragraph = null;
    } else {
      const next = this.#pending.slice(1).search(/[[\n]/);
      this.#text(next < 0 ? this.#pending : this.#pending.slice(0, next + 1));
      this.#pending = next < 0 ? "" : this.#pending.slice(next + 1);
      return;
    }
    this.#pending = this.#pending.slice((citation ?? paragraph)[0].length);
  }

  #text(text) {
    if (text === "") return;
    const last = this.#place().lastChild;
    if (last instanceof Text) last.appendData(text);
    else this.#place().append(text);
  }

  #cite(number) {
    if (number < 1) return this.#text(`[${number}]`);
    const button = element("button", { class: "citation", type: "button", "data-source": number }, `[${number}]`);
    button.addEventListener("click", () => this.#onCite(number, button));
    this.#place().append(button);
  }

  #place() {
    if (this.#paragraph === null) {
      this.#paragraph = element("p");
      this.#root.append(this.#paragraph);
    }
    return this.#paragraph;
  }
}

/** The sentence a citation stands behind. */
export function claimBefore(button) {
  const range = document.createRange();
  range.setStart(button.closest("p"), 0);
  range.setEndBefore(button);
  const before = withoutCitations(range.toString());
  return sentences(before).filter((sentence) => /\p{L}/u.test(sentence)).at(-1) ?? "";
}

export function withoutCitations(text) {
  return text.replace(/\s*\[\d[\d,\s]*\]/g, "");
}

function numberOf(button) {
  return Number(button.dataset.source);
}
