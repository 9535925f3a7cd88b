// What the page reads from the health report: node --test health.test.mjs

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

// As a data URL, for the reason in sse.test.mjs.
const source = await readFile(new URL("../../functions/web/static/health.js", import.meta.url), "utf8");
const { introduction, isLexicalOnly } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

test("the documents' own questions are offered, else their topics", () => {
  const subject = { person: "Ada Byron", topics: ["Work", "Training"], questions: ["Why engines?"] };
  assert.deepEqual(introduction(subject), { person: "Ada Byron", questions: ["Why engines?"] });
  assert.deepEqual(introduction({ ...subject, person: null, questions: [] }), {
    person: "",
    questions: ["Tell me about: Work", "Tell me about: Training"],
  });
});

test("a report without a subject offers nothing", () => {
  for (const subject of [undefined, null, "Ada", { questions: "Why?", topics: [1, ""] }]) {
    assert.deepEqual(introduction(subject), { person: "", questions: [] });
  }
});

test("reduced search is told from the report", () => {
  assert.equal(isLexicalOnly({ degraded: [], components: { encoder: "healthy" } }), false);
  assert.equal(isLexicalOnly({ degraded: ["encoder"], components: { encoder: "degraded" } }), true);
  assert.equal(isLexicalOnly(null), false);
});
