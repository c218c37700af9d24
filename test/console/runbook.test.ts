import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { omni, temporaryFolder } from "../e2e/run-node.ts";
import { noChromium, startChromium } from "./chromium.ts";
import { showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { showPage } from "./shown-page.ts";

// A browser, a node and its engine share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(noChromium !== "")(`a run of apply in the console${noChromium}`, () => {
  const folder = temporaryFolder();
  const spec = join(folder.path, "omni.yaml");
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    writeFileSync(
      spec,
      "omni: 1\nname: shown\nmodels: { demo: builtin:omni-demo }\nservices: { chat: { model: demo } }\n",
    );
    [browser, node] = await Promise.all([startChromium(), showNode([spec])]);
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
    folder.remove();
  });

  it("appears while somebody looks, and shows its steps with what proves them", async () => {
    const { page, complaints, close } = await showPage(browser, node.url, "/#/runbook");
    await page.getByText("./omni apply").first().waitFor();
    // It listens where it could; what is applied has to know.
    appendFileSync(spec, `gateway: { port: ${new URL(node.url).port} }\n`);
    const applied = await omni(["apply", "--yes", spec], node.state);
    expect([applied.code, applied.stderr]).toEqual([0, expect.any(String)]);
    await page.getByText("acceptance").first().waitFor();
    await page
      .getByText(/^(?:done|there)$/)
      .first()
      .waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: /report/i }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.md$/);
    expect(complaints).toEqual([]);
    await close();
  });
});
