import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pullModel } from "../../src/pull/index.ts";
import type { Pulled, PullOptions } from "../../src/pull/index.ts";
import { bytesContent, generatedContent, sha256Of } from "../fakes/hub-server/content.ts";
import { COMMIT, startHubServer } from "../fakes/hub-server/hub-server.ts";
import type { HubServer } from "../fakes/hub-server/hub-server.ts";
import type { HubRules, ServedFile } from "../fakes/hub-server/hub-rules.ts";

const REPO = "owner/Model";
const PATH = "model-Q4_K_M.gguf";
const content = generatedContent(6 << 20, 9);
const SHA256 = sha256Of(content);
const FILE: ServedFile = { path: PATH, content };

let root: string;
let hub: HubServer;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "omni-pull-"));
});
afterEach(async () => {
  await hub.close();
  rmSync(root, { recursive: true });
});

async function pull(
  files: readonly ServedFile[],
  rules: HubRules = {},
  more: Partial<PullOptions> = {},
): Promise<Pulled> {
  hub = await startHubServer(REPO, files, rules);
  return pullModel({
    repository: { repo: REPO, endpoint: hub.url, token: rules.token },
    choice: {},
    cache: join(root, "cache"),
    connections: 4,
    chunkBytes: 1 << 20,
    retryDelay: 5,
    ...more,
  });
}

const blobs = (): string => join(root, "cache/models--owner--Model/blobs");
const codeOf = (pulling: Promise<unknown>): Promise<unknown> =>
  pulling.then(
    () => "pulled",
    (thrown: unknown) => (thrown instanceof Error && "code" in thrown ? thrown.code : thrown),
  );
const digest = ({ folder }: Pulled): string =>
  createHash("sha256")
    .update(readFileSync(join(folder, PATH)))
    .digest("hex");

describe("a hub that does not make it easy", () => {
  it.each<[string, HubRules]>([
    ["signs addresses for three answers", { uses: 3 }],
    ["asks for patience", { busy: { answers: 3, retryAfter: "0" } }],
    ["knows no ranges", { ranges: false }],
    ["answers a page now and then", { instead: "page", insteadOf: 2 }],
    ["answers other ranges now and then", { instead: "other-range", insteadOf: 3 }],
    ["sends too little now and then", { instead: "short", insteadOf: 2 }],
    ["states MD5 and damages a chunk", { md5: true, damage: [{ path: PATH, offset: 2_000_000, length: 9 }] }],
    ["wants a token", { token: "hf_secret" }],
  ])("%s", async (_, rules) => {
    const pulled = await pull([FILE], rules);
    expect(digest(pulled)).toBe(SHA256);
    expect(readdirSync(blobs())).toEqual([SHA256]);
  });

  it("never shows the token to the store", async () => {
    await pull([FILE], { token: "hf_secret" });
    const store = hub.seen.filter(({ host }) => host === "store");
    expect(store.length).toBeGreaterThan(0);
    expect(store.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it("is not exceeded in its rate", async () => {
    const began = performance.now();
    await pull([FILE], {}, { bandwidth: 12 << 20 });
    // Six MiB at twelve a second, less what an idle line may be ahead.
    expect(performance.now() - began).toBeGreaterThan(250);
  });
});

describe("a hub that lies", () => {
  it.each<[string, ServedFile, HubRules, string]>([
    ["about a size", { ...FILE, stated: { size: content.size + 5 } }, {}, "pull.corrupt"],
    ["about a checksum", { ...FILE, stated: { hex: "ab".repeat(32) } }, {}, "pull.corrupt"],
    ["in another size of each answer", FILE, { instead: "other-size" }, "pull.corrupt"],
    ["by compressed answers", FILE, { instead: "gzip" }, "hub.no-ranges"],
    ["by pages of its own for ever", FILE, { instead: "page" }, "hub.unreachable"],
    ["by a name that leads upwards", { ...FILE, path: "../x.gguf" }, {}, "pull.unsafe-name"],
    ["by an absolute name", { ...FILE, path: "/etc/x.gguf" }, {}, "pull.unsafe-name"],
    ["by a name of Omni's own", { ...FILE, path: ".omni-pull/x.gguf" }, {}, "pull.unsafe-name"],
    ["by a NUL in a name", { ...FILE, path: "x\0.gguf" }, {}, "hub.unreachable"],
  ])("%s is refused", async (_, file, rules, code) => {
    expect(await codeOf(pull([file], rules, { retryDelay: 1 }))).toBe(code);
    expect(existsSync(join(root, "cache/models--owner--Model/snapshots"))).toBe(false);
  });
});

describe("a cache that somebody prepared", () => {
  it("with a link in place of a folder or a blob is not written through", async () => {
    const elsewhere = join(root, "elsewhere");
    mkdirSync(elsewhere);
    mkdirSync(join(root, "cache/models--owner--Model"), { recursive: true });
    symlinkSync(elsewhere, blobs());
    expect(await codeOf(pull([FILE]))).toBe("pull.unsafe-cache");
    expect(readdirSync(elsewhere)).toEqual([]);
    await hub.close();
    rmSync(blobs());
    mkdirSync(blobs());
    writeFileSync(join(elsewhere, "precious"), "precious");
    symlinkSync(join(elsewhere, "precious"), join(blobs(), `${SHA256}.omni-part`));
    expect(await codeOf(pull([FILE]))).toBe("pull.unsafe-cache");
    expect(readFileSync(join(elsewhere, "precious"), "utf8")).toBe("precious");
  });

  it("with the unfinished file of another tool leaves it alone, and uses its finished ones", async () => {
    mkdirSync(blobs(), { recursive: true });
    writeFileSync(join(blobs(), `${SHA256}.incomplete`), "of another tool");
    const pulled = await pull([
      FILE,
      { path: "config.json", content: bytesContent(Buffer.from("{}")), small: true },
    ]);
    expect(digest(pulled)).toBe(SHA256);
    expect(readFileSync(join(blobs(), `${SHA256}.incomplete`), "utf8")).toBe("of another tool");
    rmSync(join(root, "cache/models--owner--Model/snapshots", COMMIT), { recursive: true });
    const endpoint = hub.url;
    const again = await pullModel({
      repository: { repo: REPO, endpoint },
      choice: {},
      cache: join(root, "cache"),
    });
    expect([again.fetched, digest(again)]).toEqual([0, SHA256]);
  });

  it("on a disk without room is left as it is, with the arithmetic", async () => {
    const huge: ServedFile = { ...FILE, stated: { size: 2 ** 50, hex: "cd".repeat(32) } };
    const refused = await pull([huge]).catch(String);
    expect(refused).toMatch(/1\.00 PiB are missing and 256\.00 MiB stay free.* has .* free, .* too little/);
    expect(existsSync(join(root, "cache"))).toBe(false);
  });
});

describe("a folder of plain files", () => {
  it("is fetched once, and again only where a file is gone or has changed", async () => {
    const folder = join(root, "plain");
    const first = await pull([FILE], {}, { folder });
    expect([first.fetched, digest(first)]).toEqual([content.size, SHA256]);
    const { url } = hub;
    const again = {
      repository: { repo: REPO, endpoint: url },
      choice: {},
      cache: join(root, "cache"),
      folder,
    };
    expect((await pullModel(again)).fetched).toBe(0);
    rmSync(join(root, "cache"), { recursive: true });
    // The cache is gone, and what lies in the folder is known by its manifest.
    expect((await pullModel(again)).fetched).toBe(0);
    rmSync(join(folder, PATH));
    expect((await pullModel(again)).fetched).toBe(content.size);
    expect(digest(first)).toBe(SHA256);
  });
});
