import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { llamaTensors } from "../../test/fakes/hugging-face-model.ts";
import { redirect, startFileServer } from "../../test/fakes/file-server.ts";
import { startModelHub } from "../../test/fakes/model-hub.ts";
import type { HubRules, ModelHub } from "../../test/fakes/model-hub.ts";
import { writeModelFolder } from "../../test/fakes/safetensors-writer.ts";
import { readGgufShape, readHubShape, readModelFolder } from "./index.ts";

const DEMO = resolve(import.meta.dirname, "../../demo/omni-demo.gguf");
const SMALL = {
  layers: 2,
  hidden: 256,
  heads: 4,
  kvHeads: 2,
  headLength: 64,
  feedForward: 512,
  vocabulary: 1024,
};
const CONFIG = {
  architectures: ["LlamaForCausalLM"],
  num_hidden_layers: 2,
  hidden_size: 256,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 1024,
};

let root: string;
let hub: ModelHub | undefined;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "omni-hub-"));
  await writeModelFolder(join(root, "tensors"), CONFIG, llamaTensors(SMALL), 2);
  mkdirSync(join(root, "gguf"));
  for (const name of ["m-Q4_K_M.gguf", "m-UD-Q4_K_M.gguf", "m-Q8_0.gguf", "m-mmproj-F16.gguf"])
    copyFileSync(DEMO, join(root, "gguf", name));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  // The environment of whoever runs the tests must not decide what they send.
  vi.stubEnv("HF_TOKEN", "");
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub?.close();
  hub = undefined;
});

const repo = "someone/Model.1";
async function serve(folder: string, rules: HubRules = {}): Promise<ModelHub> {
  hub = await startModelHub(join(root, folder), repo, rules);
  return hub;
}

