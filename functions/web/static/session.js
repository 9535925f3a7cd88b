// The conversation's id, kept between visits where the browser allows it.

const KEY = "dossier-session";
const VALID = /^[A-Za-z0-9_-]{1,64}$/;

let remembered = null;

/** The id of the running conversation, or `null`. */
export function sessionId() {
  return remembered ?? valid(stored());
}

/** Keeps the id the service has given; anything malformed is ignored. */
export function keepSession(id) {
  if (!valid(id)) return;
  remembered = id;
  withStorage((storage) => storage.setItem(KEY, id));
}

/** Forgets the conversation. */
export function clearSession() {
  remembered = null;
  withStorage((storage) => storage.removeItem(KEY));
}

function stored() {
  return withStorage((storage) => storage.getItem(KEY));
}

function valid(id) {
  return typeof id === "string" && VALID.test(id) ? id : null;
}

/** Storage can be forbidden altogether; the page then remembers only until it is closed. */
function withStorage(use) {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}
