import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ROOT, temporaryFolder } from "../e2e/run-node.ts";
import { noChromium, startChromium } from "./chromium.ts";
import { showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { showPage } from "./shown-page.ts";

// A browser, a node and its engines share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** A reference system whose ComfyUI has a workflow. */
function specWithWorkflow(): string {
  const spec = readFileSync(join(ROOT, "examples/omni-prime.fixed.yaml"), "utf8");
  const workflow = join(ROOT, "test/gateway/workflows/text-to-image.json");
  return spec.replace("\n  flux:\n", `\n  flux:\n    workflows: { picture: ${JSON.stringify(workflow)} }\n`);
}

describe.skipIf(noChromium !== "")(`pictures in the console's chat${noChromium}`, () => {
  const folder = temporaryFolder();
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    const spec = join(folder.path, "omni.yaml");
    writeFileSync(spec, specWithWorkflow());
    [browser, node] = await Promise.all([startChromium(), showNode([spec, "--simulate"])]);
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
    folder.remove();
  });

  it("are made by a workflow of ComfyUI, shown, and can be saved", async () => {
    const { page, complaints, close } = await showPage(browser, node.url, "/#/chat");
    await page.getByRole("combobox", { name: "Route or model" }).selectOption({ label: "picture" });
    await page.getByRole("textbox").first().fill("a lighthouse at night");
    await page.keyboard.press("Enter");
    await page.getByText(/^seed \d+/).waitFor();
    const picture = page.getByRole("main").getByRole("img").first();
    expect(
      await picture.evaluate((element) => "naturalWidth" in element && element.naturalWidth),
    ).toBeGreaterThan(0);
    await page.getByRole("link", { name: "Save" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
