import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { noChromium, startChromium } from "./chromium.ts";
import { askModel, showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { SHOTS, showPage } from "./shown-page.ts";

// A browser, a node and its engine share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const STATUS = z.object({ services: z.array(z.object({ pid: z.number().optional(), state: z.string() })) });

describe.skipIf(noChromium !== "")(`a service in the console${noChromium}`, () => {
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    [browser, node] = await Promise.all([startChromium(), showNode([])]);
    await askModel(node.url, "omni-demo");
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
  });

  const processOf = async (): Promise<number | undefined> =>
    STATUS.parse(await (await fetch(`${node.url}/api/status`)).json()).services[0]?.pid;

  it("is restarted through a dialog, and its states are seen", async () => {
    const before = await processOf();
    const { page, complaints, close } = await showPage(browser, node.url, "/#/services/omni-demo");
    const now = page.getByRole("region", { name: "omni-demo", exact: true });
    await now.getByText(String(before), { exact: true }).waitFor();
    await now.getByRole("button", { name: "Restart" }).click();
    const dialog = page.getByRole("dialog", { name: "Restart: omni-demo?" });
    await dialog.waitFor();
    await page.screenshot({ path: join(SHOTS, "service-restart-dialog.png") });
    await page.keyboard.press("Escape");
    expect(await dialog.count()).toBe(0);
    expect(await processOf()).toBe(before);

    await now.getByRole("button", { name: "Restart" }).click();
    await dialog.getByRole("button", { name: "Restart" }).click();
    await now.getByText("starts again once").waitFor();
    await now.getByText(/^(draining|stopping|starting|loading)/).waitFor();
    await now.getByText("ready", { exact: true }).waitFor();
    const after = await processOf();
    expect(after).not.toBe(before);
    await now.getByText(String(after), { exact: true }).waitFor();
    await page.screenshot({ path: join(SHOTS, "service-restarted.png"), fullPage: true });
    expect(complaints).toEqual([]);
    await close();
  });

  it("says in the dialog why the node refuses an order", async () => {
    const { page, close } = await showPage(browser, node.url, "/#/services/omni-demo");
    await page.getByRole("button", { name: "Step down" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Step down" }).click();
    await dialog.getByText("omni-demo has no rung below this one.").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(await dialog.count()).toBe(0);
    await close();
  });

  it("shows its speed, its log and what went wrong", async () => {
    const { page, close } = await showPage(browser, node.url, "/#/services/omni-demo");
    const speed = page.getByRole("region", { name: "Speed in the last hour" });
    await speed.getByText(/^1 request, none failed\.$/).waitFor();
    const log = page.getByRole("region", { name: "End of its log" });
    expect(await log.getByRole("button", { name: "Read again" }).isEnabled()).toBe(true);
    expect(await page.getByRole("link", { name: "All its events" }).getAttribute("href")).toBe(
      "#/events?service=omni-demo",
    );
    await close();
  });
});
