import { z } from "zod";
import type { MachineInventory } from "../../inventory/index.ts";
import type { Plan } from "../../plan/index.ts";
import { readNodeRecord } from "../../store/index.ts";
import { messageOf } from "../../core/index.ts";
import { getJson } from "../node-client.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { stateFolder } from "../state-folder.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";
import { cardIdentities } from "./card-identities.ts";
import { createLauncher } from "./launcher.ts";
import { simulatedIdentities } from "./simulated-node.ts";

interface Wanted {
  readonly located: LocatedSpec;
  readonly plan: Plan;
  readonly observed: MachineInventory;
  readonly simulated: boolean;
}

/** What `up --replace` would do to one service. */
interface PlannedChange {
  readonly service: string;
  readonly change: "keep" | "restart" | "start" | "stop";
  readonly why: string;
}

const RUNNING = z.looseObject({
  services: z.array(z.looseObject({ name: z.string(), digest: z.string().optional() })),
});

/** Prints what would change on the node that runs with this state folder; nothing when none does. */
export async function printChanges(wanted: Wanted, terminal: Terminal): Promise<void> {
  const record = readNodeRecord(stateFolder());
  if (record === undefined) return;
  const changes = await changesOn(record.url, wanted).catch((thrown: unknown) => {
    terminal.err(`What would change on ${record.url} is not known: ${messageOf(thrown)}`);
    return [];
  });
  if (changes.length === 0) return;
  const { style } = terminal;
  const colours = { keep: "dim", restart: "yellow", start: "green", stop: "red" } as const;
  terminal.out("");
  terminal.out(`On the node at ${record.url}, ./omni up --replace would:`);
  terminal.out(
    table(
      changes.map(({ service, change, why }) => [
        `  ${style(colours[change], change)}`,
        style("bold", service),
        why,
      ]),
    ),
  );
}

async function changesOn(url: string, wanted: Wanted): Promise<readonly PlannedChange[]> {
  const { services } = await getJson(url, "/api/status", RUNNING);
  const running = new Map(services.map(({ name, digest }) => [name, digest]));
  const { located, plan, observed, simulated } = wanted;
  const launcher = createLauncher({
    located,
    plan: () => plan,
    cards: simulated ? simulatedIdentities(plan) : cardIdentities(located.spec, observed.gpus),
    stateFolder: stateFolder(),
    // Only digests are asked for: nothing is launched, and no board is touched.
    ...(simulated ? { simulate: (launch) => launch } : {}),
  });
  const planned = await Promise.all(
    plan.services.map(async (service): Promise<PlannedChange> => {
      if (!running.has(service.name)) return { service: service.name, change: "start", why: "it is new" };
      const { digest } = await launcher.prepare(service);
      const before = running.get(service.name);
      if (before === undefined)
        return { service: service.name, change: "start", why: "its engine does not run" };
      return before === digest
        ? { service: service.name, change: "keep", why: "it is started the same" }
        : { service: service.name, change: "restart", why: "its command, files or limits change" };
    }),
  );
  const names = new Set(plan.services.map(({ name }) => name));
  const gone = services
    .filter(({ name }) => !names.has(name))
    .map(({ name }): PlannedChange => ({ service: name, change: "stop", why: "it is not in the plan" }));
  return [...planned, ...gone];
}
