import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { ROOT } from "../e2e/run-node.ts";

/** Where screenshots are kept for looking at. */
export const SHOTS = join(ROOT, "artefacts/console");
mkdirSync(SHOTS, { recursive: true });

/** A page of the console, and what a person would find in its developer tools. */
export interface ShownPage {
  readonly page: Page;
  /** Errors of the console, of scripts and of the policy, and requests to other hosts, in the order that they came. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

/** Opens a page of a browser session of its own at a place of the console: `/#/services`. */
export async function showPage(
  browser: Browser,
  node: string,
  place: string,
  options: BrowserContextOptions = {},
): Promise<ShownPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", ({ message }) => complaints.push(`script: ${message}`));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    const own = origin === node || protocol === "data:" || protocol === "blob:";
    if (!own) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(`${node}${place}`);
  return { page, complaints, close: () => context.close() };
}

/** Pixels that the page itself can be scrolled sideways by. */
export const sidewaysOf = async (page: Page): Promise<number> =>
  page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
