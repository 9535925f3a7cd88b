// Drives the chat page in Chromium: node page.mjs BASE_URL [SCREENSHOT_DIR]
//
// The conversation runs against the service at BASE_URL; failures are staged in the browser.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch, open } from "./browser.mjs";
import { ANSWER, encode, problem, stream } from "./staged.mjs";

const [base, screenshots] = process.argv.slice(2);
if (!base) {
  console.error("usage: node page.mjs BASE_URL [SCREENSHOT_DIR]");
  process.exit(2);
}

const QUESTION = process.env.QUESTION || "Which prize did she receive in 1903?";
const FOLLOW_UP = process.env.FOLLOW_UP || "Who shared it with her?";
const UNANSWERABLE = "What is the capital of Australia?";
const STREAM = "**/api/v1/chat/stream";
const ANSWER_TIMEOUT = 60_000;

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

let passed = 0;
let failed = 0;

const browser = await launch();
try {
  await conversation("desktop", DESKTOP);
  await conversation("phone", PHONE);
  await darkMode();
  await narrow();
  await failures();
  await reducedSearch();
  await limits();
} catch (error) {
  failed += 1;
  console.log(`FAIL the run was broken off: ${error.stack}`);
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

// Scenes

async function conversation(name, options) {
  const page = await open(browser, base, options);
  const say = (text) => `${name}: ${text}`;
  await check(say("the page has its heading"), () => page.getByRole("heading", { level: 1, name: "Ask the dossier" }).waitFor());
  await check(say("four example questions are offered"), async () => equal(await page.locator(".example").count(), 4));
  await check(say("nothing scrolls sideways at the start"), () => fits(page));
  await shot(page, `${name}-start`);

  await watchGrowth(page);
  const tokens = countTokens(page);
  await askByKeyboard(page, QUESTION);
  await check(say("a question asked by keyboard is answered"), () => answered(page, 1));
  await check(say("the answer streams in"), async () => {
    const growth = await page.evaluate(() => window.growth.length);
    const events = await tokens;
    expect(growth >= 2 || events >= 2, `${growth} observations, ${events} token events`);
    return `grew ${growth} times, ${events} token events`;
  });
  await check(say("the finished answer is announced once, without citation marks"), async () => {
    const text = await page.locator("#announcement").textContent();
    expect(text.length > 0 && !/\[\d+\]/.test(text), `announced: ${text}`);
    equal(await page.locator(".answer").getAttribute("aria-live"), "off");
  });
  await check(say("the session is remembered"), async () => {
    expect(await page.evaluate(() => localStorage.getItem("dossier-session")), "no session id is stored");
  });
  await check(say("sources are listed under the answer"), () => page.locator(".source").first().waitFor());
  await shot(page, `${name}-answer`);
  await citation(page, say, name);

  await askByKeyboard(page, FOLLOW_UP);
  await check(say("a follow-up is answered"), () => answered(page, 2));
  await askByKeyboard(page, UNANSWERABLE);
  await check(say("an unanswerable question is refused"), async () => {
    await answered(page, 3);
    await page.locator(".turn").nth(2).getByText("Not found in the documents").waitFor();
  });
  await check(say("nothing scrolls sideways in a conversation"), () => fits(page));
  await shot(page, `${name}-conversation`);

  await page.getByRole("button", { name: "New conversation" }).click();
  await check(say("a new conversation forgets the old one"), async () => {
    equal(await page.locator(".turn").count(), 0);
    equal(await page.evaluate(() => localStorage.getItem("dossier-session")), null);
    expect(await page.locator(".example").first().isVisible(), "the examples are not back");
  });
  await check(say("no console error and no CSP violation"), () => equal(page.problems.join("\n"), ""));
  await page.context().close();
}

async function citation(page, say, name) {
  const first = page.locator("button.citation").first();
  await check(say("the answer has a citation"), () => first.waitFor());
  await first.focus();
  await page.keyboard.press("Enter");
  const passage = page.locator("#source-panel .passage");
  await check(say("a citation opens its passage"), async () => {
    await passage.waitFor({ state: "visible" });
    expect((await passage.innerText()).trim().length > 20, "the passage is empty");
  });
  await check(say("the focus is inside the panel"), () =>
    page.waitForFunction(() => document.querySelector("#source-panel").contains(document.activeElement)));
  await check(say("nothing scrolls sideways beside the panel"), () => fits(page));
  await shot(page, `${name}-panel`);

  await page.keyboard.press("Escape");
  await check(say("Escape closes the panel and the focus returns"), async () => {
    await page.locator("#source-panel").waitFor({ state: "hidden" });
    await page.waitForFunction(() => document.activeElement === document.querySelector("button.citation"));
  });
  await page.locator(".source").first().click();
  await check(say("a listed source opens the same panel"), () => passage.waitFor({ state: "visible" }));
  await page.locator("#source-close").click();
  await page.locator("#source-panel").waitFor({ state: "hidden" });
}

async function darkMode() {
  for (const [name, options] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    const page = await open(browser, base, { ...options, colorScheme: "dark" });
    await shot(page, `${name}-dark-start`);
    await page.route(STREAM, (route) => route.fulfill(stream(ANSWER)));
    await page.locator(".example").first().click();
    await answered(page, 1);
    await page.locator("button.citation").first().click();
    await shot(page, `${name}-dark-panel`);
    await check(`${name}: dark mode has a dark ground and light text`, async () => {
      const [ground, text] = await page.evaluate(() => [
        getComputedStyle(document.documentElement).backgroundColor,
        getComputedStyle(document.body).color,
      ]);
      expect(brightness(ground) < 60 && brightness(text) > 180, `${text} on ${ground}`);
    });
    await page.context().close();
  }
}

async function narrow() {
  for (const width of [320, 375]) {
    const page = await open(browser, base, { viewport: { width, height: 640 } });
    await check(`${width} px: the start fits`, () => fits(page));
    await page.route(STREAM, (route) => route.fulfill(stream(ANSWER)));
    await askByKeyboard(page, `${QUESTION} ${"unbroken".repeat(20)}`);
    await answered(page, 1);
    await check(`${width} px: an answer fits`, () => fits(page));
    await page.locator(".source").first().click();
    await check(`${width} px: a passage fits`, () => fits(page));
    await shot(page, `narrow-${width}`);
    await page.context().close();
  }
}

async function failures() {
  const page = await open(browser, base, DESKTOP);
  const stage = async (reply) => {
    await page.unroute(STREAM);
    await page.route(STREAM, (route) => (reply === "unreachable" ? route.abort() : route.fulfill(reply)));
  };
  const last = page.locator(".turn").last();

  await stage(problem(429, "rate_limited", { "Retry-After": "42" }));
  await askByKeyboard(page, QUESTION);
  await check("a 429 names the seconds to wait", () => last.getByText("You can ask again in 42 seconds.").waitFor());
  await check("a 429 keeps its retry button disabled", async () => expect(await last.locator(".retry").isDisabled(), "it is enabled"));
  await shot(page, "failure-limit");

  await stage(problem(429, "rate_limited", { "Retry-After": "3840" }));
  await askByKeyboard(page, QUESTION);
  await check("a longer wait is told in hours", () => last.getByText("You can ask again in about an hour.").waitFor());
  await check("its retry button counts hours too", () => last.getByText(/in 1:0[34]:\d\d$/).waitFor());

  await stage(problem(500, "internal"));
  await askByKeyboard(page, QUESTION);
  await check("a 500 is told with its reference", () => last.getByText("Reference: req-1").waitFor());

  await stage(stream(ANSWER));
  await last.getByRole("button", { name: "Try again" }).click();
  await check("the retry answers in the same place", async () => {
    await answered(page, 1);
    equal(await page.locator(".turn").count(), 3);
    equal(await last.locator(".failure").count(), 0);
  });

  await stage("unreachable");
  await askByKeyboard(page, QUESTION);
  await check("an unreachable service is told", () => last.getByText("The service cannot be reached.").waitFor());

  await stage(stream(ANSWER.filter(([event]) => event !== "done")));
  await askByKeyboard(page, QUESTION);
  await check("a stream without an end is told, and its text stays", async () => {
    await last.getByText("The answer was cut off.").waitFor();
    expect((await last.locator(".answer").innerText()).includes("in Physics"), "the text is gone");
    await last.getByRole("button", { name: "Try again" }).waitFor();
  });

  await check("a conversation the service has forgotten is begun anew", async () => {
    const asked = [];
    await page.unroute(STREAM);
    await page.route(STREAM, (route) => {
      asked.push(route.request().postDataJSON().session_id ?? null);
      return route.fulfill(asked.length === 1 ? problem(404, "session_not_found") : stream(ANSWER));
    });
    await askByKeyboard(page, QUESTION);
    await last.locator(".source").waitFor();
    equal(asked.join(), "staged-session,");
  });

  const [[, metadata]] = ANSWER;
  const [source] = metadata.sources;
  await stage(stream([
    ["metadata", { ...metadata, sources: [{ ...source, title: "Not this one" }, source] }],
    ["token", "She received it [1]."],
    ["sources_reorder", { reordered_sources: [source] }],
    ["done"],
  ]));
  await askByKeyboard(page, QUESTION);
  await check("a citation selects from the last list of sources", async () => {
    await last.locator(".source").waitFor();
    await last.locator("button.citation").click();
    equal(await page.locator("#source-title").textContent(), source.title);
    await page.keyboard.press("Escape");
  });

  await stage(stream([["error", { detail: "Generation failed" }]]));
  await askByKeyboard(page, QUESTION);
  await check("an error event is told", () => last.getByText("Something went wrong").waitFor());

  await stage(stream([ANSWER[0], ["token", "<img src=x onerror=alert(1)> & <b>bold</b>"], ["done"]]));
  await askByKeyboard(page, QUESTION);
  await check("markup in an answer stays text", async () => {
    await last.getByText("<b>bold</b>").waitFor();
    equal(await page.locator(".answer img, .answer b").count(), 0);
  });

  await stopping(page, last);
  await check("no exception and no CSP violation in failures", () =>
    equal(page.problems.filter((text) => !text.startsWith("Failed to load resource")).join("\n"), ""));
  await page.context().close();
}

/** Escape and the Stop button, on a stream that has begun and then hangs. */
async function stopping(page, last) {
  await page.unroute(STREAM);
  await page.evaluate((begin) => {
    window.fetch = async (_, { signal }) => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(begin));
          signal.addEventListener("abort", () => controller.error(signal.reason));
        },
      });
      return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
    };
  }, encode([ANSWER[0], ["token", "A beginning that stays"]]));

  for (const [name, stop] of [
    ["Escape", () => page.keyboard.press("Escape")],
    ["the Stop button", () => page.getByRole("button", { name: "Stop the answer" }).click()],
  ]) {
    await askByKeyboard(page, QUESTION);
    await last.getByText("A beginning that stays").waitFor();
    await stop();
    await check(`${name} ends the answer and keeps its text`, async () => {
      await last.getByText("You stopped the answer here.").waitFor();
      expect(await last.getByText("A beginning that stays").isVisible(), "the text is gone");
      await page.getByRole("button", { name: "Send the question" }).waitFor();
    });
  }
}

