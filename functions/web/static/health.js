// Reads the health report: whether search is reduced, and whose documents these are.

const SEMANTIC = /semantic|dense|encoder|embedding|vector/i;
const LEXICAL_ONLY = /lexical[\s_-]?only|bm25[\s_-]?only/i;
const WORKS = /^(ok|up|on|healthy|ready|available|enabled|pass|loaded|true)$/i;

/** True when the report says that answers rest on word matches alone. Unknown shapes say nothing. */
export function isLexicalOnly(report) {
  if (report === null || typeof report !== "object") return false;
  const named = Object.entries(report.components ?? {});
  const degraded = Array.isArray(report.degraded) ? report.degraded : [];
  return (
    degraded.some((entry) => mentions(entry, SEMANTIC) || mentions(entry, LEXICAL_ONLY)) ||
    named.some(([name, state]) => mentions(state, LEXICAL_ONLY) || (SEMANTIC.test(name) && !works(state)))
  );
}

/** What the page says of the documents: the person's name, or "", and questions to begin with. */
export function introduction(subject) {
  const texts = (list) => (Array.isArray(list) ? list.filter((it) => typeof it === "string" && it !== "") : []);
  const questions = texts(subject?.questions);
  const about = texts(subject?.topics).map((topic) => `Tell me about: ${topic}`);
  return { person: typeof subject?.person === "string" ? subject.person : "", questions: questions.length ? questions : about };
}

function mentions(value, pattern) {
  return pattern.test(typeof value === "string" ? value : JSON.stringify(value ?? ""));
}

function works(state) {
  const status = typeof state === "object" && state !== null ? state.status : state;
  return status == null || WORKS.test(String(status));
}
