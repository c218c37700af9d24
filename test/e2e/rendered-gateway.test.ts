import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readImageModels } from "../../src/gateway/images/image-models.ts";
import { loadSpec } from "../../src/spec/index.ts";
import { readNodeRecord } from "../../src/store/index.ts";
import { eventually, launch, omni, ROOT, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
const SECRET = "a-secret-of-the-owner";

/** An engine elsewhere: it has one model and says one word. */
const engine = createServer((req, res) => {
  res.setHeader("content-type", "application/json");
  if (req.method === "GET") res.end(JSON.stringify({ object: "list", data: [{ id: "gpt-5" }] }));
  else {
    const message = { role: "assistant", content: "Elsewhere." };
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    res.end(
      JSON.stringify({ id: "1", object: "chat.completion", created: 1, model: "gpt-5", choices, usage }),
    );
  }
});

beforeAll(async () => {
  engine.listen(0, "127.0.0.1");
  await once(engine, "listening");
  vi.stubEnv("OMNI_RENDERED_KEY", SECRET);
  vi.stubEnv("OMNI_RENDERED_PG", "postgres://nobody:secret-words@127.0.0.1:1/none");
});
afterAll(() => {
  vi.unstubAllEnvs();
  engine.closeAllConnections();
  engine.close();
  folder.remove();
});

const urlOfEngine = (): string => {
  const address = engine.address();
  if (address === null || typeof address === "string") throw new Error("the engine does not listen");
  return `http://127.0.0.1:${address.port}/v1`;
};

const specOf = (gateway: string): string => `
omni: 1
name: mixed
runtime: docker
metal: { cpu: { cores: 16 }, memory: { size: 64GiB } }
models: { far: { source: { remote: gpt-5 } }, small: { source: { file: /srv/small.gguf }, family: Qwen2.5-Coder-7B, format: gguf, quantization: Q4_K_M } }
engines:
  cloud: { kind: openai, url: "${urlOfEngine()}" }
  studio: { kind: comfyui, url: "http://127.0.0.1:1" }
services:
  here: { model: small, engine: llama.cpp, devices: cpu, context: 4096 }
  far: { model: far, engine: cloud }
  painter: { engine: studio, workflows: { flux: workflows/flux.json, gone: workflows/gone.json } }
routes:
  any:
    services:
      - { service: here, when: { promptTokens: { above: 8192 }, keys: [owner], needs: [tools], hours: "00:00-00:01" }, maxConcurrent: 2 }
      - { service: far, weight: 2 }
    strategy: weighted
    aliases: [gpt-4o]
keys: { owner: { env: OMNI_RENDERED_KEY, admin: true, limits: { tokensPerDay: 1000000 } } }
gateway: ${gateway}
telemetry: { traces: { otlp: "http://collector:4318", sampling: 0.5 } }
`;

/** Renders the spec for Docker; the gateway's own spec and where it lies. */
async function rendered(name: string, gateway: string): Promise<{ at: string; text: string; said: string }> {
  const own = join(folder.path, name);
  mkdirSync(join(own, "workflows"), { recursive: true });
  copyFileSync(join(ROOT, "test/gateway/workflows/text-to-image.json"), join(own, "workflows/flux.json"));
  writeFileSync(join(own, "omni.yaml"), specOf(gateway));
  const out = join(own, "out");
  const { code, stderr } = await omni(
    ["render", join(own, "omni.yaml"), "--out", out, "--target", "compose"],
    folder.path,
  );
  expect(code, stderr).toBe(0);
  const at = join(out, "compose/gateway/omni.yaml");
  return { at, text: readFileSync(at, "utf8"), said: stderr };
}

describe("a gateway that is rendered for a container", () => {
  it("has routes with their rules, keys by reference, TLS, traces, store, workers and workflows, and would start", async () => {
    const { at, text, said } = await rendered(
      "full",
      "{ workers: 2, tls: { certificate: /etc/ai/tls.crt, key: { file: /etc/ai/tls.key } }, store: { postgres: { env: OMNI_RENDERED_PG } } }",
    );
    expect(said).toContain("services.painter.workflows.gone");
    expect(said).not.toContain("engine.not-run-here");
    expect(text).not.toContain(SECRET);
    const { spec } = loadSpec(text, at);
    expect(spec?.routes["any"]).toMatchObject({
      strategy: "weighted",
      aliases: ["gpt-4o"],
      services: [
        { service: "here", when: { promptTokens: { above: 8192 }, keys: ["owner"] }, maxConcurrent: 2 },
        { service: "far", weight: 2 },
      ],
    });
    expect(spec?.keys["owner"]).toMatchObject({ env: "OMNI_RENDERED_KEY", admin: true });
    expect(spec?.gateway).toMatchObject({
      workers: 2,
      tls: { key: { file: "/etc/ai/tls.key" } },
      store: { postgres: { env: "OMNI_RENDERED_PG" } },
    });
    expect(spec?.telemetry.traces).toMatchObject({ otlp: "http://collector:4318", sampling: 0.5 });

    const models = readImageModels(spec?.services ?? {}, join(at, ".."));
    expect([...models.keys()]).toEqual(["flux", "painter"]);

    const dry = await omni(["up", at, "--dry-run"], folder.path);
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    expect(dry.stdout).toMatch(/^any +here → far$/m);
  });

  it("starts and calls the engines that are elsewhere, whether or not the others are there", async () => {
    const { at } = await rendered("plain", "{ port: 4700 }");
    const state = join(folder.path, "state");
    const child = launch(["up", at, "--port", "0"], state);
    const ended = once(child, "close");
    child.stdout?.resume();
    child.stderr?.resume();
    const ask = (url: string): Promise<Response> =>
      fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json", prefer: "wait=0" },
        body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "Where?" }] }),
      });
    try {
      let said = "";
      await eventually(async () => {
        const url = readNodeRecord(state)?.url;
        const answer = url === undefined ? undefined : await ask(url).catch(() => undefined);
        said = (await answer?.text()) ?? "";
        return answer?.status === 200;
      });
      expect(said).toContain("Elsewhere.");
    } finally {
      child.kill("SIGINT");
      await ended;
    }
  });
});
