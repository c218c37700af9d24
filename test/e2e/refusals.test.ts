import { once } from "node:events";
import { copyFileSync, ftruncateSync, openSync, closeSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeGguf } from "../fakes/gguf-writer.ts";
import type { GgufFile } from "../fakes/gguf-writer.ts";
import { omni, processesWith, ROOT, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
const state = join(folder.path, "state");
afterAll(() => folder.remove());

const llama = (architecture: string, tensorValues: bigint): GgufFile => ({
  metadata: [
    ["general.architecture", { text: architecture }],
    [`${architecture}.block_count`, { u32: 1 }],
    [`${architecture}.embedding_length`, { u32: 64 }],
    [`${architecture}.context_length`, { u32: 512 }],
    [`${architecture}.attention.head_count`, { u32: 4 }],
  ],
  tensors: [{ name: "token_embd.weight", dimensions: [64, tensorValues / 64n], offset: 0 }],
});

const place = (name: string, bytes: Buffer): string => {
  const path = join(folder.path, name);
  writeFileSync(path, bytes);
  return path;
};

/** A file of that many bytes that takes no disk: all but its head is a hole. */
function placeSparse(name: string, head: Buffer, bytes: number): string {
  const path = place(name, head);
  const file = openSync(path, "r+");
  ftruncateSync(file, bytes);
  closeSync(file);
  return path;
}

const TERA = 2n ** 40n;
const MODELS: readonly [what: string, make: () => string, code: string, words: RegExp][] = [
  ["a file that is no GGUF", () => join(ROOT, "README.md"), "model.not-gguf", /starts with the bytes/],
  [
    "a truncated GGUF",
    () => {
      const path = join(folder.path, "cut.gguf");
      copyFileSync(join(ROOT, "demo/omni-demo.gguf"), path);
      const file = openSync(path, "r+");
      ftruncateSync(file, 1_000_000);
      closeSync(file);
      return path;
    },
    "model.truncated",
    /missing/,
  ],
  [
    "a GGUF of an unknown architecture",
    () => place("alien.gguf", writeGguf({ ...llama("alien", 640n), dataBytes: 2560 })),
    "model.unknown-architecture",
    /"alien"/,
  ],
  [
    "a model larger than memory",
    () => placeSparse("huge.gguf", writeGguf(llama("llama", TERA)), Number(4n * TERA) + 4096),
    "model.too-large",
    /needs \d+\.\d\d TiB \(weights 4\.00 TiB/,
  ],
  ["a file that is not there", () => join(folder.path, "absent.gguf"), "model.not-found", /absent\.gguf/],
];

describe("up --model", () => {
  it.each(MODELS)(
    "%s: one clear message, exit code 2, nothing left running",
    async (_, make, code, words) => {
      const path = make();
      const { code: exit, stdout, stderr } = await omni(["up", "--port", "0", "--model", path], state);
      expect(exit).toBe(2);
      expect(stderr).toContain(code);
      expect(stderr).toMatch(words);
      expect(stderr).toContain("→");
      expect(stderr.match(/\berror\b/g)).toHaveLength(1);
      expect(stdout).not.toContain("http://");
      expect(processesWith(path)).toEqual([]);
    },
  );
});

describe("up", () => {
  it("a busy port: names it, exits 1 and starts no engine", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const { code, stderr } = await omni(["up", "--port", port], state);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain("node.port-busy");
    expect(stderr).toContain(port);
    expect(processesWith(state)).toEqual([]);
  });

  it("an address beyond this machine without keys is refused for safety", async () => {
    const { code, stderr } = await omni(["up", "--port", "0", "--host", "0.0.0.0"], state);
    expect(code).toBe(3);
    expect(stderr).toContain("node.open-without-keys");
  });

  it("a spec full of mistakes: all of them, each with its line, and exit code 2", async () => {
    const spec = place(
      "wrong.yaml",
      Buffer.from(`omni: 1
modles: {}
models:
  chat: ./chat.gguf
services:
  one: { model: chta }
  two: { model: chat, engine: lama.cpp }
  three: { model: chat, context: 32k }
  four: { model: chat, port: 99999 }
  five: { model: chat, parallel: -1 }
policies:
  headroom: { vram: 1 }
keys:
  me: sk-secret-in-the-file
gateway:
  host: 7
  body: 1MiB
routes:
  smart: { services: [nobody] }
`),
    );
    const { code, stderr } = await omni(["up", spec, "--port", "0"], state);
    expect(code).toBe(2);
    const lines = new Set(
      [...stderr.matchAll(/wrong\.yaml:(\d+):\d+: error/g)].map((match) => Number(match[1])),
    );
    expect([...lines].toSorted((a, b) => a - b)).toEqual([2, 6, 7, 8, 9, 10, 12, 14, 16, 17, 19]);
    expect(stderr).not.toContain("sk-secret-in-the-file");
  });

  it("--dry-run prints the plan and starts nothing", async () => {
    const text = await omni(["up", "--dry-run"], state);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/omni-demo\s+embedded\s+omni-demo\s+2048 tokens/);
    const json = await omni(["up", "--dry-run", "--json"], state);
    expect(JSON.parse(json.stdout)).toMatchObject({
      services: [{ name: "omni-demo", memory: [{ device: "cpu" }] }],
      rejected: [],
    });
    expect(processesWith(state)).toEqual([]);
  });

  it("an unknown option names the nearest one", async () => {
    const { code, stderr } = await omni(["up", "--modle", "x"], state);
    expect(code).toBe(2);
    expect(stderr).toContain("--model");
  });
});
