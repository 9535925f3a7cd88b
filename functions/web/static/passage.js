// Shows a passage: its blocks, its sentences, and which of them lie closest to a claim.

import { element } from "./dom.js";

const COMMON = new Set(
  "about after also and are been but for from had has have her him his into its not she that the their them then they this was were which who with you".split(" "),
);
const ENOUGH = 0.5;

/** The passage as elements; sentences near `claim` are marked, headings already `known` above it are left out. */
export function passageElements(text, { claim = "", known = [] } = {}) {
  const blocks = withoutHeadings(parseBlocks(text), known);
  const near = nearest(blocks.flatMap((block) => block.sentences), claim);
  const shown = [];
  for (const block of blocks) {
    const made = element(block.tag, block.attributes, ...marked(block.sentences, near));
    if (block.tag !== "li") shown.push(made);
    else if (shown.at(-1)?.tagName === "UL") shown.at(-1).append(made);
    else shown.push(element("ul", {}, made));
  }
  return shown;
}

/** Cuts text into sentences without losing a character. */
export function sentences(text) {
  if (!Intl.Segmenter) return [text];
  const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** The little Markdown that passages carry: headings, lists, tables as they are, paragraphs. */
function parseBlocks(text) {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/\*\*(.+?)\*\*/g, "$1")
    .split(/\n\s*\n|\n(?=\s*(?:#{1,6}|[-*]|\d{1,2}\.)\s)|(?<=^#{1,6}\s.*)\n/m)
    .map((raw) => raw.trim())
    .filter((raw) => raw !== "")
    .map(block);
}

function block(raw) {
  if (raw.startsWith("|")) return { tag: "pre", attributes: { tabindex: "0" }, sentences: [raw] };
  const line = raw.replace(/\s*\n\s*/g, " ");
  const heading = /^#{1,6}\s+(.*)$/.exec(line);
  if (heading) return { tag: "p", attributes: { class: "passage-heading" }, sentences: [heading[1]] };
  const item = /^[-*]\s+(.*)$/.exec(line);
  if (item) return { tag: "li", attributes: {}, sentences: sentences(item[1]) };
  return { tag: "p", attributes: {}, sentences: sentences(line) };
}

/** Headings at the start that the reader has seen already. */
function withoutHeadings(blocks, known) {
  const first = blocks.findIndex(({ attributes, sentences: [text] }) => !attributes.class || !known.includes(text));
  return first < 0 ? blocks : blocks.slice(first);
}

function nearest(all, claim) {
  const wanted = words(claim);
  if (wanted.size === 0) return new Set();
  const scores = all.map((sentence) => overlap(wanted, words(sentence)));
  const bar = Math.max(ENOUGH, 0.8 * Math.max(...scores));
  return new Set(all.filter((_, at) => scores[at] >= bar));
}

function overlap(wanted, present) {
  return [...wanted].filter((word) => present.has(word)).length / wanted.size;
}

function words(text) {
  const found = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(found.filter((word) => (word.length > 2 || /\d/.test(word)) && !COMMON.has(word)));
}

function marked(parts, near) {
  return parts.flatMap((sentence) => {
    if (!near.has(sentence)) return [sentence];
    const trimmed = sentence.trimEnd();
    return [element("mark", {}, trimmed), sentence.slice(trimmed.length)];
  });
}
