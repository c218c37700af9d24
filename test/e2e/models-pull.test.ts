import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { bytesContent, generatedContent, sha256Of } from "../fakes/hub-server/content.ts";
import { COMMIT, startHubServer } from "../fakes/hub-server/hub-server.ts";
import type { HubServer } from "../fakes/hub-server/hub-server.ts";
import type { HubRules, ServedFile } from "../fakes/hub-server/hub-rules.ts";
import { launch, omni, temporaryFolder } from "./run-node.ts";

const REPO = "owner/Model-GGUF";
const PATH = "model-Q4_K_M.gguf";
const MIB = 1 << 20;
const folder = temporaryFolder();
const state = join(folder.path, "state");
let hub: HubServer;
let home = "";
let homes = 0;
afterEach(() => hub.close());
afterAll(() => {
  folder.remove();
});

async function serve(files: readonly ServedFile[], rules: HubRules = {}): Promise<void> {
  hub = await startHubServer(REPO, files, rules);
  home = join(folder.path, `home-${++homes}`);
}
const environment = (): Record<string, string> => ({
  HF_ENDPOINT: hub.url,
  HF_HOME: home,
  HF_HUB_CACHE: join(home, "hub"),
  HF_TOKEN: "",
});
const models = (...args: string[]): ReturnType<typeof omni> =>
  omni(["models", ...args], state, undefined, { env: environment() });
const repoFolder = (): string => join(home, "hub/models--owner--Model-GGUF");
const snapshot = (path: string): string => join(repoFolder(), "snapshots", COMMIT, path);
const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

const VISION: readonly ServedFile[] = [
  { path: "model-Q4_K_M-00001-of-00002.gguf", content: generatedContent(3 * MIB, 1) },
  { path: "model-Q4_K_M-00002-of-00002.gguf", content: generatedContent(2 * MIB + 77, 2) },
  { path: "model-Q8_0.gguf", content: generatedContent(MIB, 3) },
  { path: "mmproj-F16.gguf", content: generatedContent(MIB, 4) },
  { path: "mmproj-F32.gguf", content: generatedContent(MIB, 5) },
  { path: "README.md", content: bytesContent(Buffer.from("# A model")), small: true },
  { path: "config.json", content: bytesContent(Buffer.from("{}")), small: true },
];

/** Commands start in a second or two where the machine does much else. */
const PATIENCE = 240_000;

