import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { DeployedCard, Deployment } from "../../src/deployment/index.ts";
import type { HostTransport } from "../../src/host/transport/index.ts";
import { renderNode } from "../../src/render/index.ts";
import { engineSteps } from "../../src/runbook/steps/engines/index.ts";
import type { RunbookInput } from "../../src/runbook/runbook.ts";
import type { Step } from "../../src/runbook/step.ts";
import { EMPTY_PLAN } from "../fakes/empty-plan.ts";
import { memoryContext, takeStep } from "../fakes/step-context.ts";
import type { MemoryContext } from "../fakes/step-context.ts";
import { referenceDeployment } from "../render/deployments.ts";
import {
  asProcess,
  buildFolder,
  dockerBench,
  inputWith,
  machineWith,
  ownBuild,
  unplaced,
} from "./images-bench.ts";

const { engine, skipped, home, registry } = await dockerBench();

const inputOf = (deployment: Deployment): RunbookInput => ({
  deployment,
  plan: EMPTY_PLAN,
  rendered: renderNode(deployment),
  folder: home,
  workFolder: join(home, "work"),
  acceptance: false,
  secret: () => Promise.resolve(""),
});

const named = (steps: readonly Step[], id: string): Step => {
  const step = steps.find((one) => one.id === id);
  if (step === undefined) throw new Error(`no ${id} among ${steps.map((one) => one.id).join(", ")}`);
  return step;
};

describe("engines of the reference systems", () => {
  it("leviathan: built on the Proxmox host, with the engine of its chain as fallback", async () => {
    const steps = engineSteps(inputOf(await referenceDeployment("leviathan.fixed")));
    expect(steps.map(({ id }) => id)).toEqual(["engine/leviathan", "engine/omni"]);
    expect(named(steps, "engine/leviathan")).toMatchObject({
      phase: "engines",
      needs: ["host/leviathan"],
      fallback: {
        kind: "without-engine",
        engine: "leviathan",
        text: "leviathan is not to be had: leviathan falls back to llama",
      },
    });
    expect(named(steps, "engine/omni").fallback).toBeUndefined();
  });

  it("omni-prime: Omni's own recipes come after Omni's image, and published images are looked for", async () => {
    const steps = engineSteps(inputOf(await referenceDeployment("omni-prime.fixed")));
    expect(steps.map(({ id }) => id)).toEqual([
      "engine/comfyui",
      "engine/omni",
      "image/vllm/vllm-openai:v0.13.0",
    ]);
    expect(named(steps, "engine/comfyui").needs).toEqual(["engine/omni"]);
    expect(steps.some(({ fallback }) => fallback !== undefined)).toBe(false);
  });

  it("nothing is built for a service that the plan refused", async () => {
    expect(engineSteps(inputOf(await referenceDeployment("leviathan")))).toEqual([]);
  });

  it("the same spec gives the same inputs, another architecture others", async () => {
    const deployment = await referenceDeployment("concrete-bunker.fixed");
    const inputsOf = (one: Deployment): string =>
      JSON.stringify(engineSteps(inputOf(one)).map(({ id, inputs }) => [id, inputs]));
    expect(inputsOf(deployment)).toBe(inputsOf(await referenceDeployment("concrete-bunker.fixed")));
    const changed = deployment.images.map((build) => ({ ...build, cudaArchitectures: ["9.0"] }));
    expect(inputsOf({ ...deployment, images: changed })).not.toBe(inputsOf(deployment));
  });
});

const machine = (): HostTransport =>
  machineWith({
    DOCKER_HOST: typeof engine === "string" ? "" : engine.socket,
    DOCKER_CONFIG: join(home, "client"),
  });
const contextOf = (): MemoryContext => memoryContext({ hosts: { "": machine() } });

const CARD: DeployedCard = {
  name: "blackwell",
  machine: "concrete-bunker",
  model: "RTX PRO 6000",
  computeCapability: "12.0",
};

/** One service on Docker with a card of 12.0 and an image; another engine is left in its chain. */
async function serving(folder: string, image: string, kind = "llama.cpp"): Promise<RunbookInput> {
  const service = unplaced(await referenceDeployment("concrete-bunker.fixed"));
  return inputWith(folder, [], (deployment) => ({
    ...deployment,
    services: [
      { ...service, image, kind, cards: [CARD], planned: { ...service.planned, fallbacks: ["vllm"] } },
    ],
  }));
}

