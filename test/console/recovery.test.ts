import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { launch, temporaryFolder, untilReady } from "../e2e/run-node.ts";
import { builtConsole } from "./built-console.ts";
import { noChromium, startChromium } from "./chromium.ts";
import { showPage } from "./shown-page.ts";

const EVENTS = z.object({ events: z.array(z.object({ seq: z.number() })) });

/** How many events a node tells. */
const eventsOf = async (url: string): Promise<number> =>
  EVENTS.parse(await (await fetch(`${url}/api/events?limit=1000`)).json()).events.length;

describe.skipIf(noChromium !== "")(`a console whose node is killed${noChromium}`, () => {
  const state = temporaryFolder();
  let browser: Browser;
  let node: ChildProcess | undefined;

  beforeAll(async () => {
    await builtConsole();
    browser = await startChromium();
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    if (node !== undefined) await ended(node, "SIGINT");
    state.remove();
  });

  it("says that it is lost, and goes on without a reload and without missing an event", async () => {
    node = launch(["up", "--port", "0"], state.path);
    const url = await untilReady(state.path);
    const { page, close } = await showPage(browser, url, "/#/events");
    await page.getByText("live", { exact: true }).waitFor();
    const list = page.getByRole("region", { name: "Events, newest first" });
    await list.getByText("node.started").waitFor();
    await page.evaluate("globalThis.sameDocument = true");

    await ended(node, "SIGKILL");
    await page.getByText("not connected").waitFor();
    await page.getByText("What you see is not of now").waitFor();

    node = launch(["up", "--port", new URL(url).port], state.path);
    expect(await untilReady(state.path)).toBe(url);
    await page.getByText("live", { exact: true }).waitFor();
    await vi.waitFor(
      async () => {
        const told = await eventsOf(url);
        expect(await page.getByRole("status").allTextContents()).toContain(`${told} of ${told}`);
      },
      { timeout: 30_000, interval: 500 },
    );
    expect(await list.getByText("node.started").count()).toBe(2);
    expect(await page.getByText("What you see is not of now").count()).toBe(0);
    expect(await page.evaluate("globalThis.sameDocument")).toBe(true);
    await close();
  }, 180_000);
});

async function ended(node: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  node.kill(signal);
  await once(node, "exit");
}
