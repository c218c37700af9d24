import { z } from "zod";
import { probeScript, readProbe } from "../../../acceptance/index.ts";
import type { ProbeTarget } from "../../../acceptance/index.ts";
import type { DeployedService } from "../../../deployment/index.ts";
import type { HostTransport } from "../../../host/transport/transport.ts";
import { placesOf } from "../../../render/compose/place.ts";
import type { RunbookInput } from "../../runbook.ts";
import type { StepContext } from "../../step.ts";
import { controlled, outsideTargets, PROBE_TIME } from "./probed.ts";
import type { Probed } from "./probed.ts";

const CONTAINER = z.object({
  State: z.object({ Running: z.boolean(), Pid: z.number() }),
  Config: z.object({ Image: z.string() }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })) }),
});
type Container = z.infer<typeof CONTAINER>;

/** A service on the node that listens towards everybody: what `ss` calls a wildcard. */
const LISTENER = /^\S+\s+\d+\s+\d+\s+(?:0\.0\.0\.0|\*|\[::\]):(\d+)\s/;

/** Tries to connect from within the network of a container of the Compose project; says why where it cannot. */
export async function containerProbe(
  input: RunbookInput,
  service: DeployedService,
  context: StepContext,
): Promise<Probed | string> {
  const { deployment } = input;
  const host = await context.host(service.machine);
  const name = containerName(deployment.docker.project, service.name);
  const container = await inspected(name, host, context);
  if (typeof container === "string") return container;
  if (!container.State.Running) return `The container ${name} does not run.`;
  const targets = [
    { what: "itself", host: "127.0.0.1", port: service.port, name: "the engine itself" } as const,
    ...(await gatewayTarget(input, container, host, context)),
    ...(await outsideTargets(deployment, host, context)),
    ...(await nodeTarget(input, host, context)),
  ];
  const inside = await triedWithin(container, name, targets, host, context);
  if (typeof inside === "string") return inside;
  return { targets, inside, control: await controlled(targets, host, context) };
}

const containerName = (project: string, service: string): string => `${project}-${service}-1`;

async function inspected(
  name: string,
  host: HostTransport,
  context: StepContext,
): Promise<Container | string> {
  const result = await context.look(host, {
    argv: ["docker", "inspect", "--type", "container", "--format", "{{json .}}", name],
    timeout: 20_000,
  });
  if (!result.ended) return `${host.name}: docker: ${result.message}`;
  if (result.code !== 0) return `${host.name}: docker knows no ${name}: ${result.stderr.trim()}`;
  return CONTAINER.parse(JSON.parse(result.stdout));
}

/** The gateway's address on a network that both are on; nothing where it is elsewhere. */
async function gatewayTarget(
  { deployment }: RunbookInput,
  { NetworkSettings }: Container,
  host: HostTransport,
  context: StepContext,
): Promise<readonly ProbeTarget[]> {
  const place = placesOf(deployment).find(({ withGateway }) => withGateway);
  if (place === undefined) return [];
  const gateway = await inspected(containerName(deployment.docker.project, place.gatewayName), host, context);
  if (typeof gateway === "string") return [];
  const common = Object.entries(gateway.NetworkSettings.Networks).find(
    ([network, { IPAddress }]) => IPAddress !== "" && NetworkSettings.Networks[network] !== undefined,
  );
  return common === undefined
    ? []
    : [{ what: "gateway", host: common[1].IPAddress, port: deployment.gateway.port, name: "the gateway" }];
}

/** Something that the node offers to everybody at its own address, whatever it is; nothing where it offers nothing. */
async function nodeTarget(
  { deployment }: RunbookInput,
  host: HostTransport,
  context: StepContext,
): Promise<readonly ProbeTarget[]> {
  const addresses = await context.look(host, { argv: ["hostname", "-I"], timeout: 10_000 });
  const listeners = await context.look(host, { argv: ["ss", "-Htln"], timeout: 10_000 });
  if (!addresses.ended || !listeners.ended) return [];
  const address = addresses.stdout.split(/\s+/).find((one) => /^\d+(?:\.\d+){3}$/.test(one));
  const port = listeners.stdout
    .split("\n")
    .flatMap((line) => Number(LISTENER.exec(line)?.[1] ?? []))
    .find((one) => one !== deployment.gateway.port);
  return address === undefined || port === undefined
    ? []
    : [{ what: "node", host: address, port, name: `port ${port} of the node` }];
}

/** By the host's own bash in the container's network, or by that of the container's image, which is there already. */
async function triedWithin(
  { State, Config }: Container,
  name: string,
  targets: readonly ProbeTarget[],
  host: HostTransport,
  context: StepContext,
): Promise<Probed["inside"] | string> {
  const [bash, ...words] = probeScript(targets);
  const ways = [
    ["nsenter", `--net=/proc/${State.Pid}/ns/net`, "--", bash, ...words],
    ["docker", "run", "--rm", "--pull", "never", "--network", `container:${name}`]
      .concat(["--cap-drop", "ALL", "--entrypoint", bash, Config.Image])
      .concat(words),
  ];
  const said: string[] = [];
  for (const [program = "", ...rest] of ways) {
    const result = await context.look(host, { argv: [program, ...rest], timeout: PROBE_TIME });
    const reached = result.ended ? readProbe(result.stdout, targets) : undefined;
    if (reached !== undefined) return reached;
    const words = result.ended ? result.stderr.trim() || result.stdout.trim() : result.message;
    said.push(`${program}: ${words.split("\n", 1)[0] ?? ""}`);
  }
  return `No probe could be run in the network of ${name}: ${said.join("; ")}`;
}
