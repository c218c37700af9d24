import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { noChromium, startChromium } from "./chromium.ts";
import { showNode } from "./shown-nodes.ts";
import type { ShownNode } from "./shown-nodes.ts";
import { showPage } from "./shown-page.ts";

// A browser, a node and its engine share two cores with whatever else runs.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(noChromium !== "")(`the first key of a node${noChromium}`, () => {
  let browser: Browser;
  let node: ShownNode;

  beforeAll(async () => {
    [browser, node] = await Promise.all([startChromium(), showNode([])]);
  });
  afterAll(async () => {
    await browser.close();
    await node.end();
  });

  it("closes the node to everyone but this console, is shown once, and a second one can be revoked", async () => {
    const { page, close } = await showPage(browser, node.url, "/#/keys");
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByText("It is the first key of this node").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("owner");
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByText("This is shown once").waitFor();
    const secret = await page.locator(".secret code").innerText();
    expect(secret).toMatch(/^omni_\w{20,}$/);
    expect((await fetch(`${node.url}/api/status`)).status).toBe(401);
    const held = { headers: { authorization: `Bearer ${secret}` } };
    expect((await fetch(`${node.url}/api/keys`, held)).status).toBe(200);
    await page.getByRole("button", { name: "I have kept it" }).click();
    await page.getByText("live", { exact: true }).waitFor();
    expect(await page.content()).not.toContain(secret);

    await page.getByRole("button", { name: "New key" }).click();
    await page.getByLabel("Name", { exact: true }).fill("guest");
    await page.getByRole("button", { name: "Make the key" }).click();
    const guest = await page.locator(".secret code").innerText();
    await page.getByRole("button", { name: "I have kept it" }).click();
    const asGuest = { headers: { authorization: `Bearer ${guest}` } };
    expect((await fetch(`${node.url}/v1/models`, asGuest)).status).toBe(200);

    await page.getByRole("button", { name: "Revoke guest" }).click();
    const dialog = page.getByRole("dialog", { name: "Revoke guest?" });
    const revoke = dialog.getByRole("button", { name: "Revoke", exact: true });
    expect(await revoke.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("guest");
    await revoke.click();
    await page.getByText("revoked").first().waitFor();
    expect((await fetch(`${node.url}/v1/models`, asGuest)).status).toBe(401);
    await close();
  });
});
