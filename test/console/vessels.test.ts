import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seriousViolations } from "./accessibility.ts";
import { noChromium, startChromium } from "./chromium.ts";
import { CONCRETE_BUNKER, showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { SHOTS, showPage } from "./shown-page.ts";

// A browser, a node and its engine share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(noChromium !== "")(`the cards of a simulated machine in the console${noChromium}`, () => {
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    [browser, node] = await Promise.all([startChromium(), showNode(CONCRETE_BUNKER)]);
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
  });

  it("tell what each layer is, as planned and as measured, by arrow keys and in a table", async () => {
    const { page, complaints, close } = await showPage(browser, node.url, "/#/node");
    const card = page.getByRole("article", { name: "gpu0, RTX PRO 6000 Blackwell" });
    await card.getByRole("listbox", { name: "gpu0 as planned" }).focus();
    await card.getByText("deepseek-v32: weights 76.96 GiB").waitFor();
    await page.keyboard.press("ArrowUp");
    await card.getByText("deepseek-v32: KV cache 2.28 GiB").waitFor();
    await page.keyboard.press("Tab");
    // What its engine wrote at its start is beside what the driver says that its process holds.
    await card.getByText("deepseek-v32: weights 76.96 GiB").waitFor();
    expect(
      await card.getByRole("listbox", { name: "gpu0 as measured now" }).getAttribute("aria-activedescendant"),
    ).not.toBe(null);
    await card.getByText("Figures of gpu0").click();
    await card.getByRole("row", { name: /^deepseek-v32 KV cache 2\.28 GiB 2\.28 GiB$/ }).waitFor();
    await page.screenshot({ path: join(SHOTS, "vessel-figures.png"), fullPage: true });
    expect(complaints).toEqual([]);
    await close();
  });

  it.each(["light", "dark"] as const)(
    "have no serious fault for axe-core beside their service when it is %s",
    async (colorScheme) => {
      const { page, close } = await showPage(browser, node.url, "/#/services/deepseek-v32", {
        bypassCSP: true,
        colorScheme,
      });
      await page.getByRole("region", { name: "Log of deepseek-v32" }).waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await page.getByRole("button", { name: "Unload" }).click();
      await page.getByRole("dialog").waitFor();
      expect(await seriousViolations(page)).toEqual([]);
      await page.screenshot({ path: join(SHOTS, `service-${colorScheme}.png`), fullPage: true });
      await close();
    },
  );
});