describe("a repository of safetensors", () => {
  it("gives the same shape as its files on this machine", async () => {
    const { url, front } = await serve("tensors");
    const local = await readModelFolder(join(root, "tensors"));
    const shape = await readHubShape({ repo, endpoint: url });
    expect(shape).toEqual({ ...local, name: repo, origin: "hub" });
    // Files are read from the commit that main meant when it was listed.
    expect(front.seen.some(({ path }) => path.includes("/resolve/main/"))).toBe(false);
  });

  it("is read with a token that no other host and no error sees", async () => {
    const token = "hf_onlyForTheHub";
    const { url, front, storage } = await serve("tensors", { token });
    await readHubShape({ repo, endpoint: url, token });
    expect(front.seen.every(({ authorization }) => authorization === `Bearer ${token}`)).toBe(true);
    expect(storage.seen.length).toBeGreaterThan(0);
    expect(storage.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    const wrong = await readHubShape({ repo, endpoint: url, token: "hf_wrong" }).catch(String);
    expect(wrong).toContain("it is private or does not exist");
    expect(wrong).not.toContain("hf_wrong");
    const damaged = await readHubShape({ repo, endpoint: url, token: "hf_two\nlines" }).catch(String);
    expect(damaged).toContain("holds characters that no token has");
    expect(damaged).not.toContain("hf_two");
  });

  it("is asked with the environment's token at the environment's endpoint only", async () => {
    const { url, front } = await serve("tensors");
    vi.stubEnv("HF_TOKEN", "hf_fromTheEnvironment");
    await readHubShape({ repo, endpoint: url });
    expect(front.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    vi.stubEnv("HF_ENDPOINT", `${url}/`);
    await readHubShape({ repo });
    expect(front.seen.at(-1)?.authorization).toBe("Bearer hf_fromTheEnvironment");
  });
});

describe("a hub that sends elsewhere", () => {
  it("for its listing shows the token to nobody else", async () => {
    const token = "hf_onlyForTheHub";
    const seen: (string | undefined)[] = [];
    const other = await startFileServer({
      "/listing": (request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(403).end();
      },
    });
    try {
      const { url } = await serve("tensors", {
        token,
        listing: redirect(`${other.url.replace("127.0.0.1", "localhost")}/listing`),
      });
      const said = await readHubShape({ repo, endpoint: url, token }).catch(String);
      expect(said).toContain("answers 403");
      expect(said).not.toContain(token);
      expect(seen).toEqual([undefined]);
    } finally {
      await other.close();
    }
  });

  it("or names files that a terminal would obey is no hub", async () => {
    const { url } = await serve("tensors", {
      listing: (_, response) => {
        response.end(JSON.stringify({ siblings: [{ rfilename: "\u001B[2J.gguf" }] }));
      },
    });
    await expect(readHubShape({ repo, endpoint: url })).rejects.toThrow(/something that is no listing/);
  });
});

describe.runIf(process.platform === "linux")("connections and files", () => {
  it("are closed, whatever the hub answers", async () => {
    const open = (): number => readdirSync("/proc/self/fd").length;
    const { url } = await serve("tensors", { token: "hf_right" });
    const folder = join(root, "tensors");
    const ask = (token: string, revision = "main"): Promise<unknown> =>
      readHubShape({ repo, endpoint: url, token, revision }).catch(() => {});
    await ask("hf_right");
    // Connections that the server has not noticed as closed yet are files of this process as well.
    await expect.poll(open, { timeout: 5000 }).toBeLessThan(60);
    const before = open();
    for (let time = 0; time < 15; time++)
      await Promise.all([
        ask("hf_right"),
        ask("hf_wrong"),
        ask("hf_right", "absent"),
        readModelFolder(folder),
      ]);
    await expect.poll(open, { timeout: 5000 }).toBeLessThanOrEqual(before + 2);
  });
});

describe("a repository of GGUF files", () => {
  it("gives the model of the quantization or the glob", async () => {
    const { url, storage } = await serve("gguf");
    const demo = await readGgufShape(DEMO);
    expect(await readHubShape({ repo, endpoint: url, quantization: "q8_0" })).toEqual({
      ...demo,
      origin: "hub",
    });
    expect(storage.seen.at(-1)?.path).toBe("/blobs/m-Q8_0.gguf");
    await readHubShape({ repo, endpoint: url });
    expect(storage.seen.at(-1)?.path).toBe("/blobs/m-Q4_K_M.gguf");
    await readHubShape({ repo, endpoint: url, files: ["*UD*.gguf"] });
    expect(storage.seen.at(-1)?.path).toBe("/blobs/m-UD-Q4_K_M.gguf");
  });

  it("that has several or none of what is wanted names what it has", async () => {
    const { url } = await serve("gguf");
    const ask = readHubShape({ repo, endpoint: url, quantization: "Q5_K_M" });
    await expect(ask).rejects.toThrow(
      /no model that fits Q5_K_M: m-Q4_K_M.gguf, m-Q8_0.gguf, m-UD-Q4_K_M.gguf/,
    );
    const many = readHubShape({ repo, endpoint: url, files: ["*Q4_K_M*"] });
    await expect(many).rejects.toThrow(/2 models that fit/);
  });
});

describe("a hub that does not give", () => {
  it.each([
    ["absent", "hub.not-found", /has no revision "absent"/],
    ["gated", "hub.denied", /its owner lets only some people in/],
    ["other", "hub.not-found", /answers 404: no repository someone\/Model.1 at revision "other"/],
  ])("is told apart: %s", async (revision, code, message) => {
    const { url } = await serve("tensors");
    const ask = readHubShape({ repo, endpoint: url, revision });
    await expect(ask).rejects.toThrow(message);
    await expect(readHubShape({ repo, endpoint: url, revision })).rejects.toMatchObject({ code });
  });

  it("because nothing listens, or something else does", async () => {
    await expect(readHubShape({ repo })).rejects.toMatchObject({ code: "hub.unreachable" });
    const page = await serve("tensors", {
      listing: (_, response) => response.writeHead(200).end("<html>Sign in to the hotel's network</html>"),
    });
    await expect(readHubShape({ repo, endpoint: page.url })).rejects.toMatchObject({
      code: "hub.unreachable",
    });
    await expect(readHubShape({ repo, endpoint: "ftp://hub" })).rejects.toThrow(/no http or https URL/);
    const secret = readHubShape({ repo, endpoint: "https://me:hunter2@hub" });
    await expect(secret).rejects.toThrow(/without credentials/);
    await expect(readHubShape({ repo: "../etc/passwd" })).rejects.toMatchObject({ code: "hub.not-found" });
  });

  it("at first, is asked again", async () => {
    let asked = 0;
    const { url } = await serve("tensors", {
      listing: (_, response) => {
        const busy = ++asked === 1;
        response.writeHead(busy ? 503 : 404).end("busy");
      },
    });
    await expect(readHubShape({ repo, endpoint: url })).rejects.toMatchObject({ code: "hub.not-found" });
    expect(asked).toBe(2);
  });
});
