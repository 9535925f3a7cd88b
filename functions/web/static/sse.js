// Server-sent events from a byte stream, as the HTML standard reads them.

/** Turns text that arrives in arbitrary pieces into `{ event, data }` objects. */
export class SseParser {
  #line = "";
  #event = "";
  #data = [];
  #lastWasCr = false;

  /** Takes the next piece of text; returns the events it completes. */
  push(text) {
    if (text === "") return [];
    // A CR that ended the last piece has already ended its line.
    const fresh = this.#lastWasCr && text[0] === "\n" ? text.slice(1) : text;
    this.#lastWasCr = text.endsWith("\r");

    const lines = (this.#line + fresh).split(/\r\n|\r|\n/);
    this.#line = lines.pop();
    return lines.map((line) => this.#take(line)).filter((event) => event !== null);
  }

  #take(line) {
    if (line === "") return this.#dispatch();

    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
    return null; // Comments (an empty field name) and unknown fields are ignored.
  }

  #dispatch() {
    const complete = { event: this.#event || "message", data: this.#data.join("\n") };
    const hasData = this.#data.length > 0;
    const isNamed = this.#event !== "";
    this.#event = "";
    this.#data = [];
    // The standard drops events without a data line; a named one still means something here.
    return hasData || isNamed ? complete : null;
  }
}

/** Reads events from a `ReadableStream` of bytes; calls `onBytes` whenever some arrive. */
export async function* readEvents(stream, onBytes = () => {}) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // An event without its closing blank line is incomplete: dropped.
      onBytes();
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
