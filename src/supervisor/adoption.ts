import type { EventLog } from "../core/index.ts";
import { messageOf } from "../core/index.ts";
import type { Runtime, Survivor } from "../runtimes/runtime.ts";
import type { Launcher, Prepared } from "./launcher.ts";
import type { ServiceKeeper } from "./service-keeper.ts";

export interface Adoption {
  readonly runtimes: readonly Runtime[];
  readonly keepers: ReadonlyMap<string, ServiceKeeper>;
  readonly launcher: Launcher;
  readonly events: EventLog;
}

/**
 * Finds what an earlier run of the same node left running. What would be started again just like that is taken over as it
 * is; everything else is ended. Resolves when nothing is left of the latter.
 */
export async function adoptSurvivors({ runtimes, keepers, launcher, events }: Adoption): Promise<void> {
  const taken = new Set<string>();
  const found = await Promise.all(runtimes.map((runtime) => survivorsOf(runtime, events)));
  await Promise.all(
    found.flat().map(async ({ survivor, runtime }) => {
      const keeper = keepers.get(survivor.service);
      // Two of one service cannot both go on; the first that is found does.
      const reason =
        keeper === undefined
          ? "the plan has no such service any more"
          : taken.has(survivor.service)
            ? "another of the same service goes on"
            : undefined;
      if (keeper === undefined || reason !== undefined) return end(survivor, reason ?? "", events);
      taken.add(survivor.service);
      const refusal = await adopt(survivor, runtime, keeper, launcher);
      if (refusal !== undefined) await end(survivor, refusal, events);
    }),
  );
}

interface Found {
  readonly survivor: Survivor;
  readonly runtime: Runtime;
}

async function survivorsOf(runtime: Runtime, events: EventLog): Promise<readonly Found[]> {
  try {
    return (await runtime.survivors()).map((survivor) => ({ survivor, runtime }));
  } catch (error) {
    events.record({
      kind: "node.survivors-unknown",
      severity: "warning",
      message: `What an earlier run left on the runtime ${runtime.name} could not be found out: ${messageOf(error)}.`,
    });
    return [];
  }
}

/** Takes it over, or tells why not. */
async function adopt(
  survivor: Survivor,
  runtime: Runtime,
  keeper: ServiceKeeper,
  launcher: Launcher,
): Promise<string | undefined> {
  let prepared: Prepared;
  try {
    prepared = await launcher.prepare(keeper.service);
  } catch (error) {
    return `its service cannot be started as planned now: ${messageOf(error)}`;
  }
  if (prepared.runtime !== runtime.name) return `it runs on ${prepared.runtime} now`;
  if (prepared.digest !== survivor.digest) return "it was started differently from how the plan wants it";
  try {
    keeper.adopt(await survivor.adopt(), prepared);
    return undefined;
  } catch (error) {
    return `it could not be taken over: ${messageOf(error)}`;
  }
}

async function end(survivor: Survivor, why: string, events: EventLog): Promise<void> {
  const { service, pid, id } = survivor;
  const who = pid === undefined ? id : `process ${pid}`;
  try {
    await survivor.end();
    events.record({
      kind: "service.orphan-killed",
      severity: "warning",
      service,
      message: `An engine of ${service} from an earlier run still lived (${who}); Omni ended it: ${why}.`,
      data: pid === undefined ? {} : { pid },
    });
  } catch (error) {
    events.record({
      kind: "service.orphan-left",
      severity: "error",
      service,
      message: `An engine of ${service} from an earlier run still lives (${who}) and could not be ended: ${messageOf(error)}.`,
      data: pid === undefined ? {} : { pid },
    });
  }
}