async function reducedSearch() {
  const page = await open(browser, base, DESKTOP);
  const report = { status: "degraded", components: { semantic: { status: "off" } }, degraded: ["semantic"] };
  await page.route("**/api/v1/health/detailed", (route) => route.fulfill({ json: report }));
  await page.reload();
  await check("a notice says when semantic search is off", () => page.getByText("Semantic search is off").waitFor());
  await page.context().close();
}

async function limits() {
  const page = await open(browser, base, DESKTOP);
  for (const [name, text, message] of [
    ["short", "ab", "at least 3 characters"],
    ["long", "x".repeat(2001), "at most 2000 characters"],
    ["wordy", "word ".repeat(301), "at most 300 words"],
  ]) {
    await page.locator("#question").fill(text);
    await page.keyboard.press("Enter");
    await check(`a question too ${name} is not sent`, async () => {
      await page.locator("#problem").getByText(message).waitFor();
      equal(await page.locator(".turn").count(), 0);
    });
  }
  await page.locator("#question").fill("");
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await check("Shift+Enter starts a new line", async () => equal(await page.locator("#question").inputValue(), "one\ntwo"));
  await page.context().close();
}

// What the scenes are made of

async function askByKeyboard(page, question) {
  await page.locator("#question").focus();
  await page.keyboard.insertText(question);
  await page.keyboard.press("Enter");
}

