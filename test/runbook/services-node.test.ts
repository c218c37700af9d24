import { createServer } from "node:http";
import type { Server } from "node:http";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { serviceSteps } from "../../src/runbook/steps/services/index.ts";
import type { Step } from "../../src/runbook/step.ts";
import { EMPTY_PLAN } from "../fakes/empty-plan.ts";
import { memoryContext, takeStep } from "../fakes/step-context.ts";
import { referenceDeployment } from "../render/deployments.ts";
import { inputWith } from "./images-bench.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, "close").catch(() => {});
  }
});

/** A node of this machine that answers so. */
async function node(answers: Readonly<Record<string, readonly [number, unknown]>>): Promise<number> {
  const server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ""] ?? [404, {}];
    response.writeHead(status).end(JSON.stringify(body));
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function gatewayStep(port: number): Promise<Step> {
  const { gateway } = await referenceDeployment("concrete-bunker.fixed");
  const input = await inputWith("/nowhere", [], (deployment) => ({
    ...deployment,
    runtime: "process",
    process: { cgroups: false, systemd: false },
    gateway: { ...gateway, host: "127.0.0.1", port, tls: false },
  }));
  const plan = { ...EMPTY_PLAN, routes: [{ name: "coder", services: ["qwen"] }] };
  const [step] = serviceSteps({ ...input, plan });
  if (step === undefined) throw new Error("no step");
  return step;
}

const context = memoryContext({ hosts: {} });
const models = (...names: readonly string[]): unknown => ({ data: names.map((id) => ({ id })) });

describe("a node that runs its engines itself", () => {
  it("is proven by its readiness and its routes", async () => {
    const port = await node({ "/readyz": [200, {}], "/v1/models": [200, models("coder", "other")] });
    expect(await (await gatewayStep(port)).verify(context)).toMatchObject({
      done: true,
      evidence: [expect.stringContaining("/readyz answers 200"), "it serves coder, other"],
    });
  });

  it("may show its models to its keys alone", async () => {
    const port = await node({ "/readyz": [200, {}], "/v1/models": [401, {}] });
    expect(await (await gatewayStep(port)).verify(context)).toMatchObject({ done: true });
  });

  it("that is another, or not ready, is told", async () => {
    const other = await node({ "/readyz": [200, {}], "/v1/models": [200, models("other")] });
    expect(await (await gatewayStep(other)).verify(context)).toMatchObject({
      done: false,
      missing: expect.stringContaining("does not serve coder"),
    });
    const loading = await node({ "/readyz": [503, {}] });
    expect(await (await gatewayStep(loading)).verify(context)).toMatchObject({
      done: false,
      missing: expect.stringContaining("answers 503"),
    });
  });

  it("that does not run is its owner's to start, and what to type is said", async () => {
    const port = await node({});
    const step = await gatewayStep(port);
    await expect(takeStep(step, context)).rejects.toMatchObject({
      code: "service.not-running",
      hint: expect.stringContaining("./omni up"),
    });
  });
});
