import { OmniError } from "../../core/index.ts";
import { openTransport } from "../../host/transport/index.ts";
import type { HostTransport } from "../../host/transport/index.ts";
import type { Invocation } from "../command.ts";
import { locateSpec } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { cardsOfSpec, cardsOnBus } from "./gpu-cards.ts";
import type { ChosenCards } from "./gpu-cards.ts";

/** The host that a command is about, and the cards there that it may touch. */
export interface GpuHost {
  readonly host: HostTransport;
  readonly found: ChosenCards;
}

/**
 * Opens the way to `--host` and finds its cards, those of `--spec` where that is given. Throws `OmniError`
 * `cli.bad-argument`, `gpu.unreadable` and what reaching a host throws.
 */
export async function openGpuHost(invocation: Invocation): Promise<GpuHost> {
  const typed = invocation.value("host");
  const file = invocation.value("spec");
  const name = typed === undefined || typed.startsWith("ssh://") ? undefined : typed;
  const located = file === undefined && name === undefined ? undefined : await locateSpec(file, undefined);
  const destination = name === undefined ? typed : addressOf(name, located);
  if (located !== undefined && typed === undefined) refuseElsewhere(located);
  const host = openTransport(destination);
  try {
    const found =
      file === undefined || located === undefined
        ? await cardsOnBus(host)
        : await cardsOfSpec(located, Object.hasOwn(located.spec.machines, name ?? "") ? name : undefined);
    return { host, found };
  } catch (error) {
    await host.close();
    throw error;
  }
}

function addressOf(name: string, located: LocatedSpec | undefined): string {
  const machines = located?.spec.machines ?? {};
  const hosts = located?.spec.runbook.hosts ?? {};
  const address = (Object.hasOwn(machines, name) ? machines[name]?.ssh : undefined) ?? hosts[name];
  if (address !== undefined) return address;
  throw new OmniError(
    "cli.bad-argument",
    Object.hasOwn(machines, name)
      ? `${located?.origin ?? ""} does not say how ${name} is reached.`
      : `${located?.origin ?? "The spec"} has no machine ${JSON.stringify(name)}.`,
    { hint: `Give its ssh: root@ADDRESS in the spec, or --host ssh://root@ADDRESS.` },
  );
}

/** Addresses of another machine's cards mean other cards here. */
function refuseElsewhere({ spec, origin }: LocatedSpec): void {
  for (const [name, { ssh }] of Object.entries(spec.machines))
    if (ssh !== undefined)
      throw new OmniError(
        "cli.bad-argument",
        `${origin} describes ${name}, which is reached at ${ssh}; its addresses may mean other cards on this machine.`,
        { hint: `--host ${name}, or leave out --spec for the cards of this machine.` },
      );
}
