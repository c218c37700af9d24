/**
 * The first load of the console in a real Chromium, with an empty cache each time: what is transferred, and the time from
 * the navigation to a page that can be used (the views can be clicked) and to one that shows the node.
 * Usage: npm run bench:console-load [-- ROUNDS [URL]]; without a URL it starts the demo, with Chromium at /usr/bin/chromium
 * or where CHROMIUM says.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { z } from "zod";
import { untilReady } from "../test/e2e/run-node.ts";

const ROUNDS = Number(process.argv[2] ?? 7);
const ROOT = join(import.meta.dirname, "..");

const TIMES = z.object({ usable: z.number(), shown: z.number() });
type Load = z.output<typeof TIMES> & { readonly bytes: number };

/** Notes in the page when its parts appear, by the page's own clock, which begins with the navigation. */
const WATCH = `
  globalThis.times = {};
  new MutationObserver(() => {
    if (document.querySelector("nav.views a")) times.usable ??= performance.now();
    if (document.querySelector("main .panel")) times.shown ??= performance.now();
  }).observe(document, { childList: true, subtree: true });
`;

async function load(browser: Browser, url: string): Promise<Load> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    let bytes = 0;
    session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
    await page.addInitScript(WATCH);
    await page.goto(url);
    await page.locator("main .panel").first().waitFor();
    return { ...TIMES.parse(await page.evaluate("times")), bytes };
  } finally {
    await context.close();
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** A demo node of its own, for as long as `use` takes. */
async function withDemo(use: (url: string) => Promise<void>): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), "omni-measure-"));
  const node = spawn(join(ROOT, "omni"), ["up", "--port", "0"], {
    cwd: state,
    env: { ...process.env, OMNI_STATE: state },
    stdio: "ignore",
  });
  try {
    await use(await untilReady(state));
  } finally {
    const ended = once(node, "exit");
    node.kill("SIGINT");
    await ended;
    rmSync(state, { recursive: true, force: true });
  }
}

async function measure(url: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium" });
  try {
    // The first load of a browser's life also starts its own parts.
    await load(browser, url);
    const loads: Load[] = [];
    for (let round = 0; round < ROUNDS; round++) loads.push(await load(browser, url));
    const [kilobytes, usable, shown] = [
      median(loads.map(({ bytes }) => bytes)) / 1000,
      median(loads.map(({ usable }) => usable)),
      median(loads.map(({ shown }) => shown)),
    ];
    console.log(`First load, median of ${ROUNDS}, empty cache, ${browser.version()}:`);
    console.log(`  transferred      ${kilobytes.toFixed(1)} kB   (at most 250 kB)`);
    console.log(`  views usable     ${usable.toFixed(0)} ms   (at most 1 000 ms)`);
    console.log(`  node shown       ${shown.toFixed(0)} ms`);
  } finally {
    await browser.close();
  }
}

const given = process.argv[3];
await (given === undefined ? withDemo(measure) : measure(given));
