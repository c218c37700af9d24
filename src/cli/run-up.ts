import { EXIT } from "../core/index.ts";
import type { ExitCode } from "../core/index.ts";
import type { SpecKey } from "../keys/index.ts";
import { integerOption } from "./command.ts";
import type { Invocation } from "./command.ts";
import { gatewaySettings } from "./node/gateway-settings.ts";
import { printChanges } from "./node/planned-changes.ts";
import { takeOver } from "./node/running-here.ts";
import { reloadSpec } from "./node/reload-spec.ts";
import type { Wanted } from "./node/reload-spec.ts";
import { decide } from "./node/up-plan.ts";
import type { UpPlan } from "./node/up-plan.ts";
import { announce, tell } from "./node/up-view.ts";
import { locateSpec, presentKeys, readKeys } from "./node-spec.ts";
import type { LocatedSpec, PresentKeys } from "./node-spec.ts";
import { reportPlan } from "./plan-report.ts";
import { Progress } from "./progress.ts";
import { reportDiagnostics } from "./report.ts";
import { runNode } from "./running-node.ts";
import type { NodeSettings, RunningNode } from "./running-node.ts";
import { stateFolder } from "./state-folder.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** How long a node that is asked to hand over may let its clients read, beside the drain of its own spec, ms. */
const HAND_OVER = 30_000;

/** Runs a node until it is stopped. Throws `OmniError` when the spec is wrong, nothing fits, or nothing starts. */
export async function runUp(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const { located, keys, decided } = await readSpec(invocation);
  const simulated = invocation.flag("simulate");
  const { plan } = decided;
  const wanted = { located, decided, simulated };
  reportDiagnostics(plan.diagnostics, terminal);
  if (invocation.flag("dry-run")) await show(wanted, invocation, terminal);
  else {
    const { drain } = located.spec.gateway.timeouts;
    // A key that is missing stops the start before the node that runs is asked to leave.
    const given = simulated ? keys.keys : await readKeys(located);
    if (invocation.flag("replace")) await takeOver(stateFolder(), drain + HAND_OVER);
    await serve({ ...wanted, invocation, keys: given, keep: invocation.flag("keep-engines") }, terminal);
  }
  return EXIT.done;
}

/** The spec that the command line names, with its keys and what is decided of it. */
async function readSpec(invocation: Invocation): Promise<{
  readonly located: LocatedSpec;
  readonly keys: PresentKeys;
  readonly decided: UpPlan;
}> {
  const located = await locateSpec(invocation.positionals[0], invocation.value("model"));
  const simulated = invocation.flag("simulate");
  const keys = await presentKeys(located);
  const decided = await decide(located, {
    host: invocation.value("host"),
    port: integerOption(invocation, "port", [0, 65_535]),
    machine: invocation.value("machine"),
    hasKeys: keys.keys.length > 0,
    simulated,
  });
  return {
    located,
    keys,
    decided,
  };
}

interface Decided {
  readonly located: LocatedSpec;
  readonly decided: UpPlan;
  readonly simulated: boolean;
}

async function show(
  { located, decided: { plan, cards }, simulated }: Decided,
  invocation: Invocation,
  terminal: Terminal,
): Promise<void> {
  if (invocation.flag("json")) terminal.out(JSON.stringify(plan, null, 2));
  else {
    reportPlan(plan, terminal);
    await printChanges({ located, plan, cards, simulated }, terminal);
  }
}

interface Serving extends Decided {
  readonly invocation: Invocation;
  readonly keys: readonly SpecKey[];
  /** A signal leaves the engines to the next Omni. */
  readonly keep: boolean;
}

