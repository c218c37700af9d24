import { setTimeout } from "node:timers/promises";
import { parse } from "yaml";
import { z } from "zod";
import { PROBE_IMAGE } from "./docker-node.ts";
import type { DockerNode } from "./docker-node.ts";

const text = z.string().transform((value) => value.replaceAll("$$", "$"));

const composeSchema = z.object({
  name: z.string(),
  services: z.record(
    z.string(),
    z.object({
      profiles: z.array(z.string()).default([]),
      init: z.boolean().default(false),
      networks: z.array(z.string()),
      ports: z
        .array(z.object({ target: z.number(), published: z.string(), host_ip: z.string().optional() }))
        .default([]),
      cap_drop: z.array(z.string()).default([]),
      security_opt: z.array(z.string()).default([]),
      read_only: z.boolean().default(false),
      tmpfs: z.array(z.string()).default([]),
      dns: z.array(z.string()).default([]),
    }),
  ),
  networks: z.record(
    z.string(),
    z.object({
      driver: z.string(),
      internal: z.boolean().default(false),
      driver_opts: z.record(z.string(), text).default({}),
      ipam: z.object({ config: z.array(z.object({ subnet: text, gateway: text.optional() })) }).optional(),
    }),
  ),
});

type ComposeFile = z.infer<typeof composeSchema>;

/** A project that is up: containers by the name of their service. */
export interface RunningProject {
  readonly container: (service: string) => string;
  readonly address: (service: string, network: string) => Promise<string>;
  readonly down: () => Promise<void>;
}

/**
 * What `docker compose up` does with a rendered file, by the plain client, because Debian's engine comes without the
 * plugin: networks with driver, options, internal and subnet; containers with their aliases, published ports and rights.
 * The override: every container is the probe with the words that `commands` says. Cards, weights, limits and health are
 * left away. Services of profiles that are not enabled stay out.
 */
export async function composeUp(
  node: DockerNode,
  yaml: string,
  commands: Readonly<Record<string, readonly string[]>>,
  profiles: readonly string[] = [],
): Promise<RunningProject> {
  const file = composeSchema.parse(parse(yaml));
  const container = (service: string): string => `${file.name}-${service}-1`;
  const services = Object.entries(file.services).filter(
    ([, { profiles: own }]) => own.length === 0 || own.some((name) => profiles.includes(name)),
  );
  for (const [name, network] of Object.entries(file.networks))
    await node.docker("network", "create", ...networkWords(network), `${file.name}_${name}`);
  await Promise.all(
    services.map(async ([name, service]) => {
      // Compose attaches in the order of the names.
      const [first = "default", ...others] = service.networks
        .toSorted()
        .map((network) => `${file.name}_${network}`);
      await node.docker(
        "create",
        "--name",
        container(name),
        "--network",
        first,
        "--network-alias",
        name,
        ...serviceWords(service),
        PROBE_IMAGE,
        ...(commands[name] ?? []),
      );
      for (const network of others)
        await node.docker("network", "connect", "--alias", name, network, container(name));
      await node.docker("start", container(name));
    }),
  );
  await Promise.all(
    services.map(([name]) => listens(node, container(name), Number(commands[name]?.[1] ?? fail(name)))),
  );
  return {
    container,
    address: (service, network) => {
      const format = `{{(index .NetworkSettings.Networks "${file.name}_${network}").IPAddress}}`;
      return node.docker("inspect", "--format", format, container(service));
    },
    down: async () => {
      await node.docker("rm", "--force", ...services.map(([name]) => container(name)));
      await node.docker("network", "rm", ...Object.keys(file.networks).map((name) => `${file.name}_${name}`));
    },
  };
}

const fail = (service: string): never => {
  throw new Error(`${service} is given nothing to do.`);
};

/** Waits, as `up --wait` does, until a container answers itself. */
async function listens(node: DockerNode, container: string, port: number): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    const { code } = await node.dial({ container }, "127.0.0.1", port);
    if (code === 0) return;
    await setTimeout(100);
  }
  throw new Error(`${container} does not answer on ${port}: ${await node.docker("logs", container)}`);
}

const networkWords = (network: ComposeFile["networks"][string]): readonly string[] => [
  "--driver",
  network.driver,
  ...(network.internal ? ["--internal"] : []),
  ...Object.entries(network.driver_opts).flatMap(([key, value]) => ["--opt", `${key}=${value}`]),
  ...(network.ipam?.config ?? []).flatMap(({ subnet, gateway }) => [
    "--subnet",
    subnet,
    ...(gateway === undefined ? [] : ["--gateway", gateway]),
  ]),
];

const serviceWords = (service: ComposeFile["services"][string]): readonly string[] => [
  ...(service.init ? ["--init"] : []),
  ...(service.read_only ? ["--read-only"] : []),
  ...service.cap_drop.flatMap((right) => ["--cap-drop", right]),
  ...service.security_opt.flatMap((option) => ["--security-opt", option]),
  ...service.dns.flatMap((address) => ["--dns", address]),
  ...service.tmpfs.flatMap((path) => ["--tmpfs", path]),
  ...service.ports.flatMap(({ target, published, host_ip }) => [
    "--publish",
    `${host_ip === undefined ? "" : `${host_ip}:`}${published}:${target}`,
  ]),
];
