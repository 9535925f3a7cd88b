// The question field: its keys, its limits, and the send and stop buttons.

const MIN_CHARACTERS = 3;
const MAX_CHARACTERS = 2000;
const MAX_WORDS = 300;
const COUNT_FROM = 0.9;

export class Composer {
  #field;
  #send;
  #stop;
  #problem;
  #count;
  #isBusy = false;

  /** `onAsk(question)` gets a valid, trimmed question; `onStop()` ends the running answer. */
  constructor(page, { onAsk, onStop }) {
    this.#field = page.querySelector("#question");
    this.#send = page.querySelector("#send");
    this.#stop = page.querySelector("#stop");
    this.#problem = page.querySelector("#problem");
    this.#count = page.querySelector("#count");

    page.querySelector("#composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(onAsk);
    });
    this.#stop.addEventListener("click", onStop);
    this.#field.addEventListener("input", () => this.#refresh());
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit(onAsk);
    });
  }

  focus() {
    this.#field.focus();
  }

  set busy(isBusy) {
    this.#isBusy = isBusy;
    const hadFocus = document.activeElement === this.#stop;
    this.#send.hidden = isBusy;
    this.#stop.hidden = !isBusy;
    if (hadFocus && !isBusy) this.focus();
  }

  #submit(onAsk) {
    if (this.#isBusy) return;
    const question = this.#field.value.trim();
    const problem = problemWith(question);
    this.#complain(problem);
    if (problem) return this.focus();
    this.#field.value = "";
    this.#refresh();
    onAsk(question);
  }

  #refresh() {
    const question = this.#field.value.trim();
    if (!problemWith(question)) this.#complain("");
    const isNear = question.length > MAX_CHARACTERS * COUNT_FROM || wordsIn(question) > MAX_WORDS * COUNT_FROM;
    this.#count.hidden = !isNear;
    this.#count.textContent = isNear
      ? `${question.length} of ${MAX_CHARACTERS} characters, ${wordsIn(question)} of ${MAX_WORDS} words`
      : "";
    if (!CSS.supports("field-sizing", "content")) this.#field.rows = Math.min(6, this.#field.value.split("\n").length);
  }

  #complain(problem) {
    this.#problem.textContent = problem;
    if (problem) this.#field.setAttribute("aria-invalid", "true");
    else this.#field.removeAttribute("aria-invalid");
  }
}

function problemWith(question) {
  if (question.length < MIN_CHARACTERS) return `A question needs at least ${MIN_CHARACTERS} characters.`;
  if (question.length > MAX_CHARACTERS) return `A question can have at most ${MAX_CHARACTERS} characters.`;
  if (wordsIn(question) > MAX_WORDS) return `A question can have at most ${MAX_WORDS} words.`;
  return "";
}

function wordsIn(text) {
  return text.split(/\s+/).filter(Boolean).length;
}
