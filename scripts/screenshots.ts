/**
 * Makes the pictures of the documents anew: the console of a simulated reference system, with clients at work, in a real Chromium.
 *
 *   npm run screenshots
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { z } from "zod";
import { noChromium, startChromium } from "../test/console/chromium.ts";
import { askModel, showNode } from "../test/console/shown-nodes.ts";
import { showPage } from "../test/console/shown-page.ts";

/** Relative: the picture shows where the spec lies. */
const SPEC = "examples/concrete-bunker.fixed.yaml";
const FOLDER = join(import.meta.dirname, "../docs/images");
/** Of each picture the place in the console, and a text that is there once it is whole. */
const PICTURES: readonly (readonly [name: string, place: string, whole: string])[] = [
  ["console-node", "/#/node", "Processor, memory and disks"],
  ["console-service", "/#/services/deepseek-v32", "Ladder"],
  ["console-plan", "/#/plan", "Devices"],
];
const MODELS = z.object({ data: z.tuple([z.object({ id: z.string() })], z.unknown()) });
/** Requests at a time and one after another: enough that figures move. */
const CLIENTS = 3;
const ROUNDS = 4;

if (noChromium !== "") throw new Error(`There is nothing to take pictures with${noChromium}.`);
process.chdir(join(import.meta.dirname, ".."));
mkdirSync(FOLDER, { recursive: true });
const node = await showNode([SPEC, "--simulate"]);
const browser = await startChromium();
try {
  const model = await firstRoute(node.url);
  for (const [name, place, whole] of PICTURES) {
    const { page, close } = await showPage(browser, node.url, place, {
      viewport: { width: 1280, height: 1000 },
    });
    await traffic(model);
    await page.getByText(whole, { exact: false }).first().waitFor();
    await settled(page);
    await page.screenshot({ path: join(FOLDER, `${name}.png`) });
    console.log(`docs/images/${name}.png`);
    await close();
  }
} finally {
  await browser.close();
  await node.end();
}

async function traffic(model: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++)
    await Promise.all(Array.from({ length: CLIENTS }, () => askModel(node.url, model)));
}

async function firstRoute(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/models`);
  return MODELS.parse(await response.json()).data[0].id;
}

/** Fonts and pictures are there, and nothing is on its way any more but the stream. */
async function settled(page: Page): Promise<void> {
  await page.evaluate("document.fonts.ready.then(() => new Promise((done) => setTimeout(done, 1500)))");
}
