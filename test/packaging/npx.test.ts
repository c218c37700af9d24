import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { collected, ROOT, temporaryFolder, untilReady } from "../e2e/run-node.ts";
import type { FileServer } from "../fakes/file-server.ts";
import { startNpmRegistry } from "../fakes/npm-registry.ts";
import { ciOfPacked, installLean, npmEnvironment, npx, packOmni } from "./packed-omni.ts";

/** Prebuilt llama.cpp for cards and other processors: hundreds of megabytes that the demo does not need. */
const GPU_BUILDS = /^@node-llama-cpp\/(?!linux-x64$|linux-arm64$)/;
const completion = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })) });

const folder = temporaryFolder();
const empty = join(folder.path, "empty");
let packed: Awaited<ReturnType<typeof packOmni>>;
let registry: FileServer;

beforeAll(async () => {
  mkdirSync(empty);
  registry = await startNpmRegistry(ROOT, GPU_BUILDS);
  packed = await packOmni(folder.path);
}, 300_000);

afterAll(async () => {
  await registry.close();
  folder.remove();
});

const groupLives = (leader: number): boolean => {
  try {
    return process.kill(-leader, 0);
  } catch {
    return false;
  }
};

describe("the packed file", () => {
  it("has what runs, and nothing of development", () => {
    expect(packed.contents).toEqual(
      expect.arrayContaining(
        [
          "omni",
          "dist/cli/main.js",
          "dist/embedded/main.js",
          "dist/console/index.html",
          "dist/sbom.cdx.json",
          "dist/licences.md",
          "demo/omni-demo.gguf",
          "npm-shrinkwrap.json",
          "LICENSE",
        ].map((path) => `package/${path}`),
      ),
    );
    expect(
      packed.contents.filter((path) => /\.test\.|^package\/(?:test|bench)\/|node_modules|\.env$/.test(path)),
    ).toEqual([]);
  });

  it("has a lock that npm ci takes, as the recipe of the image asks for it", async () => {
    const env = npmEnvironment(folder.path, registry.url);
    expect(await ciOfPacked(packed.file, join(folder.path, "ci"), env)).toMatch(/added \d+ packages/);
  });

  it("is small enough to fetch on a phone's line", () => {
    expect(statSync(packed.file).size).toBeLessThan(10 * 2 ** 20);
  });
});

describe("npx of the packed file in an empty folder", () => {
  it("starts the demo, answers, and leaves nothing behind", async () => {
    const env = npmEnvironment(folder.path, registry.url);
    const child = npx(packed.file, ["up", "--port", "0"], empty, env);
    const leader = child.pid ?? 0;
    const said = [collected(child.stdout), collected(child.stderr)];
    const ended = once(child, "close");
    try {
      const url = await Promise.race([
        untilReady(join(folder.path, "state")),
        ended.then(() => {
          throw new Error(`it ended before it was ready:\n${said.map((text) => text()).join("\n")}`);
        }),
      ]);
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "omni-demo", messages: [{ role: "user", content: "What is Omni?" }] }),
      });
      expect(answer.status).toBe(200);
      const [choice] = completion.parse(await answer.json()).choices;
      expect(choice?.message.content).toMatch(/omni/i);
      const page = await fetch(`${url}/`, { headers: { accept: "text/html" } });
      expect(page.headers.get("content-type")).toContain("text/html");
      expect(await page.text()).toContain('<script type="module"');
    } finally {
      if (groupLives(leader)) process.kill(-leader, "SIGINT");
    }
    await ended;
    while (groupLives(leader)) await sleep(20);
    expect(readdirSync(empty)).toEqual([]);
  }, 300_000);
});

describe("the packed file without its optional parts", () => {
  it("plans, and says what to install for the demo", async () => {
    const env = npmEnvironment(folder.path, registry.url);
    const command = await installLean(packed.file, join(folder.path, "lean"), env);
    const plan = spawnSync(command, ["plan", join(ROOT, "examples/workstation.yaml")], {
      encoding: "utf8",
      env,
    });
    expect(plan.stdout).toContain("embedded node-llama-cpp");
    const up = spawnSync(command, ["up", "--port", "0"], { encoding: "utf8", env });
    expect(`${up.stdout}${up.stderr}`).toContain("npm install node-llama-cpp@");
    expect(up.status).toBe(2);
  }, 300_000);
});