async function serve(
  { located, decided, simulated, keys, keep, invocation }: Serving,
  terminal: Terminal,
): Promise<void> {
  const began = performance.now();
  outliveReaders();
  const progress = new Progress(terminal);
  // Before it has a node, a request to hand over must not end this process without a word.
  const early = holdHandOver();
  let announced = false;
  const settings = await settingsOf(located, decided, simulated);
  const running = Promise.withResolvers<RunningNode>();
  // One after another: each reads the spec when its turn comes, so that the newest is in force in the end.
  let reloads: Promise<unknown> = running.promise;
  const wanted = async (): Promise<Wanted> => {
    const next = await readSpec(invocation);
    return { ...next, keys: simulated ? next.keys.keys : await readKeys(next.located) };
  };
  const node = await runNode({
    ...settings,
    keys,
    onReload: () => {
      const reloaded = reloads.then(async () => reloadSpec(await running.promise, wanted, settings));
      reloads = reloaded;
      return reloaded;
    },
    onEvent: (event) => {
      // The first readiness is announced with the URL; later ones end a trouble that was told.
      if (event.severity !== "info" || (announced && event.kind === "service.ready"))
        progress.around(() => tell(event, terminal));
    },
  });
  running.resolve(node);
  const stopped = untilSignal(node, { drain: located.spec.gateway.timeouts.drain, keep, early }, terminal);
  const mark = simulated ? terminal.style("yellow", "  SIMULATED") : "";
  terminal.out(
    `${terminal.style("bold", `omni ${VERSION}`)}  ${terminal.style("cyan", `${node.url}/v1`)}${mark}`,
  );
  progress.follow(() => node.services());
  const settled = new AbortController();
  try {
    await Promise.race([node.settled(settled.signal), stopped]);
    progress.end();
    announced = node.services().some((service) => service.state === "ready" || service.state === "unloaded");
    if (announced)
      announce(
        node,
        decided.plan,
        { elapsed: performance.now() - began, asksForKey: keys.length > 0 },
        terminal,
      );
    await stopped;
  } catch (thrown) {
    progress.end();
    await node.stop(0);
    throw thrown;
  } finally {
    settled.abort();
  }
}

async function settingsOf(
  located: LocatedSpec,
  { plan, again, ground, cards, learned }: UpPlan,
  simulated: boolean,
): Promise<Omit<NodeSettings, "keys" | "onEvent">> {
  // The simulation is loaded by nodes that are one.
  const simulation = simulated ? await import("./node/simulated-node.ts") : undefined;
  return {
    located,
    plan,
    planAgain: again,
    ground,
    learned,
    stateFolder: stateFolder(),
    cards,
    ...(simulation === undefined ? {} : { simulation: () => simulation.simulatePlan(plan, stateFolder()) }),
    gateway: await gatewaySettings(located),
  };
}

interface Ending {
  readonly drain: number;
  readonly keep: boolean;
  /** Whether a hand-over was asked for before there was a node. */
  readonly early: () => boolean;
}

/** Resolves when a signal has stopped the node: the first lets answers finish, the second does not. */
function untilSignal(node: RunningNode, { drain, keep, early }: Ending, terminal: Terminal): Promise<void> {
  return new Promise((resolve, reject) => {
    let signals = 0;
    const release = (): void => {
      terminal.err("Handing over: running answers may finish, engines go on for the next Omni.");
      node.release(drain).then(resolve, reject);
    };
    const stop = (): void => {
      signals += 1;
      if (signals === 1 && keep) {
        release();
        return;
      }
      if (signals === 1) terminal.err("Stopping; running answers may finish. Ctrl-C again stops at once.");
      node.stop(signals === 1 ? drain : 0).then(resolve, reject);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
    if (process.platform !== "win32") process.on("SIGUSR2", release);
    if (early()) release();
  });
}

/** A reader of the output that went away (`omni up | head`) must not take the node along, and its engines would be left. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners("error");
    stream.on("error", () => {});
  }
}

/** Keeps a request to hand over from ending this process; tells whether one came until it is first asked. */
function holdHandOver(): () => boolean {
  if (process.platform === "win32") return () => false;
  let asked = false;
  const note = (): void => {
    asked = true;
  };
  process.on("SIGUSR2", note);
  return () => {
    process.off("SIGUSR2", note);
    return asked;
  };
}
