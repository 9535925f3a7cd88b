// Starts the page: connects the field, the conversation, the source panel and the examples.

import { health } from "./api.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { element } from "./dom.js";
import { introduction, isLexicalOnly } from "./health.js";
import { sessionId } from "./session.js";
import { SourcePanel } from "./sources.js";

const find = (selector) => document.querySelector(selector);
const newConversation = find("#new-conversation");

const panel = new SourcePanel(find("#source-panel"), find("#question"));
const composer = new Composer(document, { onAsk: ask, onStop: () => chat.stop() });
const chat = new Chat({
  transcript: find("#transcript"),
  announcement: find("#announcement"),
  panel,
  onBusy: (isBusy) => (composer.busy = isBusy),
});

function ask(question) {
  if (chat.isBusy) return;
  showView("talk");
  chat.ask(question);
}

/** "start" is the page before the first question, "talk" the one after. */
function showView(view) {
  document.body.dataset.view = view;
  find(".examples").hidden = view === "talk";
  newConversation.hidden = view === "start" && sessionId() === null;
}

function startAgain() {
  panel.close();
  chat.restart();
  showView("start");
  composer.focus();
}

/** Fits the page to the documents: whose they are, and what may be asked. */
function introduce(subject) {
  const { person, questions } = introduction(subject);
  if (person) {
    find(".subtitle").textContent =
      `Questions about ${person}, answered from the documents, with the passage behind every sentence.`;
  }
  for (const question of questions) {
    const button = element("button", { type: "button", class: "example", onclick: () => askExample(question) }, question);
    find("#example-list").append(element("li", {}, button));
  }
  find("#examples-title").hidden = questions.length === 0;
}

function askExample(question) {
  ask(question);
  composer.focus();
}

async function noticeHealth() {
  const report = await health();
  introduce(report?.subject);
  if (!isLexicalOnly(report)) return;
  find("#notice").textContent = "Semantic search is off at the moment: answers rest on matching words only.";
  find("#notice").hidden = false;
}

newConversation.addEventListener("click", startAgain);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  if (panel.isOpen) {
    event.preventDefault();
    panel.close();
  } else {
    chat.stop();
  }
});

find(".dock").hidden = false;
showView("start");
noticeHealth();
// A touch screen would open its keyboard over the examples.
if (matchMedia("(pointer: fine)").matches) composer.focus();
