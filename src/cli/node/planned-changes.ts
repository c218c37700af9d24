import { z } from "zod";
import type { Plan } from "../../plan/index.ts";
import type { PlannedService } from "../../plan/plan.ts";
import { readNodeRecord } from "../../store/index.ts";
import { messageOf } from "../../core/index.ts";
import { getJson } from "../node-client.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { stateFolder } from "../state-folder.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";
import type { Launcher } from "../../supervisor/launcher.ts";
import type { CardIdentity } from "./card-identities.ts";
import { createLauncher } from "./launcher.ts";

interface Wanted {
  readonly located: LocatedSpec;
  readonly plan: Plan;
  readonly cards: ReadonlyMap<string, CardIdentity>;
  readonly simulated: boolean;
}

/** What `up --replace` would do to one service. */
interface PlannedChange {
  readonly service: string;
  readonly change: "keep" | "restart" | "start" | "stop";
  readonly why: string;
}

const RUNNING = z.looseObject({
  services: z.array(z.looseObject({ name: z.string(), state: z.string(), digest: z.string().optional() })),
});
type RunningService = z.infer<typeof RUNNING>["services"][number];

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
  const { located, plan, cards, simulated } = wanted;
  const launcher = createLauncher({
    located,
    plan: () => plan,
    cards,
    stateFolder: stateFolder(),
    // Only digests are asked for: nothing is launched, and no board is touched.
    ...(simulated ? { simulate: (launch) => launch } : {}),
  });
  const planned = await Promise.all(
    plan.services.map((service) =>
      changeOf(
        service,
        services.find(({ name }) => name === service.name),
        launcher,
      ),
    ),
  );
  const names = new Set(plan.services.map(({ name }) => name));
  const gone = services
    .filter(({ name }) => !names.has(name))
    .map(({ name }): PlannedChange => ({ service: name, change: "stop", why: "it is not in the plan" }));
  return [...planned, ...gone];
}

async function changeOf(
  service: PlannedService,
  running: RunningService | undefined,
  launcher: Launcher,
): Promise<PlannedChange> {
  const answer = (change: PlannedChange["change"], why: string): PlannedChange => ({
    service: service.name,
    change,
    why,
  });
  try {
    const { digest } = await launcher.prepare(service);
    if (running === undefined) return answer("start", "it is new");
    if (running.digest === digest) return answer("keep", "it is started the same");
    if (running.digest !== undefined) return answer("restart", "its command, files or limits change");
    return RESTS.has(running.state)
      ? answer("keep", `it is ${running.state}; a request loads it`)
      : answer("start", `it is ${running.state}, without an engine that runs`);
  } catch (thrown) {
    const why = `it cannot be started as planned: ${messageOf(thrown)}`;
    return answer(running?.digest === undefined ? "start" : "stop", why);
  }
}

/** Without an engine, and well. */
const RESTS: ReadonlySet<string> = new Set(["unloaded", "asleep"]);
