import { readFileSync, readlinkSync, rmSync, mkdtempSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pullModel } from "../../src/pull/index.ts";
import { generatedContent, sha256Of } from "../fakes/hub-server/content.ts";
import { COMMIT, startHubServer } from "../fakes/hub-server/hub-server.ts";
import type { HubServer } from "../fakes/hub-server/hub-server.ts";
import type { Damage, HubRules } from "../fakes/hub-server/hub-rules.ts";

const REPO = "owner/Model-GGUF";
const PATH = "model-Q4_K_M.gguf";
/** A sixteenth of the two gigabytes that `npm run bench:pull` fetches, with a sixteenth of the cuts. */
const SIZE = 128 << 20;
const CUTS = 12;
const content = generatedContent(SIZE);
const SHA256 = sha256Of(content);

let cache: string;
let hub: HubServer;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "omni-pull-"));
});
afterEach(async () => {
  await hub.close();
  rmSync(cache, { recursive: true });
});

/** The same places in each run: the golden ratio spreads them without a pattern. */
const spread = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => Math.floor(SIZE * ((0.35 + index * 0.618_034) % 1)));

async function pulled(rules: HubRules): Promise<{ readonly fetched: number; readonly sent: number }> {
  hub = await startHubServer(REPO, [{ path: PATH, content, stated: { hex: SHA256 } }], rules);
  const { fetched } = await pullModel({
    repository: { repo: REPO, endpoint: hub.url },
    choice: { quantization: "Q4_K_M" },
    cache,
    connections: 8,
    chunkBytes: 512 << 10,
    retryDelay: 10,
  });
  const repo = join(cache, "models--owner--Model-GGUF");
  const link = join(repo, "snapshots", COMMIT, PATH);
  expect(readlinkSync(link)).toBe(`../../blobs/${SHA256}`);
  expect(createHash("sha256").update(readFileSync(link)).digest("hex")).toBe(SHA256);
  expect(readFileSync(join(repo, "refs/main"), "utf8")).toBe(COMMIT);
  return { fetched, sent: hub.sent() };
}

describe("a line with cuts and wrong bytes", () => {
  it("costs less than 5 % where the mirror states checksums of its answers", async () => {
    const cuts = spread(CUTS).map((offset) => ({ path: PATH, offset }));
    const damage: Damage[] = spread(5).map((offset) => ({
      path: PATH,
      offset: offset + 70_000,
      length: 1000,
    }));
    const { fetched, sent } = await pulled({ digests: true, cuts, damage });
    expect(cuts).toEqual([]);
    expect(damage.map(({ times }) => times)).toEqual([0, 0, 0, 0, 0]);
    expect(fetched).toBeLessThan(SIZE * 1.05);
    expect(sent).toBeLessThan(SIZE * 1.05);
  });

  it("costs less than 5 % where wrong bytes lie beside cuts, and nothing states a checksum but the hub", async () => {
    const cuts = spread(CUTS).map((offset, index) => ({
      path: PATH,
      offset,
      ...(index < 5 ? { garbage: 1000 } : {}),
    }));
    const { fetched, sent } = await pulled({ cuts });
    expect(cuts).toEqual([]);
    expect(fetched).toBeGreaterThan(SIZE);
    expect(fetched).toBeLessThan(SIZE * 1.05);
    expect(sent).toBeLessThan(SIZE * 1.05);
  });

  it("ends right as well where wrong bytes lie anywhere, for at most a second copy", async () => {
    const damage = spread(5).map((offset) => ({ path: PATH, offset, length: 1000 }));
    const { fetched } = await pulled({ damage });
    expect(fetched).toBeLessThanOrEqual(SIZE * 2);
  });
});
