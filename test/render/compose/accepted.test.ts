import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { compose } from "../../../src/render/compose/index.ts";
import type { Deployment } from "../../../src/deployment/index.ts";
import { deploymentOf, REFERENCE_SYSTEMS, referenceDeployment } from "../deployments.ts";
import { everything, NODE } from "./lab.ts";

const service = z.looseObject({
  mem_reservation: z.string().optional(),
  deploy: z
    .looseObject({
      resources: z.looseObject({ reservations: z.looseObject({ memory: z.string().optional() }) }),
    })
    .optional(),
  networks: z.array(z.string()).default([]),
  network_mode: z.string().optional(),
  profiles: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.looseObject({ required: z.boolean().default(true) })).default({}),
  tmpfs: z.array(z.string()).default([]),
  volumes: z.array(z.looseObject({ type: z.string(), source: z.string(), target: z.string() })).default([]),
  secrets: z.array(z.looseObject({ source: z.string() })).default([]),
});
const named = z.record(z.string(), z.unknown()).default({});
const file = z.looseObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/),
  services: z.record(z.string(), service),
  networks: named,
  volumes: named,
  secrets: named,
});
type Service = z.infer<typeof service>;
type File = z.infer<typeof file>;

/** Why Compose refuses a file that its schema takes. Source: compose-go loader/validate.go (checkConsistency). */
function refusals(content: string): readonly string[] {
  const whole = file.parse(parse(content));
  return Object.entries(whole.services).flatMap(([name, one]) =>
    serviceRefusals(one, whole).map((why) => `${name}: ${why}`),
  );
}

function serviceRefusals(one: Service, { services, networks, volumes, secrets }: File): readonly string[] {
  const targets = [...one.tmpfs, ...one.volumes.map(({ target }) => target)];
  const required = Object.entries(one.depends_on).flatMap(([name, dependency]) =>
    dependency.required ? [name] : [],
  );
  return [
    ...(one.deploy !== undefined && one.mem_reservation !== undefined
      ? ["mem_reservation beside the reservations of deploy"]
      : []),
    ...(one.network_mode !== undefined && one.networks.length > 0 ? ["network_mode and networks"] : []),
    ...one.networks.filter((name) => networks[name] === undefined).map((name) => `no network ${name}`),
    ...one.volumes
      .filter(({ type, source }) => type === "volume" && volumes[source] === undefined)
      .map(({ source }) => `no volume ${source}`),
    ...one.volumes
      .filter(({ target }) => !target.startsWith("/"))
      .map(({ target }) => `${target} is no path`),
    ...one.secrets
      .filter(({ source }) => secrets[source] === undefined)
      .map(({ source }) => `no secret ${source}`),
    ...targets
      .filter((target, index) => targets.indexOf(target) !== index)
      .map((target) => `${target} twice`),
    ...required
      .filter((name) => services[name] === undefined || services[name].profiles.length > 0)
      .map((name) => `waits for ${name}, which does not start`),
  ];
}

const refusalsOf = (deployment: Deployment): readonly string[] =>
  compose
    .render(deployment)
    .artifacts.filter(({ path }) => path.endsWith("compose.yaml"))
    .flatMap(({ content }) => refusals(content));

describe("Compose itself takes", () => {
  it("the files of every reference system", async () => {
    const deployments = await Promise.all(REFERENCE_SYSTEMS.map((name) => referenceDeployment(name)));
    const wanted = deployments.filter((deployment) => compose.wanted(deployment));
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.flatMap((deployment) => refusalsOf(deployment))).toEqual([]);
  });

  it("a file with nearly all that a spec can ask for, in each way to give out cards", async () => {
    const files = await Promise.all(
      ["device-requests", "cdi", "environment"].map((gpus) => deploymentOf(everything(gpus))),
    );
    expect(files.flatMap((deployment) => refusalsOf(deployment))).toEqual([]);
  });

  it("the memory that is reserved for a service with cards, beside them", async () => {
    const deployment = await deploymentOf(
      `${NODE}\nservices: { chat: { model: small, engine: cpp, devices: big, cpuMoe: false, context: 4096 } }`,
    );
    const content = compose
      .render(deployment)
      .artifacts.find(({ path }) => path.endsWith("compose.yaml"))?.content;
    const { chat } = file.parse(parse(content ?? "")).services;
    expect(chat?.deploy?.resources.reservations.memory).toMatch(/^\d+[bkmg]$/);
    expect(chat?.mem_reservation).toBeUndefined();
  });

  it("an engine whose owner mounts a folder at /tmp", async () => {
    const deployment = await deploymentOf(
      `${NODE}\nservices: { chat: { model: small, engine: cpp, devices: cpu, context: 4096, mounts: [{ host: /srv/tmp, at: /tmp, readOnly: false }] } }`,
    );
    expect(refusalsOf(deployment)).toEqual([]);
  });
});
