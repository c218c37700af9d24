import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { formatBytes } from "../../src/core/index.ts";
import { localTransport } from "../../src/host/transport/index.ts";
import type { HostTransport } from "../../src/host/transport/index.ts";
import type { RunbookInput } from "../../src/runbook/runbook.ts";
import type { Step } from "../../src/runbook/step.ts";
import { comparison, smiUsage } from "../../src/runbook/steps/acceptance/card-memory.ts";
import { gatewayKey, gatewayUrl } from "../../src/runbook/steps/acceptance/gateway-place.ts";
import { acceptanceSteps } from "../../src/runbook/steps/acceptance/index.ts";
import { answeredBy } from "../../src/runbook/steps/acceptance/route-step.ts";
import { startRecording } from "../acceptance/recording-server.ts";
import type { RecordingServer } from "../acceptance/recording-server.ts";
import { startNode, temporaryFolder } from "../e2e/run-node.ts";
import type { RunningNode } from "../e2e/run-node.ts";
import { runbookInput } from "../fakes/runbook-input.ts";
import { memoryContext, takeStep } from "../fakes/step-context.ts";
import type { MemoryContext } from "../fakes/step-context.ts";

const SECRET = "sk-acceptance-0123456789";
const CARD = "GPU-aaaaaaaa-0000-4000-8000-000000000001";
const folder = temporaryFolder();
const work = join(folder.path, "work");

const specOf = (port: number, more = ""): string => `
omni: 1
name: shed
runtime: docker
metal:
  cpu: { cores: 16 }
  memory: { size: 64GiB }
  gpus: { big: { model: RTX 5090, uuid: ${CARD} } }
models:
  small: { source: { file: /srv/small.gguf }, family: Qwen2.5-Coder-7B, format: gguf, quantization: Q4_K_M }
engines:
  llama: { kind: llama.cpp, image: "ghcr.io/ggml-org/llama.cpp:server-cuda-b9246", architectures: ["12.0"] }
services:
  chat: { model: small, engine: llama, devices: [big], context: 4096, loadTimeout: 2m }
routes: { main: { services: [chat], aliases: [gpt-4] } }
keys: { narrow: { env: OMNI_NARROW, routes: [main] }, owner: { env: OMNI_ACCEPTED, admin: true } }
tools: { files: { filesystem: { roots: { docs: ${folder.path}/docs } } }, self: { node: {} } }
gateway: { host: 127.0.0.1, port: ${port} }
${more}`;

const inputOf = (port: number, more?: string): Promise<RunbookInput> =>
  runbookInput(specOf(port, more), {
    workFolder: work,
    folder: folder.path,
    secrets: { OMNI_ACCEPTED: SECRET, OMNI_NARROW: "sk-narrow-0123456789" },
  });

let engine: RecordingServer | undefined;
let node: RunningNode | undefined;
let port = 0;

beforeAll(async () => {
  vi.stubEnv("OMNI_ACCEPTED", SECRET);
  vi.stubEnv("OMNI_NARROW", "sk-narrow-0123456789");
  mkdirSync(join(folder.path, "docs"));
  writeFileSync(join(folder.path, "docs/readme.md"), "green\n");
  mkdirSync(work);
  const server = await startRecording();
  engine = server;
  const { deployment } = await inputOf(4664);
  const path = join(folder.path, "gateway.yaml");
  writeFileSync(path, stringify(deployment.gateway.config(() => server.origin)));
  node = await startNode([path, "--host", "127.0.0.1"], join(folder.path, "state"));
  port = Number(new URL(node.url).port);
}, 180_000);

