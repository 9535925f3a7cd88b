// Starts Chromium and opens pages that keep a record of everything that went wrong in them.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM || onPath("chromium"), args: ARGUMENTS });
}

/** Opens `url` in a fresh profile; `page.problems` collects console errors, exceptions and CSP violations. */
export async function open(browser, url, options) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  page.on("pageerror", (error) => page.problems.push(error.message));
  await page.exposeBinding("reportViolation", (_, violation) => page.problems.push(`CSP: ${violation}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      reportViolation(`${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(url, { waitUntil: "networkidle" });
  return page;
}

function onPath(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not here.
    }
  }
  throw new Error(`no ${name} on the PATH; set CHROMIUM to the browser's path`);
}
