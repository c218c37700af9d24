import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { locatedSpec } from "../../../test/fakes/located-spec.ts";
import { pathAt } from "../../core/index.ts";
import type { Address } from "../../core/index.ts";
import type { Prepared } from "../../supervisor/launcher.ts";
import { createLauncher } from "./launcher.ts";
import { decide } from "./up-plan.ts";

const SECRET = "sk-very-secret-0123456789";
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-launcher-"));
  writeFileSync(join(folder, "key"), `${SECRET}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Wanted {
  readonly service?: string;
  readonly simulated?: boolean;
}

/** How the service of a spec is prepared for its start. */
async function prepared({ service = "", simulated }: Wanted = {}): Promise<Prepared> {
  const located = locatedSpec(
    `metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 96GB }
  gpus:
    gpu0: { model: RTX 5090, uuid: GPU-aaaaaaaa-0000-4000-8000-000000000000, index: 0 }
    gpu1: { model: RTX 5090, uuid: GPU-bbbbbbbb-0000-4000-8000-000000000000, index: 1 }
runtime: process
models: { m: { source: { file: /models/m.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M } }
engines: { fast: { kind: llama.cpp } }
services:
  chat: { model: m, engine: fast, devices: gpu0, context: 8192, parallel: 2, ${service} }
`,
    folder,
  );
  const { plan, cards } = await decide(located, { simulated: true, hasKeys: false });
  const launcher = createLauncher({
    located,
    plan: () => plan,
    cards,
    stateFolder: join(folder, "state"),
    ...(simulated === true ? { simulate: (launch) => launch } : {}),
  });
  const [first] = plan.services;
  if (first === undefined) throw new Error(JSON.stringify(plan.diagnostics));
  return launcher.prepare(first);
}

const at = (port: number): Address => ({ kind: "tcp", host: "127.0.0.1", port });

describe("the digest of a launch", () => {
  test("is the same for the same settings at another address, and goes with the launch", async () => {
    const [one, two] = [await prepared(), await prepared()];
    expect(one.digest).toBe(two.digest);
    const [here, there] = [one.launch(at(4001)), one.launch(at(4002))];
    expect(here.digest).toBe(there.digest);
    expect(here.command).toContain("4001");
    expect(there.command).not.toContain("4001");
    expect(here.environment["CUDA_VISIBLE_DEVICES"]).toMatch(/^GPU-/);
  });

  test("differs for everything that a restart would be needed to change", async () => {
    const changes = [
      "",
      "context: 4096",
      "parallel: 4",
      "devices: gpu1",
      "kvCache: { type: q8_0 }",
      "arguments: [--mlock]",
      "environment: { GGML_CUDA_NO_PINNED: '1' }",
      "loadTimeout: 9m",
    ];
    const digests = await Promise.all(
      changes.map(async (service) => {
        const [key = ""] = service.split(":");
        const text = service === "" ? "" : `${service},`;
        // The later of two equal keys is an error of the spec, so the former goes.
        return (await preparedWith(key, text)).digest;
      }),
    );
    expect(new Set(digests).size).toBe(changes.length);
  });

  test("does not move for what needs none: priorities, restarts, how it drains", async () => {
    const { digest } = await prepared();
    for (const service of ["priority: 9", "restart: { restarts: 9 }", "drainTimeout: 9s", "queue: 99"])
      expect([service, (await prepared({ service })).digest]).toEqual([service, digest]);
  });
});

/** The same service with one key of its own. */
function preparedWith(key: string, text: string): Promise<Prepared> {
  const own: Record<string, string> = { context: "8192", parallel: "2", devices: "gpu0" };
  const rest = Object.entries(own)
    .filter(([name]) => name !== key)
    .map(([name, value]) => `${name}: ${value}`);
  return preparedText([...rest, text.replace(/,$/, "")].filter((part) => part !== "").join(", "));
}

async function preparedText(service: string): Promise<Prepared> {
  const located = locatedSpec(`metal:
  platform: linux
  cpu: { cores: 16, threads: 32 }
  memory: { size: 96GB }
  gpus: { gpu0: { model: RTX 5090, index: 0 }, gpu1: { model: RTX 5090, index: 1 } }
runtime: process
models: { m: { source: { file: /models/m.gguf }, format: gguf, family: Qwen2.5-Coder-7B, quantization: Q4_K_M } }
services: { chat: { model: m, engine: llama.cpp, ${service} } }
`);
  const { plan, cards } = await decide(located, { simulated: true, hasKeys: false });
  const [first] = plan.services;
  if (first === undefined) throw new Error(JSON.stringify(plan.diagnostics));
  return createLauncher({ located, plan: () => plan, cards, stateFolder: join(folder, "state") }).prepare(
    first,
  );
}

describe("secrets", () => {
  const service = "environment: { HF_TOKEN: { file: ./key } }";

  test("reach the environment of the launch and nothing else of it", async () => {
    const ready = await prepared({ service });
    const { digest } = ready;
    const { environment, ...rest } = ready.launch(at(4001));
    expect(environment["HF_TOKEN"]).toBe(SECRET);
    expect(JSON.stringify(rest)).not.toContain(SECRET);
    writeFileSync(join(folder, "key"), "another-secret\n");
    // The reference counts, not the value: a key that was turned needs no restart by itself.
    expect((await prepared({ service })).digest).toBe(digest);
    writeFileSync(join(folder, "key"), SECRET);
    expect(
      (await prepared({ service: "environment: { HF_TOKEN: { file: ./key2 } }", simulated: true })).digest,
    ).not.toBe(digest);
  });

  test("that are missing stop the start, by name; a simulated engine is given none", async () => {
    await expect(prepared({ service: "environment: { HF_TOKEN: { file: ./none } }" })).rejects.toMatchObject({
      code: "key.unset",
      message: expect.stringContaining("services.chat.environment.HF_TOKEN comes from the file ./none"),
    });
    const ready = await prepared({ service, simulated: true });
    expect(ready.launch(at(4001)).environment["HF_TOKEN"]).toBe("simulated");
  });
});

describe("a remote engine", () => {
  const remote = async (url: string, kind = "openai"): Promise<{ prepared: Prepared; address: Address }> => {
    const located = locatedSpec(
      `models: { m: { source: { remote: gpt-x } } }
engines: { far: { kind: ${kind}, url: "${url}", apiKey: { file: ./key } } }
services: { chat: { model: m, engine: far } }
`,
      folder,
    );
    const { plan, cards } = await decide(located, { simulated: true, hasKeys: false });
    const [first] = plan.services;
    if (first === undefined) throw new Error(JSON.stringify(plan.diagnostics));
    const launcher = createLauncher({ located, plan: () => plan, cards, stateFolder: folder });
    const ready = await launcher.prepare(first);
    return { prepared: ready, address: ready.launch(at(1)).address };
  };

  test.each([
    ["https://host.example", "/v1/chat/completions"],
    ["https://host.example/", "/v1/chat/completions"],
    ["https://host.example/v1", "/v1/chat/completions"],
    ["https://host.example/v1/", "/v1/chat/completions"],
    ["https://host.example/api/v1", "/api/v1/chat/completions"],
    ["https://host.example/api/paas/v4", "/api/paas/v4/chat/completions"],
  ])("at %s is asked at %s", async (url, path) => {
    const { address } = await remote(url);
    expect(address).toMatchObject({ kind: "url", origin: "https://host.example" });
    expect(pathAt(address, "/v1/chat/completions")).toBe(path);
  });

  test("has its key in the headers of its address and nowhere else", async () => {
    const { prepared: ready, address } = await remote("https://host.example/v1");
    expect(address.kind === "url" ? address.headers : {}).toEqual({ authorization: `Bearer ${SECRET}` });
    const { address: _, ...rest } = ready.launch(at(1));
    expect(JSON.stringify([rest, ready.digest, ready.target])).not.toContain(SECRET);
    expect(ready.target.servedName).toBe("gpt-x");
  });

  test("of Anthropic's kind shows it the way that one asks for", async () => {
    const { address } = await remote("https://api.anthropic.com", "anthropic");
    expect(address.kind === "url" ? address.headers : {}).toMatchObject({
      "x-api-key": SECRET,
      "anthropic-version": "2023-06-01",
    });
  });
});
