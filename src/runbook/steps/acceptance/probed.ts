import { CONTROL, probeScript, readProbe } from "../../../acceptance/index.ts";
import type { ProbeTarget } from "../../../acceptance/index.ts";
import type { HostTransport } from "../../../host/transport/transport.ts";
import type { Deployment } from "../../../deployment/index.ts";
import type { StepContext } from "../../step.ts";

type Reached = NonNullable<ReturnType<typeof readProbe>>;

/** What was tried, and what came of it from within the network and from outside it. */
export interface Probed {
  readonly targets: readonly ProbeTarget[];
  readonly inside: Reached;
  readonly control: readonly (Reached[number] | undefined)[];
}

/** Milliseconds of one probe: each try waits five seconds at most. */
export const PROBE_TIME = 90_000;

/** A place that is there on the whole internet, for a spec that names none outside. */
const ANYBODY = { host: "1.1.1.1", port: 443, name: "an address of the internet" };

/** Addresses outside that the deployment itself has to do with: its hubs and registries, as the host resolves them. */
export async function outsideTargets(
  { models, images }: Deployment,
  host: HostTransport,
  context: StepContext,
): Promise<readonly ProbeTarget[]> {
  const hubs = models.flatMap(({ download }) => download?.endpoint ?? []);
  const registries = images.flatMap(({ push }) =>
    push === undefined ? [] : [`${push.insecure ? "http" : "https"}://${push.address}`],
  );
  const places = new Map<string, ProbeTarget>();
  for (const url of [...hubs, ...registries].filter((one) => URL.canParse(one)).slice(0, 8)) {
    const { hostname, port, protocol } = new URL(url);
    const address = await resolved(hostname, host, context);
    const number = Number(port === "" ? (protocol === "http:" ? 80 : 443) : port);
    if (address !== undefined)
      places.set(`${address}:${number}`, { what: "outside", host: address, port: number, name: hostname });
  }
  return places.size > 0 ? [...places.values()].slice(0, 3) : [{ what: "outside", ...ANYBODY }];
}

/** An IPv4 address by the host's own name service; the network within may have none. */
async function resolved(
  name: string,
  host: HostTransport,
  context: StepContext,
): Promise<string | undefined> {
  if (/^\d+(?:\.\d+){3}$/.test(name)) return name;
  const found = await context.look(host, { argv: ["getent", "ahostsv4", name], timeout: 10_000 });
  return found.ended && found.code === 0 ? found.stdout.split(/\s/, 1)[0] : undefined;
}

/** What the host itself reaches of the ways that nobody within may reach. */
export async function controlled(
  targets: readonly ProbeTarget[],
  host: HostTransport,
  context: StepContext,
): Promise<Probed["control"]> {
  const asked = targets.filter(({ what }) => CONTROL.has(what));
  const result = await context.look(host, { argv: probeScript(asked), timeout: PROBE_TIME });
  const reached = result.ended ? readProbe(result.stdout, asked) : undefined;
  return targets.map((target) => reached?.[asked.indexOf(target)]);
}
