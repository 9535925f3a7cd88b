// Two buttons below an answer: whether it helped. The last choice counts.

import { vote } from "./api.js";
import { element } from "./dom.js";

/** `turn` names the answer: `{ sessionId, messageId }`. */
export function feedbackView(turn) {
  const said = element("span", { class: "feedback-said", role: "status" });
  const buttons = [
    [true, "Yes", "Yes, this answer helped"],
    [false, "No", "No, this answer did not help"],
  ].map(([thumbsUp, label, name]) =>
    element("button", { type: "button", class: "vote", "aria-label": name, "aria-pressed": "false", onclick: () => choose(thumbsUp) }, label),
  );

  async function choose(thumbsUp) {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String((at === 0) === thumbsUp)));
    said.textContent = (await vote({ ...turn, thumbsUp })) ? "Thank you" : "Your opinion could not be sent";
  }

  return element("p", { class: "note feedback" }, "Did this help? ", ...buttons, said);
}
