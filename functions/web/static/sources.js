// Sources: their names, the list under an answer, and the panel that shows a passage.

import { element } from "./dom.js";
import { passageElements } from "./passage.js";

const SIDE_BY_SIDE = matchMedia("(min-width: 900px)");

/** What to call a source: its title, or its file name made readable. */
export function sourceTitle(source) {
  if (source.title) return source.title;
  const file = fileName(source).replace(/\.[^.]+$/, "");
  const readable = file.replace(/[_-]+/g, " ").trim();
  return readable ? readable[0].toUpperCase() + readable.slice(1) : "Untitled document";
}

/** The list under an answer. `onOpen(number, button)` is called for the one activated. */
export function sourceList(numbers, sources, label, onOpen) {
  const items = numbers.map((number) => {
    const source = sources[number - 1];
    const button = element(
      "button",
      { type: "button", class: "source", "aria-haspopup": "dialog", onclick: () => onOpen(number, button) },
      element("span", { class: "source-number" }, String(number)),
      element(
        "span",
        { class: "source-text" },
        element("span", { class: "source-title" }, sourceTitle(source)),
        element("span", { class: "source-trail" }, trail(source) || place(fileName(source), source)),
      ),
    );
    return element("li", {}, button);
  });
  return element("section", { class: "sources", "aria-label": label }, element("h3", {}, label), element("ul", {}, ...items));
}

/** One dialog for all passages: beside the page where there is room, a bottom sheet elsewhere. */
export class SourcePanel {
  #dialog;
  #opener = null;
  #fallbackFocus;

  constructor(dialog, fallbackFocus) {
    this.#dialog = dialog;
    this.#fallbackFocus = fallbackFocus;
    this.#part("#source-close").addEventListener("click", () => this.close());
    dialog.addEventListener("close", () => this.#closed());
    // The dialog is covered by its parts: a click on itself is a click on the backdrop.
    dialog.addEventListener("click", (event) => event.target === dialog && this.close());
    SIDE_BY_SIDE.addEventListener("change", () => this.#refit());
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** Shows a source, marks what supports `claim`, and moves the focus to its title. */
  open({ number, source, claim, opener }) {
    this.#opener?.removeAttribute("aria-expanded");
    this.#opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.#fill(number, source, claim);
    if (!this.isOpen) this.#show();
    this.#part(".panel-sheet").scrollTop = 0;
    this.#part("#source-title").focus();
    this.#part(".passage mark")?.scrollIntoView({ block: "nearest" });
  }

  close() {
    if (this.isOpen) this.#dialog.close();
  }

  #fill(number, source, claim) {
    this.#part(".panel-tab").textContent = `Source ${number}`;
    this.#part("#source-title").textContent = sourceTitle(source);
    this.#part(".panel-trail").textContent = trail(source);
    this.#part(".panel-file code").textContent = place(source.source ?? "", source);
    const known = [source.title, source.heading].flat();
    this.#part(".passage").replaceChildren(...passageElements(source.text ?? "", { claim, known }));
    this.#part(".panel-legend").hidden = this.#part(".passage mark") === null;
  }

  #show() {
    if (SIDE_BY_SIDE.matches) this.#dialog.show();
    else this.#dialog.showModal();
    document.body.classList.add("has-panel");
  }

  /** The window has crossed the width where the panel changes its kind. */
  #refit() {
    if (!this.isOpen) return;
    const opener = this.#opener;
    this.#dialog.addEventListener("close", (event) => event.stopImmediatePropagation(), { once: true, capture: true });
    this.#dialog.close();
    this.#show();
    this.#opener = opener;
    this.#part("#source-title").focus();
  }

  #closed() {
    document.body.classList.remove("has-panel");
    this.#opener?.removeAttribute("aria-expanded");
    const target = this.#opener?.isConnected ? this.#opener : this.#fallbackFocus;
    this.#opener = null;
    target.focus();
  }

  #part(selector) {
    return this.#dialog.querySelector(selector);
  }
}

function trail(source) {
  const path = [source.heading ?? []].flat().filter((part) => part && part !== source.title);
  return path.join(" › ");
}

/** The file, with the page where it has pages. */
function place(file, { page }) {
  return page ? `${file}, page ${page}` : file;
}

function fileName(source) {
  return String(source.source ?? "").split(/[\\/]/).at(-1);
}
