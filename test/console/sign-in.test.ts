import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../e2e/run-node.ts";
import { noChromium, startChromium } from "./chromium.ts";
import { showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { showPage } from "./shown-page.ts";

// A browser, a node and its engine share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const OWNER = "a-secret-of-the-owner";
const GUEST = "a-secret-of-a-guest";

describe.skipIf(noChromium !== "")(`the console of a node with keys${noChromium}`, () => {
  const folder = temporaryFolder();
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    const spec = join(folder.path, "omni.yaml");
    writeFileSync(join(folder.path, "owner"), OWNER);
    writeFileSync(join(folder.path, "guest"), GUEST);
    writeFileSync(
      spec,
      "omni: 1\nname: guarded\nmodels: { chat: builtin:omni-demo }\n" +
        "keys: { owner: { file: ./owner, admin: true }, guest: { file: ./guest } }\n",
    );
    [browser, node] = await Promise.all([startChromium(), showNode([spec])]);
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
    folder.remove();
  });

  it("asks for a key, refuses a wrong one, opens with the right one, and keeps it for the tab alone", async () => {
    const { page, close } = await showPage(browser, node.url, "/");
    await page.getByLabel("Key", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("The key was refused").waitFor();
    await page.getByLabel("Key", { exact: true }).fill(OWNER);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Node", exact: true }).waitFor();
    await page.reload();
    await page.getByText("live", { exact: true }).waitFor();
    expect(await page.getByLabel("Key", { exact: true }).count()).toBe(0);

    const other = await page.context().newPage();
    await other.goto(node.url);
    await other.getByText("asks everyone for a key").waitFor();
    expect(await other.evaluate("JSON.stringify(localStorage) + document.cookie")).not.toContain(OWNER);
    expect(page.url() + (await page.content())).not.toContain(OWNER);

    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByText("asks everyone for a key").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    await close();
  });

  it("forgets a key that is not to be kept when the page is loaded again", async () => {
    const { page, close } = await showPage(browser, node.url, "/");
    await page.getByLabel("Key", { exact: true }).fill(OWNER);
    await page.getByLabel("Keep it until this tab is closed").uncheck();
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("live", { exact: true }).waitFor();
    await page.reload();
    await page.getByText("asks everyone for a key").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    await close();
  });

  it("shows a key without rights what is for it: states and chat, no actions", async () => {
    const { page, close } = await showPage(browser, node.url, "/");
    await page.getByLabel("Key", { exact: true }).fill(GUEST);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("read only").waitFor();
    const views = await page.getByRole("navigation", { name: "Views" }).getByRole("link").allTextContents();
    expect(views).toEqual(["Services", "Chat"]);
    await page.getByRole("row", { name: /chat.*ready/ }).waitFor();
    await page.goto(`${node.url}/#/services/chat`);
    await page.getByText("for keys that may change the node").waitFor();
    expect(await page.getByRole("button", { name: "Restart" }).count()).toBe(0);
    await close();
  });
});