/** Waits until so many answers are complete. */
async function answered(page, count) {
  await page.waitForFunction(
    (wanted) => {
      const turns = [...document.querySelectorAll(".turn")];
      const done = turns.filter((turn) => {
        const answer = turn.querySelector(".answer");
        return answer.textContent.trim() !== "" && !answer.hasAttribute("aria-busy") && !turn.querySelector(".failure");
      });
      return done.length >= wanted;
    },
    count,
    { timeout: ANSWER_TIMEOUT },
  );
}

/** Records every length the answer's text has on its way. */
function watchGrowth(page) {
  return page.evaluate(() => {
    window.growth = [];
    const look = () => {
      const length = document.querySelector(".answer")?.textContent.length ?? 0;
      if (length > (window.growth.at(-1) ?? 0)) window.growth.push(length);
    };
    const options = { childList: true, characterData: true, subtree: true };
    new MutationObserver(look).observe(document.querySelector("#transcript"), options);
  });
}

/** Counts the token events of the next stream; 0 if it cannot be read. */
async function countTokens(page) {
  try {
    const response = await page.waitForResponse(STREAM, { timeout: ANSWER_TIMEOUT });
    return (await response.text()).match(/^event: ?token/gm)?.length ?? 0;
  } catch {
    return 0;
  }
}

async function fits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(content <= window, `${content} px of content in ${window} px`);
}

async function shot(page, name) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

function brightness(colour) {
  const [red, green, blue] = colour.match(/\d+/g).map(Number);
  return 0.3 * red + 0.6 * green + 0.1 * blue;
}

// Keeping score

async function check(name, run) {
  try {
    const remark = await run();
    passed += 1;
    console.log(`ok   ${name}${typeof remark === "string" ? ` (${remark})` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.message.split("\n")[0]}`);
  }
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

function equal(actual, wanted) {
  expect(actual === wanted, `got ${JSON.stringify(actual)}, wanted ${JSON.stringify(wanted)}`);
}