afterAll(async () => {
  await node?.interrupt();
  await engine?.[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
  folder.remove();
});

/** This machine, with a driver that shows this much in use. */
const withCard = (used: number): HostTransport => {
  const local = localTransport();
  return {
    ...local,
    run: (command) =>
      command.argv[0] === "nvidia-smi"
        ? local.run({ ...command, argv: ["printf", "%s", `${CARD}, ${used}, 32607\n`] })
        : local.run(command),
  };
};

const contextOf = ({ deployment }: RunbookInput, used = 6000): MemoryContext =>
  memoryContext({ hosts: { "": withCard(used), [deployment.services[0]?.machine ?? ""]: withCard(used) } });

function stepOf(input: RunbookInput, id: string): Step {
  const step = acceptanceSteps(input).find((one) => one.id === id);
  if (step === undefined) throw new Error(`no ${id}`);
  return step;
}

async function evidenceOf(input: RunbookInput, id: string, context = contextOf(input)): Promise<string> {
  const seen = await takeStep(stepOf(input, id), context);
  return seen.done ? seen.evidence.join("\n") : `not done: ${seen.missing}`;
}

it("has a step for health, each route and the tools, where the spec wants acceptance", async () => {
  const input = await inputOf(port);
  expect(acceptanceSteps(input).map(({ id, needs }) => [id, needs])).toEqual([
    ["health", ["gateway", "service/chat"]],
    ["route/main", ["health"]],
    ["tools", ["health"]],
  ]);
  expect(acceptanceSteps(await inputOf(port, "runbook: { acceptance: false }"))).toEqual([]);
});

it("finds a gateway and its services well, and says what is not", async () => {
  const input = await inputOf(port);
  const evidence = await evidenceOf(input, "health");
  expect(evidence).toContain(`http://127.0.0.1:${port}: /readyz 200`);
  expect(evidence).toContain("chat (chat): ready");
  const nobody = await inputOf(9);
  expect(await stepOf(nobody, "health").verify(contextOf(nobody))).toEqual({
    done: false,
    missing: expect.stringContaining("Nothing answers at http://127.0.0.1:9"),
  });
  const ending = AbortSignal.timeout(200);
  const waiting = memoryContext({ hosts: { "": localTransport() }, signal: ending });
  await expect(stepOf(nobody, "health").apply(waiting)).rejects.toThrow(/aborted/);
  expect(waiting.progressed[0]?.text).toContain("Nothing answers");
});

it("asks a route once, tells who answered, how fast, and the card's memory beside the plan", async () => {
  const input = await inputOf(port);
  const predicted = input.deployment.services[0]?.planned.memory[0]?.total ?? 0;
  const asked = engine?.asked.length ?? 0;
  const evidence = await evidenceOf(input, "route/main");
  expect(evidence).toContain(
    "answered by chat: llama with small, the first of the route, the first engine of its chain",
  );
  expect(evidence).toMatch(/tok\/s, TTFT \d+ ms, whole after .*, 96 tokens, ended by length/);
  expect(evidence).toContain(`big: 5.86 GiB of 31.84 GiB, predicted ${formatBytes(predicted)} (`);
  expect(engine?.asked.slice(asked).filter(({ path }) => path === "/v1/chat/completions")).toHaveLength(1);
});

it("measures again only where inputs changed or the gateway is not well", async () => {
  const input = await inputOf(port);
  await evidenceOf(input, "route/main");
  const asked = engine?.asked.length ?? 0;
  expect(await evidenceOf(input, "route/main")).toContain("measured 20");
  expect(engine?.asked.length).toBe(asked);
  const changed = await runbookInput(specOf(port).replace("context: 4096", "context: 2048"), {
    workFolder: work,
    secrets: { OMNI_ACCEPTED: SECRET },
  });
  expect(await stepOf(changed, "route/main").verify(contextOf(changed))).toEqual({
    done: false,
    missing: "One real answer on the route main: not measured yet",
  });
  const away = await inputOf(9);
  expect(await stepOf(away, "route/main").verify(contextOf(away))).toEqual({
    done: false,
    missing: expect.stringContaining("measured before, but the gateway does not answer now"),
  });
});

it("tells of memory far beyond the plan, keeps no secret, and hides it", async () => {
  const input = { ...(await inputOf(port)), workFolder: join(folder.path, "over") };
  const context = contextOf(input, 30_000);
  const evidence = await evidenceOf(input, "route/main", context);
  expect(evidence).toContain("MORE THAN 15 % OVER THE PLAN");
  expect(context.notes).toEqual([expect.stringContaining("MORE THAN 15 % OVER THE PLAN")]);
  expect(context.hidden).toContain(SECRET);
  expect(context.ran.join("\n") + evidence).not.toContain(SECRET);
});

it("calls a tool of each of its own servers that changes nothing", async () => {
  const evidence = await evidenceOf(await inputOf(port), "tools");
  expect(evidence).toMatch(/^\d+ tools at http/);
  expect(evidence).toMatch(/^files list_directory: .*readme\.md/m);
  expect(evidence).toMatch(/^self list_models: /m);
});

it("fails where a key is not taken or a route is not served", async () => {
  const input = await inputOf(port);
  const stranger = { ...input, secret: () => Promise.resolve("sk-nobody-0123456789") };
  await expect(stepOf(stranger, "health").verify(contextOf(input))).rejects.toMatchObject({
    code: "acceptance.refused",
  });
  const other = await runbookInput(
    specOf(port)
      .replace("routes: { main: ", "routes: { other: ")
      .replace("routes: [main]", "routes: [other]"),
    { workFolder: join(folder.path, "other"), secrets: { OMNI_ACCEPTED: SECRET } },
  );
  await expect(takeStep(stepOf(other, "route/other"), contextOf(other))).rejects.toMatchObject({
    code: "acceptance.refused",
  });
});

it("asks the gateway where it is published, with the key that may do most", async () => {
  const { deployment } = await inputOf(4664);
  expect(gatewayKey(deployment)).toEqual({ env: "OMNI_ACCEPTED" });
  const at = (change: object): string =>
    gatewayUrl({ ...deployment, ...change, gateway: { ...deployment.gateway, ...change } });
  expect(at({})).toBe("http://127.0.0.1:4664");
  expect(at({ host: "0.0.0.0", hosts: [] })).toBe("http://127.0.0.1:4664");
  expect(at({ host: "::1", tls: true })).toBe("https://[::1]:4664");
  expect(() => at({ runtime: "kubernetes", clusters: [] })).toThrow(/cannot be asked from here/);
  const cluster = { nodes: [{ name: "n", role: "both", address: "10.0.0.9", gpus: [], labels: {} }] };
  expect(at({ runtime: "kubernetes", clusters: [cluster], nodePort: 30_080 })).toBe("http://10.0.0.9:30080");
});

it("names who answered, and what it stood in for", async () => {
  const input = await inputOf(4664);
  const [service] = input.deployment.services;
  const rejected = [
    {
      service: "chat",
      engine: "ktransformers",
      model: "small",
      devices: ["big"],
      code: "engine.no-kernel",
      reason: "It has no kernel for the card.",
      hint: "Build it for the card.",
    },
  ] as const;
  const route = { name: "main", services: ["oracle", "chat"] };
  const asked = { route, input: { ...input, plan: { ...input.plan, rejected } } };
  expect(answeredBy(asked, { took: 1, service: "chat" }, service)).toBe(
    "answered by chat: llama with small, NOT the first of the route, which is oracle, a fallback for ktransformers (engine.no-kernel)",
  );
  expect(answeredBy(asked, { took: 1 }, undefined)).toBe("answered by an engine that gave no name");
});

it("compares bytes in words, and reads what nvidia-smi prints", () => {
  const GIB = 2 ** 30;
  expect(comparison({ used: 116.8 * GIB, total: 128 * GIB }, 114.2 * GIB)).toBe(
    "116.80 GiB of 128.00 GiB, predicted 114.20 GiB (+2.3 %)",
  );
  expect(comparison({ used: 10 * GIB, total: 128 * GIB }, 20 * GIB)).toContain("(-50.0 %)");
  expect(comparison({ used: 10 * GIB, total: 128 * GIB }, 0)).toContain("nothing predicted");
  expect(smiUsage(`${CARD}, 1024, 2048\nGPU-b, [N/A], 5\n\n`)).toEqual(
    new Map([[CARD, { used: GIB, total: 2 * GIB }]]),
  );
});
