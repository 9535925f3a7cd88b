// What the page says when an answer has not arrived, and the way to try again.

import { element } from "./dom.js";

/** The message in words, without the button. */
export function failureText(error, hasText) {
  switch (error.kind) {
    case "limit":
      return `Too many questions for now. ${waitText(error.retryAfter)}`;
    case "stopped":
      return hasText ? "You stopped the answer here." : "You stopped the question before an answer came.";
    case "cut":
      return "The answer was cut off.";
    case "invalid":
      return error.detail || "The service could not accept this question.";
    case "silent":
      return "The service has stopped responding.";
    case "network":
      return hasText ? "The connection was lost and the answer was cut off." : "The service cannot be reached. Check your connection.";
    default:
      return hasText ? "Something went wrong and the answer was cut off." : "Something went wrong while answering.";
  }
}

/** The message with its retry button; a limit counts down until the button works. */
export function failureView(error, hasText, onRetry) {
  const isQuiet = error.kind === "stopped";
  const button = element("button", { type: "button", class: "retry", onclick: onRetry }, isQuiet ? "Ask again" : "Try again");
  if (error.kind === "limit" && error.retryAfter > 0) countDown(button, error.retryAfter);

  const reference = error.requestId && error.kind === "server" ? element("p", { class: "failure-reference" }, `Reference: ${error.requestId}`) : null;
  return element(
    "div",
    { class: isQuiet ? "failure is-quiet" : "failure" },
    element("p", {}, failureText(error, hasText)),
    reference,
    button,
  );
}

function waitText(seconds) {
  if (seconds === null) return "Please wait a moment before you ask again.";
  if (seconds === 1) return "You can ask again in 1 second.";
  if (seconds <= 120) return `You can ask again in ${seconds} seconds.`;
  if (seconds <= 3300) return `You can ask again in ${Math.ceil(seconds / 60)} minutes.`;
  if (seconds <= 4200) return "You can ask again in about an hour.";
  return `You can ask again in ${Math.ceil(seconds / 3600)} hours.`;
}

/** As a clock shows it: 0:42, 1:04:10. */
function clock(seconds) {
  const padded = (part) => String(part % 60).padStart(2, "0");
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)];
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(seconds)}` : `${minutes}:${padded(seconds)}`;
}

function countDown(button, seconds) {
  const label = button.textContent;
  const until = Date.now() + seconds * 1000;
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} in ${clock(left)}` : label;
    return left > 0;
  };
  const timer = setInterval(() => show() || clearInterval(timer), 1000);
  show();
}
