import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seriousViolations } from "./accessibility.ts";
import { noChromium, startChromium } from "./chromium.ts";
import { CONCRETE_BUNKER, askModel, showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { SHOTS, showPage, sidewaysOf } from "./shown-page.ts";
import { NODES, VIEWS } from "./view-contents.ts";

// A browser, a node and its engine share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true } as const;

describe.skipIf(noChromium !== "").each(NODES)(`the console of $name${noChromium}`, (shown) => {
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    [browser, node] = await Promise.all([
      startChromium(),
      showNode(shown.name === "the demo" ? [] : CONCRETE_BUNKER),
    ]);
    for (const model of shown.models) await askModel(node.url, model);
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
  });

  /** Waits until a view shows what it is for on this node. */
  const untilShown = async (page: Page, sees: readonly RegExp[]): Promise<void> => {
    for (const words of sees)
      await page.locator("main").getByText(words).filter({ visible: true }).first().waitFor();
  };
  const shotOf = (view: string, how: string): string =>
    join(SHOTS, `${shown.name.replaceAll(" ", "-")}-${view}-${how}.png`);

  describe.each(VIEWS)("in $path", ({ path, sees, action }) => {
    it("shows what it is for, from the node alone, without an error", async () => {
      const { page, complaints, close } = await showPage(browser, node.url, `/#/${path}`);
      await untilShown(page, sees[shown.name]);
      await page.screenshot({ path: shotOf(path, "light"), fullPage: true });
      expect(complaints).toEqual([]);
      await close();
    });

    it.each(["light", "dark"] as const)(
      "has no serious fault for axe-core when it is %s",
      async (colorScheme) => {
        const { page, close } = await showPage(browser, node.url, `/#/${path}`, {
          bypassCSP: true,
          colorScheme,
        });
        await untilShown(page, sees[shown.name]);
        expect(await seriousViolations(page)).toEqual([]);
        await page.screenshot({ path: shotOf(path, colorScheme), fullPage: true });
        await close();
      },
    );

    it("fits a phone", async () => {
      const { page, close } = await showPage(browser, node.url, `/#/${path}`, PHONE);
      await untilShown(page, sees[shown.name]);
      await page.screenshot({ path: shotOf(path, "phone"), fullPage: true });
      expect(await sidewaysOf(page)).toBe(0);
      await close();
    });

    it("is reached and used with the keyboard alone", async () => {
      const { page, close } = await showPage(browser, node.url, `/#/${path}`);
      await untilShown(page, sees[shown.name]);
      expect(await focusedBy(page, action[shown.name])).toBe(true);
      await close();
    });
  });
});

/** Presses Tab until what is focused is called so; false where it comes nowhere. */
async function focusedBy(page: Page, name: RegExp): Promise<boolean> {
  for (let i = 0; i < 150; i++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate<string>(
      "(({ activeElement: e }) => e?.getAttribute('aria-label') ?? e?.labels?.[0]?.textContent ?? e?.textContent ?? '')(document)",
    );
    if (name.test(focused)) return true;
  }
  return false;
}
