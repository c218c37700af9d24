import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { DeployedService, Deployment, ImageBuild } from "../../src/deployment/index.ts";
import { localTransport } from "../../src/host/transport/index.ts";
import type { HostTransport } from "../../src/host/transport/index.ts";
import { renderNode } from "../../src/render/index.ts";
import type { RunbookInput } from "../../src/runbook/runbook.ts";
import { temporaryFolder } from "../e2e/run-node.ts";
import { startDockerEngine } from "../fakes/docker-engine.ts";
import type { DockerEngine } from "../fakes/docker-engine.ts";
import { EMPTY_PLAN } from "../fakes/empty-plan.ts";
import { elfFile, fatbinContainer } from "../fakes/fatbin-elf.ts";
import { startRegistryServer, whyNoRegistry } from "../fakes/registry-server.ts";
import type { RegistryServer } from "../fakes/registry-server.ts";
import { referenceDeployment } from "../render/deployments.ts";

/** What the tests of a file share. */
export interface DockerBench {
  /** Or why there is none. */
  readonly engine: DockerEngine | string;
  /** For the name of a test that needs them; empty where they are there. */
  readonly skipped: string;
  readonly home: string;
  /** Within tests and hooks. */
  readonly registry: () => RegistryServer;
}

/** A Docker engine, a registry and a folder for all tests of a file, put away after them. */
export async function dockerBench(): Promise<DockerBench> {
  const engine = whyNoRegistry() ?? (await startDockerEngine());
  const folder = temporaryFolder();
  let registry: RegistryServer;
  beforeAll(async () => {
    if (typeof engine !== "string") registry = await startRegistryServer();
  });
  afterAll(async () => {
    if (typeof engine !== "string") {
      await registry.close();
      await engine.stop();
    }
    folder.remove();
  });
  const skipped = typeof engine === "string" ? ` (skipped: ${engine})` : "";
  return { engine, skipped, home: folder.path, registry: () => registry };
}

/** This machine, whose programs find the builder of a test by variables. */
export function machineWith(environment: Readonly<Record<string, string>>): HostTransport {
  const local = localTransport();
  return {
    ...local,
    run: (command) => local.run({ ...command, environment: { ...environment, ...command.environment } }),
  };
}

/** A build of llama.cpp for Blackwell by a Dockerfile of the owner's. */
export const ownBuild = (folder: string, build: Partial<ImageBuild> = {}): ImageBuild => ({
  name: "blackwell",
  kind: "llama.cpp",
  tag: "omni/engine:blackwell",
  cudaArchitectures: ["12.0"],
  dockerfile: join(folder, "Dockerfile"),
  context: folder,
  flags: {},
  environment: {},
  packages: [],
  network: "host",
  builder: "docker",
  path: "engines.blackwell.build",
  ...build,
});

/** What steps are made from: a reference system with these images in place of its own. */
export async function inputWith(
  folder: string,
  images: readonly ImageBuild[],
  change: (deployment: Deployment) => Deployment = (same) => same,
): Promise<RunbookInput> {
  const bunker = await referenceDeployment("concrete-bunker");
  const deployment = change({ ...bunker, services: [], images });
  return {
    deployment,
    plan: EMPTY_PLAN,
    rendered: renderNode(deployment),
    folder,
    workFolder: `${folder}-work`,
    acceptance: false,
    secret: ({ env = "" }) => Promise.resolve(`secret of ${env}`),
  };
}

/** A folder to build from: a library with code for one architecture, and a program that does what `program.c` says. */
export function buildFolder(folder: string, version: number, program = "int main(void) { return 0; }"): void {
  mkdirSync(folder, { recursive: true });
  const library = elfFile({ ".nv_fatbin": fatbinContainer([{ form: "cubin", version }]) });
  writeFileSync(join(folder, "libggml-cuda.so"), library);
  writeFileSync(join(folder, "program.c"), program);
  const compiled = spawnSync(
    "cc",
    ["-static", "-O1", "-o", join(folder, "program"), join(folder, "program.c")],
    { encoding: "utf8" },
  );
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  writeFileSync(
    join(folder, "Dockerfile"),
    'FROM scratch\nCOPY program /program\nCOPY libggml-cuda.so /app/libggml-cuda.so\nRUN ["/program"]\nENTRYPOINT ["/program"]\n',
  );
}

/** The first service of a reference system, on this machine. */
export function unplaced({ services }: Deployment): DeployedService {
  const [first] = services;
  if (first === undefined) throw new Error("the system has no service");
  const { machine: _, ...rest } = first;
  return rest;
}

/** The same as a process of this machine. */
export function asProcess(deployment: Deployment): DeployedService {
  const { image: _, ...rest } = unplaced(deployment);
  return { ...rest, runtime: "process" };
}