describe("models pull", { timeout: PATIENCE }, () => {
  it("fetches one quantization into the cache of the Hugging Face tools, once, and looks after it", async () => {
    await serve(VISION);
    const dry = await models("pull", `hf:${REPO}:Q4_K_M`, "--dry-run");
    expect(dry.stdout).toContain("6.00 MiB of 6.00 MiB to fetch");
    expect(existsSync(home)).toBe(false);
    const first = await models("pull", `hf:${REPO}:Q4_K_M`);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toContain("left out: other quantizations, 1 file, 1.00 MiB");
    expect(first.stdout).toContain("left out: other projectors, 1 file, 1.00 MiB");
    expect(readdirSync(join(repoFolder(), "snapshots", COMMIT)).toSorted()).toEqual([
      "mmproj-F16.gguf",
      "model-Q4_K_M-00001-of-00002.gguf",
      "model-Q4_K_M-00002-of-00002.gguf",
    ]);
    expect(readFileSync(join(repoFolder(), "refs/main"), "utf8")).toBe(COMMIT);
    const sent = hub.sent();
    const again = await models("pull", `hf:${REPO}:Q4_K_M`);
    expect(again.stdout).toContain("all there");
    expect(hub.sent()).toBe(sent);
    const small = await models("pull", `hf:${REPO}@v1`, "--include", "config.json", "--json");
    expect(JSON.parse(small.stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({
      kind: "done",
      bytes: 2,
    });
    expect(readlinkSync(snapshot("config.json"))).toBe(
      "../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b",
    );
    const listed = await models("list");
    expect(listed.stdout).toMatch(/owner\/Model-GGUF {2}main, v1 {2}4 +6\.00 MiB .* complete/);
    const refused = await models("remove", REPO);
    expect([refused.code, existsSync(repoFolder())]).toEqual([3, true]);
    const removed = await models("remove", REPO, "--yes");
    expect([removed.code, existsSync(repoFolder())]).toEqual([0, false]);
  });

  it("gives plain files in a folder, names what is damaged there and in the cache, and repairs it", async () => {
    await serve(VISION);
    const to = join(folder.path, "plain");
    const pulled = await models("pull", `hf:${REPO}:Q8_0`, "--to", to);
    expect(pulled.code).toBe(0);
    expect(statSync(join(to, "model-Q8_0.gguf")).isFile()).toBe(true);
    expect((await models("verify", to)).code).toBe(0);
    const blob = join(snapshot("."), readlinkSync(snapshot("model-Q8_0.gguf")));
    const { writeFile, open } = await import("node:fs/promises");
    const file = await open(blob, "r+");
    await file.write(Buffer.from("damage"), 0, 6, 700_000);
    await file.close();
    const found = await models("verify", REPO);
    expect(found.code).toBe(1);
    expect(found.stdout).toContain("model-Q8_0.gguf is damaged");
    const repaired = await models("verify", REPO, "--repair");
    expect(repaired.code).toBe(0);
    expect(sha256(blob)).toBe(blob.replace(/^.*\//, ""));
    await writeFile(join(repoFolder(), "blobs", "a".repeat(64)), "nobody links to it");
    expect((await models("gc", "--dry-run")).stdout).toContain("blob without a name");
    expect((await models("gc", "--yes")).code).toBe(0);
    expect(existsSync(join(repoFolder(), "blobs", "a".repeat(64)))).toBe(false);
  });

  it.each([
    ["a gated repository", { refusal: { status: 403, code: "GatedRepo" } }, "hub.denied"],
    ["a private one", { token: "hf_other" }, "hub.denied"],
    ["an absent one", { refusal: { status: 404, code: "RepoNotFound" } }, "hub.not-found"],
    ["a quantization nearly right", {}, "Did you mean hf:owner/Model-GGUF:Q4_K_M?"],
  ] as const)("refuses %s", async (_, rules, told) => {
    await serve(VISION, rules);
    const { code, stderr } = await models("pull", `hf:${REPO}:Q4_KM`);
    expect([code, existsSync(home)]).toEqual([2, false]);
    expect(stderr).toContain(told);
  });

  it("takes a model of a spec by its name", async () => {
    await serve(VISION);
    const spec = join(folder.path, "omni.yaml");
    const { writeFile } = await import("node:fs/promises");
    const text = `omni: 1\nmodels:\n  big:\n    source: hf:${REPO}:Q8_0\nrunbook:\n  downloads: { connections: 2, endpoint: "${hub.url}" }\n`;
    await writeFile(spec, text);
    const { code, stderr } = await models("pull", "big", "--spec", spec);
    expect([code, stderr]).toEqual([0, ""]);
    expect(existsSync(snapshot("model-Q8_0.gguf"))).toBe(true);
    expect((await models("pull", "bog", "--spec", spec)).stderr).toContain("has no model");
  });

  it("waits for another that fetches the same file, and finds it done", async () => {
    const content = generatedContent(12 * MIB);
    await serve([{ path: PATH, content }], { rate: 8 * MIB });
    const both = await Promise.all([models("pull", `hf:${REPO}`), models("pull", `hf:${REPO}`)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.map(({ stdout }) => stdout).join("")).toContain("another process is fetching it; waiting");
    // At the end another connection takes over what a slow one was already being sent.
    expect(hub.sent()).toBeLessThan(content.size + MIB);
    expect(sha256(snapshot(PATH))).toBe(sha256Of(content));
  });
});

describe("a pull that is killed", { timeout: PATIENCE }, () => {
  const KILLS = 20;
  const CONNECTIONS = 2;
  const CHUNK = 8 * MIB;

  it("goes on each time and ends right, with at most a chunk lost a connection and kill", async () => {
    const content = generatedContent(160 * MIB);
    await serve([{ path: PATH, content }], { rate: 32 * MIB });
    const args = ["models", "pull", `hf:${REPO}`, "--connections", `${CONNECTIONS}`];
    const blobs = join(repoFolder(), "blobs");
    for (let kills = 0; kills < KILLS; kills++) {
      const before = hub.sent();
      const child = launch(args, state, { env: environment() });
      child.stdout?.resume();
      child.stderr?.resume();
      const ended = once(child, "close");
      // Moments that differ in each round, some of them before the first byte and some far into the file.
      while (hub.sent() === before && child.exitCode === null) await sleep(5);
      await sleep((kills * 97) % 360);
      child.kill("SIGKILL");
      await ended;
    }
    expect(readdirSync(blobs).toSorted()).toEqual([
      `${sha256Of(content)}.omni-part`,
      `${sha256Of(content)}.omni-part.map`,
    ]);
    const last = await omni(args, state, undefined, { env: environment() });
    expect([last.code, last.stderr]).toEqual([0, ""]);
    expect(sha256(snapshot(PATH))).toBe(sha256Of(content));
    expect(readdirSync(blobs)).toEqual([sha256Of(content)]);
    expect(hub.sent() - content.size).toBeLessThanOrEqual(KILLS * CONNECTIONS * CHUNK);
  });
});
