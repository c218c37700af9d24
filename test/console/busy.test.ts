import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { noChromium, startChromium } from "./chromium.ts";
import { CONCRETE_BUNKER, showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { SHOTS, showPage } from "./shown-page.ts";

/** Orders that are given, each of which is told by two events or more: 2 000 a minute is one every 60 milliseconds. */
const ORDERS = 150;
const PACE = 60;
/** Rows that a list may draw, however many it has. */
const MOST_ROWS = 120;

const TASKS = z.array(z.number());

describe.skipIf(noChromium !== "")(`the console of a busy node${noChromium}`, () => {
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    [browser, node] = await Promise.all([startChromium(), showNode(CONCRETE_BUNKER)]);
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await node.end();
  });

  const order = async (action: string): Promise<number> =>
    (await fetch(`${node.url}/api/services/qwen-executor/${action}`, { method: "POST" })).status;

  it("shows every event of a storm and draws only what is seen", async () => {
    const { page, complaints, close } = await showPage(browser, node.url, "/#/events");
    const list = page.getByRole("region", { name: "Events, newest first" });
    await list.getByText("node.started").waitFor();
    await page.evaluate(
      "globalThis.tasks = []; new PerformanceObserver((l) => tasks.push(...l.getEntries().map((e) => e.duration))).observe({ type: 'longtask' })",
    );
    for (let i = 0; i < ORDERS; i++) {
      expect(await order(i % 2 === 0 ? "drain" : "resume")).toBe(202);
      await new Promise((wake) => setTimeout(wake, PACE));
    }
    const last = await lastEvent(node.url);
    await page
      .getByRole("status")
      .filter({ hasText: `${last} of ${last}` })
      .waitFor();
    expect(last).toBeGreaterThan(ORDERS * 2);
    expect(await list.getByRole("listitem").count()).toBeLessThan(MOST_ROWS);
    expect(complaints).toEqual([]);
    // For whoever wants to know how smooth it was; a machine that does much else says nothing by it.
    const tasks = TASKS.parse(await page.evaluate("tasks"));
    writeFileSync(join(SHOTS, "long-tasks.json"), `${JSON.stringify({ events: last, longTasks: tasks })}\n`);
    await page.screenshot({ path: join(SHOTS, "busy-events.png") });
    await close();
  }, 120_000);
});

const lastEvent = async (url: string): Promise<number> =>
  z.object({ last: z.number() }).parse(await (await fetch(`${url}/api/events?limit=1`)).json()).last;
