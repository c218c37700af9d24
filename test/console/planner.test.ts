import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seriousViolations } from "./accessibility.ts";
import { noChromium, startChromium } from "./chromium.ts";
import { CONCRETE_BUNKER, showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { showPage } from "./shown-page.ts";

// A browser, a node and its engines share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(noChromium !== "")(`the planner of the console${noChromium}`, () => {
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    [browser, node] = await Promise.all([startChromium(), showNode(CONCRETE_BUNKER)]);
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
  });

  it("tries what fits and what does not, says why, exports the changed spec, and changes nothing", async () => {
    const { page, complaints, close } = await showPage(browser, node.url, "/#/plan/try");
    const context = page.getByLabel("Context (tokens)");
    const verdict = page.locator(".verdict");
    await context.fill("4096");
    await verdict.getByText("It fits").waitFor();
    await page
      .getByText(/context.*8.?192.*4.?096/i)
      .first()
      .waitFor();

    await context.fill("100000000");
    await verdict.getByText("does not work").waitFor();
    await page.getByRole("heading", { name: "Not taken" }).waitFor();

    await context.fill("4096");
    await verdict.getByText("It fits").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: /^Download/ }).click(),
    ]);
    const spec = readFileSync(await download.path(), "utf8");
    expect(download.suggestedFilename()).toMatch(/\.ya?ml$/);
    expect(spec).toMatch(/^ +context: 4096/m);
    // What nobody changed is as its owner wrote it, comments included.
    const before = readFileSync(CONCRETE_BUNKER[0] ?? "", "utf8").split("\n");
    const same = spec.split("\n").filter((line) => before.includes(line)).length;
    expect(before.length - same).toBeLessThan(3);

    const status: {
      readonly services: readonly { readonly name: string; readonly contextTokens: number }[];
    } = JSON.parse(await (await fetch(`${node.url}/api/status`)).text());
    expect(status.services.find(({ name }) => name === "deepseek-v32")?.contextTokens).toBe(8192);
    expect(complaints).toEqual([]);
    await close();
  });

  it("is used without a pointer, and by who cannot see it", async () => {
    const { page, close } = await showPage(browser, node.url, "/#/plan/try", { bypassCSP: true });
    await page.getByLabel("Context (tokens)").fill("4096");
    await page.locator(".verdict").getByText("It fits").waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole("button", { name: "Reset all" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Nothing is tried yet.").waitFor();
    await close();
  });
});
