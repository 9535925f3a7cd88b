// Replies that the test puts in the service's place.

/** A short grounded answer; its citation is cut in two, its file name has no place to break. */
export const ANSWER = [
  [
    "metadata",
    {
      sources: [
        {
          id: "a",
          source: "prizes/a-rather-long-file-name-without-a-single-blank-in-it.md",
          title: "The Nobel prizes",
          heading: ["Prizes", "Physics, 1903"],
          text: "In December 1903 she received the Nobel Prize in Physics. It was shared.",
          distance: 0.2,
          citation_index: 1,
        },
      ],
      grounded: true,
      session_id: "staged-session",
      is_ambiguous: false,
    },
  ],
  ["token", "She received the Nobel Prize in Phy"],
  ["token", "sics in 1903 ["],
  ["token", "1]."],
  ["done"],
];

/** Events as the service writes them. */
export function encode(events) {
  return events.map(([event, data]) => `event: ${event}\ndata: ${data === undefined ? "" : JSON.stringify(data)}\n\n`).join("");
}

export function stream(events) {
  return { status: 200, contentType: "text/event-stream; charset=utf-8", body: encode(events) };
}

export function problem(status, code, headers = {}) {
  const body = { type: "about:blank", title: code, status, detail: code, error_code: code, message: code, request_id: "req-1" };
  return { status, headers, contentType: "application/problem+json", body: JSON.stringify(body) };
}