describe("images that are pulled", () => {
  const pushed = async (name: string, version: number): Promise<string> => {
    const folder = join(home, name);
    buildFolder(folder, version);
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY libggml-cuda.so /app/libggml-cuda.so\n");
    const image = `${registry().host}/published/${name}:1`;
    for (const argv of [
      ["docker", "build", "-t", image, folder],
      ["docker", "push", image],
      ["docker", "image", "rm", image],
    ] as const)
      expect(await machine().run({ argv: [...argv], timeout: 60_000 })).toMatchObject({ code: 0 });
    return image;
  };

  it.skipIf(skipped !== "")(
    `are pulled, looked into, compared with the registry, and not pulled again${skipped}`,
    async () => {
      const image = await pushed("good", 120);
      const input = await serving(join(home, "good"), image);
      const step = named(engineSteps(input), `image/${image}`);
      const context = contextOf();
      expect(await takeStep(step, context)).toMatchObject({
        done: true,
        evidence: [
          expect.stringContaining(image),
          expect.stringContaining("as its registry has it: sha256:"),
        ],
      });
      expect(context.ran).toEqual([`docker pull ${image}`]);
      expect(context.notes.join("\n")).toContain("app/libggml-cuda.so starts on 12.0");
      const again = contextOf();
      await takeStep(step, again);
      expect(again.ran).toEqual([]);
    },
  );

  it.skipIf(skipped !== "")(`without code for the card are refused, with a fallback${skipped}`, async () => {
    const image = await pushed("old", 90);
    const step = named(engineSteps(await serving(join(home, "old"), image)), `image/${image}`);
    await expect(takeStep(step, contextOf())).rejects.toMatchObject({
      code: "binary.lacks-architecture",
      message: expect.stringContaining("lacks 12.0; it carries sm_90"),
    });
    expect(step.fallback).toMatchObject({ kind: "without-engine" });
    const unknown = await serving(join(home, "old"), image, "triton-vllm");
    // It lies there now, and is refused all the same.
    await expect(takeStep(named(engineSteps(unknown), `image/${image}`), contextOf())).rejects.toMatchObject({
      message: expect.stringContaining("None of the 1 libraries"),
    });
  });

  it.skipIf(skipped !== "")(`that are not there are told before anything is pulled${skipped}`, async () => {
    const image = `${registry().host}/published/nothing:1`;
    const step = named(engineSteps(await serving(join(home, "none"), image)), `image/${image}`);
    const context = contextOf();
    await expect(takeStep(step, context)).rejects.toMatchObject({
      code: "image.unreachable",
      message: expect.stringContaining("There is no image"),
    });
    expect(context.ran).toEqual([]);
  });

  it.skipIf(skipped !== "")(`by a cluster are looked for in the registry alone${skipped}`, async () => {
    const image = await pushed("cluster", 120);
    const input = await serving(join(home, "cluster"), image);
    const services = input.deployment.services.map((service) => ({
      ...service,
      runtime: "kubernetes" as const,
    }));
    const deployment = { ...input.deployment, services };
    const step = named(engineSteps({ ...input, deployment }), `image/${image}`);
    const context = contextOf();
    expect(await takeStep(step, context)).toMatchObject({
      done: true,
      evidence: [expect.stringContaining("all 1 layers there")],
    });
    expect(context.ran).toEqual([]);
    const absent = services.map((service) => ({ ...service, image: `${image}0` }));
    const other = engineSteps({ ...input, deployment: { ...deployment, services: absent } });
    await expect(takeStep(named(other, `image/${image}0`), contextOf())).rejects.toMatchObject({
      code: "image.unreachable",
    });
  });
});

describe("engine/NAME of an image that is built", () => {
  it.skipIf(skipped !== "")(
    `is a card's matter even where the spec compiles for another${skipped}`,
    async () => {
      const folder = join(home, "hopper");
      buildFolder(folder, 90);
      const build = ownBuild(folder, { cudaArchitectures: ["9.0"], tag: "omni/hopper:1" });
      const bunker = await referenceDeployment("concrete-bunker.fixed");
      const input = await inputWith(folder, [build], (deployment) => ({
        ...deployment,
        services: [{ ...unplaced(bunker), image: build.tag, cards: [CARD] }],
      }));
      const step = named(engineSteps(input), "engine/blackwell");
      await expect(step.apply(contextOf())).rejects.toMatchObject({
        code: "binary.lacks-architecture",
        message: expect.stringContaining("lacks 12.0; it carries sm_90"),
      });
    },
  );
});

describe("engines of a plain host", () => {
  const withProgram = async (program: string): Promise<Step> => {
    const bunker = await referenceDeployment("concrete-bunker.fixed");
    const service = asProcess(bunker);
    const deployment: Deployment = {
      ...bunker,
      runtime: "process",
      images: [],
      services: [{ ...service, start: { ...service.start, command: [program] } }],
    };
    return named(engineSteps({ ...inputOf(bunker), deployment }), `engine/${service.planned.engine.name}`);
  };

  it("are asked for their version", async () => {
    const program = join(home, "llama-server");
    writeFileSync(program, '#!/bin/sh\necho "version: 7205 (7fe450e1)" >&2\n', { mode: 0o755 });
    const step = await withProgram(program);
    expect(await step.verify(memoryContext({ hosts: { "": machineWith({}) } }))).toMatchObject({
      done: true,
      evidence: [expect.stringContaining("7205")],
    });
  });

  it("that are not installed are told with the service that needs them", async () => {
    const step = await withProgram(join(home, "no-such-server"));
    await expect(takeStep(step, memoryContext({ hosts: { "": machineWith({}) } }))).rejects.toMatchObject({
      code: "engine.no-binary",
      message: expect.stringContaining("is not installed"),
    });
  });
});
