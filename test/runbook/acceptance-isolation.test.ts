import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { TestContext } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { judgeIsolation } from "../../src/acceptance/index.ts";
import type { IsolationVerdict } from "../../src/acceptance/index.ts";
import type { DeployedService } from "../../src/deployment/index.ts";
import { localTransport } from "../../src/host/transport/index.ts";
import type { HostTransport } from "../../src/host/transport/index.ts";
import { compose } from "../../src/render/compose/index.ts";
import type { RunbookInput } from "../../src/runbook/runbook.ts";
import { containerProbe } from "../../src/runbook/steps/acceptance/container-probe.ts";
import { acceptanceSteps } from "../../src/runbook/steps/acceptance/index.ts";
import { processesWith } from "../e2e/run-node.ts";
import { composeUp } from "../fakes/compose-runner.ts";
import type { RunningProject } from "../fakes/compose-runner.ts";
import { startDockerNode } from "../fakes/docker-node.ts";
import type { DockerNode } from "../fakes/docker-node.ts";
import { runbookInput } from "../fakes/runbook-input.ts";
import { memoryContext } from "../fakes/step-context.ts";

/** Beyond the node: a server of the world that the node reaches. */
const WORLD = "203.0.113.10";

let node: DockerNode | string = "not started";
let folder = "";
let project: RunningProject | undefined;

beforeAll(async () => {
  node = await startDockerNode();
}, 60_000);
afterAll(async () => {
  if (typeof node !== "string") await node.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-isolation-"));
});
afterEach(async () => {
  await project?.down();
  project = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function nodeOr(context: TestContext): DockerNode {
  if (typeof node !== "string") return node;
  return context.skip(`no Docker engine here: ${node}`);
}

/** The node's inside, where its Docker engine is: programs run in its namespaces. */
function inside({ socket }: DockerNode): HostTransport {
  const local = localTransport();
  const home = dirname(socket.replace("unix://", ""));
  const daemon = processesWith(`${home}/docker.sock`).find((pid) => pid !== process.pid) ?? 0;
  const enter = ["--target", String(daemon), "--net", "--mount", "--pid", "--"] as const;
  return {
    ...local,
    run: ({ environment, ...command }) =>
      local.run({
        ...command,
        argv: ["nsenter", ...enter, ...command.argv],
        environment: { ...environment, DOCKER_HOST: socket, DOCKER_CONFIG: join(home, "client") },
      }),
  };
}

const specOf = (isolation: string): string => `
omni: 1
name: bunker
runtime: docker
metal: { cpu: { cores: 16 }, memory: { size: 64GiB } }
models:
  small:
    source: { hub: owner/model, files: "*Q4_K_M*", endpoint: "http://${WORLD}" }
    format: gguf
    family: Qwen2.5-Coder-7B
    quantization: Q4_K_M
    store: { path: /srv/small }
networks:
  brain: { subnet: 172.31.0.0/16, gateway: 172.31.0.1, ${isolation} }
  open: { subnet: 172.30.0.0/16, gateway: 172.30.0.1 }
services: { oracle: { model: small, engine: llama.cpp, devices: cpu, context: 4096, networks: [brain] } }
keys: { owner: { env: OMNI_KEY } }
gateway: { networks: [brain, open] }
`;

const COMPOSED = z.object({ services: z.record(z.string(), z.unknown()) });

/** The rendered project with a server in place of each engine, up on the node. */
async function up(at: DockerNode, isolation: string): Promise<RunbookInput> {
  const input = await runbookInput(specOf(isolation), { workFolder: folder });
  const { artifacts } = compose.render(input.deployment);
  const yaml = artifacts.find(({ path }) => path === "compose/compose.yaml")?.content ?? "";
  const port = input.deployment.services[0]?.port ?? 0;
  expect(Object.keys(COMPOSED.parse(parse(yaml)).services).toSorted()).toEqual(["gateway", "oracle"]);
  project = await composeUp(at, yaml, {
    oracle: ["serve", String(port), "oracle"],
    gateway: ["serve", "4664", "gateway"],
  });
  return input;
}

function serviceOf({ deployment }: RunbookInput): DeployedService {
  const [service] = deployment.services;
  if (service === undefined) throw new Error("no service");
  return service;
}

async function verdict(at: DockerNode, input: RunbookInput): Promise<IsolationVerdict> {
  const host = inside(at);
  const service = serviceOf(input);
  const context = memoryContext({ hosts: { "": host, [service.machine ?? ""]: host } });
  const probed = await containerProbe(input, service, context);
  if (typeof probed === "string") throw new Error(probed);
  return judgeIsolation(probed.targets, probed.inside, probed.control);
}

it("proves on a real Docker engine that an isolated service is kept in, and that the gateway is reached", async (context) => {
  const at = nodeOr(context);
  const input = await up(at, "internal: true, isolation: gateway-only");
  const { state, lines } = await verdict(at, input);
  expect(state, lines.join("\n")).toBe("proven");
  expect(lines).toContainEqual(expect.stringMatching(/^the gateway \(172\.31\..*\) is reached$/));
  expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${WORLD} .* is not reached`)));
});

it("finds on a real Docker engine that a service without isolation reaches the world", async (context) => {
  const at = nodeOr(context);
  const input = await up(at, "isolation: none");
  const { state, lines } = await verdict(at, input);
  expect(state).toBe("broken");
  expect(lines).toContainEqual(expect.stringContaining(`${WORLD} (${WORLD}:80) IS REACHED`));
});

it("has a step for each service that is kept in, and says why where nothing can be proven", async () => {
  const input = await runbookInput(specOf("isolation: no-outbound"), { workFolder: folder });
  expect(acceptanceSteps(input).map(({ id }) => id)).toContain("isolation/oracle");
  const open = await runbookInput(specOf("isolation: none"), { workFolder: folder });
  expect(acceptanceSteps(open).map(({ id }) => id)).not.toContain("isolation/oracle");
  const absent = {
    ...localTransport(),
    run: () =>
      Promise.resolve({
        ended: false,
        why: "absent",
        message: "not installed",
        stdout: "",
        stderr: "",
        duration: 0,
      }),
  } satisfies HostTransport;
  const service = serviceOf(input);
  const hosts = { "": absent, [service.machine ?? ""]: absent };
  expect(await containerProbe(input, service, memoryContext({ hosts }))).toMatch(/docker: not installed$/);
});
