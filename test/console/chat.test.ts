import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seriousViolations } from "./accessibility.ts";
import { noChromium, startChromium } from "./chromium.ts";
import { showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { SHOTS, showPage } from "./shown-page.ts";

// A browser, a node and its engine share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(noChromium !== "")(`the demo asked in the console${noChromium}`, () => {
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    [browser, node] = await Promise.all([startChromium(), showNode([])]);
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
  });

  it("answers, says who answered and how fast, and the request is in the books", async () => {
    const { page, complaints, close } = await showPage(browser, node.url, "/#/chat");
    await page.getByRole("textbox", { name: "Question" }).fill("What is a runbook?");
    await page.keyboard.press("Enter");
    await page
      .getByText(/tokens\/s|tokens a second/)
      .first()
      .waitFor();
    await page.screenshot({ path: join(SHOTS, "chat-answered.png"), fullPage: true });
    await page.getByRole("link", { name: "Requests" }).click();
    await page
      .getByRole("region", { name: "Requests that ended" })
      .getByText("answered")
      .filter({ visible: true })
      .first()
      .waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("leaves nothing serious for axe-core beside an answer", async () => {
    const { page, close } = await showPage(browser, node.url, "/#/chat", { bypassCSP: true });
    await page.getByRole("textbox", { name: "Question" }).fill("Show a list.");
    await page.keyboard.press("Enter");
    await page
      .getByText(/tokens\/s|tokens a second/)
      .first()
      .waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await close();
  });
});
