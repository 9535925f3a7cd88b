// The event-stream parser against the ways in which a network may cut its text: node --test sse.test.mjs

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

// The page's modules are plain `.js`; as a data URL Node reads one as a module without a package file beside it.
const source = await readFile(new URL("../../functions/web/static/sse.js", import.meta.url), "utf8");
const { SseParser, readEvents } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const STREAM = 'event: metadata\ndata: {"grounded":true}\n\nevent: token\ndata: "Née en Pologne – 1867 ⚛"\n\nevent: done\ndata: \n\n';
const EVENTS = [
  { event: "metadata", data: '{"grounded":true}' },
  { event: "token", data: '"Née en Pologne – 1867 ⚛"' },
  { event: "done", data: "" },
];

const parse = (...pieces) => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

const read = async (pieces) => {
  const events = [];
  for await (const event of readEvents(ReadableStream.from(pieces))) events.push(event);
  return events;
};

test("a whole stream", () => assert.deepEqual(parse(STREAM), EVENTS));

test("the same events for every line ending and every cut in two", () => {
  for (const ending of ["\n", "\r\n", "\r"]) {
    const text = STREAM.replaceAll("\n", ending);
    for (let cut = 0; cut <= text.length; cut += 1) {
      assert.deepEqual(parse(text.slice(0, cut), text.slice(cut)), EVENTS, `cut at ${cut} with ${JSON.stringify(ending)}`);
    }
  }
});

test("one character at a time", () => {
  assert.deepEqual(parse(...STREAM.replaceAll("\n", "\r\n")), EVENTS);
});

test("one byte at a time, through characters of several bytes", async () => {
  const bytes = new TextEncoder().encode(STREAM);
  assert.deepEqual(await read(Array.from(bytes, (byte) => Uint8Array.of(byte))), EVENTS);
});

test("an empty piece between CR and LF", () => {
  assert.deepEqual(parse("data: x\r", "", "\n\r", "\n"), [{ event: "message", data: "x" }]);
});

test("comments and unknown fields are ignored", () => {
  assert.deepEqual(parse(": keep-alive\n\nevent: token\n:\nid: 7\nretry: 10\ndata: x\n\n"), [{ event: "token", data: "x" }]);
});

test("an event name holds for one event only", () => {
  assert.deepEqual(parse("event: token\ndata: a\n\ndata: b\n\n"), [
    { event: "token", data: "a" },
    { event: "message", data: "b" },
  ]);
});

test("several data lines are joined", () => {
  assert.deepEqual(parse("data: a\ndata\ndata:b\n\n"), [{ event: "message", data: "a\n\nb" }]);
});

test("only the first blank after the colon goes", () => {
  assert.deepEqual(parse("data:  a: b\n\n"), [{ event: "message", data: " a: b" }]);
});

test("a named event needs no data line", () => {
  assert.deepEqual(parse("event: done\n\n\n"), [{ event: "done", data: "" }]);
});

test("an event without its blank line is dropped", async () => {
  assert.deepEqual(await read([new TextEncoder().encode("event: token\ndata: x\n")]), []);
});

test("a byte order mark is no part of the first field", async () => {
  assert.deepEqual(await read([Uint8Array.of(0xef, 0xbb, 0xbf), new TextEncoder().encode("data: x\n\n")]), [{ event: "message", data: "x" }]);
});

test("leaving the loop cancels the stream, and bytes are reported", async () => {
  let isCancelled = false;
  let reports = 0;
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
    cancel: () => (isCancelled = true),
  });
  for await (const _ of readEvents(stream, () => (reports += 1))) break;
  assert.equal(isCancelled, true);
  assert.equal(reports, 1);
});
