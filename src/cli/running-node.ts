import type { Diagnostic, NodeEvent } from "../core/index.ts";
import { OmniError } from "../core/index.ts";
import { findEngineDriver } from "../engines/index.ts";
import type { SpecKey } from "../keys/index.ts";
import type { Learned } from "../plan/index.ts";
import type { Plan } from "../plan/plan.ts";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { createSupervisor } from "../supervisor/index.ts";
import type { ServiceView, Supervisor } from "../supervisor/index.ts";
import type { NodeWatch } from "../watch/index.ts";
import type { CardIdentity } from "./node/card-identities.ts";
import type { GatewaySettings } from "./node/gateway-settings.ts";
import { createLearning } from "./node/learning.ts";
import { LiveSpec } from "./node/live-spec.ts";
import type { SpecInForce } from "./node/live-spec.ts";
import { createLauncher } from "./node/launcher.ts";
import type { Simulate } from "./node/launcher.ts";
import { openNodeGateway } from "./node/node-gateway.ts";
import type { NodeGateway } from "./node/node-gateway.ts";
import { openNodeWatch } from "./node/node-watch.ts";
import type { WatchedCards } from "./node/node-watch.ts";
import type { PlanGround } from "./node/plan-here.ts";
import { createReplanner } from "./node/replanner.ts";
import type { PlanAgain } from "./node/replanner.ts";
import { createRuntimes, runtimeNamed } from "./node/runtimes.ts";
import type { LocatedSpec } from "./node-spec.ts";
import { VERSION } from "./version.ts";

interface Simulated {
  readonly simulate: Simulate;
  readonly cards: WatchedCards;
}

export interface NodeSettings {
  readonly located: LocatedSpec;
  readonly plan: Plan;
  readonly planAgain: PlanAgain;
  readonly ground: PlanGround;
  readonly stateFolder: string;
  /** Cards of the plan by their names, as driver and kernel know them. */
  readonly cards: ReadonlyMap<string, CardIdentity>;
  /** What was taken beyond the prediction before, as the plan heeds it. */
  readonly learned: readonly Learned[];
  /**
   * Where engines and cards are simulated: how a launch becomes one, and where the cards are seen. Called once the state
   * folder is this node's: another one may have engines on cards that lie there.
   */
  readonly simulation?: () => Simulated;
  /** Keys of the spec. */
  readonly keys: readonly SpecKey[];
  readonly gateway: GatewaySettings;
  /** Called when somebody who may asks the node to take over its spec anew; resolves with what to tell them. */
  readonly onReload?: () => Promise<ReloadAnswer>;
  readonly onEvent: (event: NodeEvent) => void;
}

/** What came of the wish to take over a spec anew. */
export interface ReloadAnswer {
  readonly ok: boolean;
  readonly changes: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What another spec came to. */
export interface Reloaded extends SpecInForce {
  readonly keys: readonly SpecKey[];
  readonly gateway: GatewaySettings;
}

/** A node that listens; its engines may still be loading. */
export interface RunningNode {
  readonly url: string;
  services(): readonly ServiceView[];
  /** Resolves once each service is ready, unloaded or has failed for good; rejects with the causes when none is of use. */
  settled(signal: AbortSignal): Promise<void>;
  /**
   * Takes over another spec while it serves: what it changes of services, routes, keys and the gateway. a sentence
   * for each service that is started, restarted or stopped.
   */
  reload(next: Reloaded): Promise<readonly string[]>;
  /** Stops streams, then HTTP, then engines, within `deadline` ms; a later call with less time hurries an earlier one. */
  stop(deadline: number): Promise<void>;
  /** Ends everything but the engines, which the next Omni of the same state folder takes over; nothing once it stops. */
  release(deadline: number): Promise<void>;
}

/** What is left of a deadline goes to the engines even when streams used it up. */
const ENGINE_STOP = 5000;
const NEVER = 2 ** 31 - 1;

/**
 * Puts store, watch, supervisor and gateway together and starts them. The port is bound before any engine starts, so that
 * a busy port costs nothing. Throws `OmniError`; whatever was started before the throw is stopped again.
 */
export async function runNode(settings: NodeSettings): Promise<RunningNode> {
  const store = openStore(settings.stateFolder);
  const unsubscribe = store.events.subscribe(settings.onEvent);
  let watch: NodeWatch | undefined;
  let supervisor: Supervisor | undefined;
  let gateway: NodeGateway | undefined;
  try {
    const simulation = settings.simulation?.();
    watch = await openNodeWatch(settings.located.spec, simulation?.cards, store);
    const live = new LiveSpec(settings);
    supervisor = await composeSupervisor(settings, live, simulation, store, watch);
    gateway = await openNodeGateway({
      located: settings.located,
      plan: settings.plan,
      settings: settings.gateway,
      stateFolder: settings.stateFolder,
      specKeys: settings.keys,
      events: store.events,
      supervisor,
      watch,
      cards: settings.cards,
      samples: store.samples,
      measurements: store.measurements,
      live,
      simulated: simulation !== undefined,
      ...(settings.onReload === undefined ? {} : { onReload: settings.onReload }),
    });
    const { url } = await gateway.listen();
    return await begin({ store, supervisor, gateway, watch, live, url, unsubscribe });
  } catch (thrown) {
    unsubscribe();
    await gateway?.close(0).catch(() => undefined);
    await supervisor?.stop(0).catch(() => undefined);
    await watch?.close();
    store.close();
    throw thrown;
  }
}

async function composeSupervisor(
  { plan, stateFolder, cards, learned }: NodeSettings,
  live: LiveSpec,
  simulation: Simulated | undefined,
  store: Store,
  watch: NodeWatch,
): Promise<Supervisor> {
  const { spec } = live.located;
  const runtimes = await createRuntimes({
    spec,
    stateFolder,
    events: store.events,
    simulated: simulation !== undefined,
  });
  // Fallbacks and lost cards change the plan; the supervisor knows which one is in force.
  let supervisor: Supervisor | undefined;
  const current = (): Plan => supervisor?.plan() ?? plan;
  const launcher = createLauncher({
    located: live.located,
    plan: current,
    cards,
    stateFolder,
    ...(simulation === undefined ? {} : { simulate: simulation.simulate }),
  });
  supervisor = createSupervisor({
    plan,
    launcher,
    driverOf: findEngineDriver,
    runtimeOf: (name) => runtimeNamed(runtimes, simulation === undefined ? name : "process"),
    events: store.events,
    watch,
    cards,
    replanner: createReplanner({
      spec: () => live.located.spec,
      base: () => live.plan,
      current,
      planAgain: live.planAgain,
    }),
    policies: spec.policies,
    measured: createLearning({
      measurements: store.measurements,
      simulated: simulation !== undefined,
      cardModel: (device) => cards.get(device)?.name,
      planned: (name) => current().services.find((service) => service.name === name),
      learned,
    }),
    simulated: simulation !== undefined,
  });
  return supervisor;
}

interface Parts {
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly gateway: NodeGateway;
  readonly watch: NodeWatch;
  readonly live: LiveSpec;
  readonly url: string;
  readonly unsubscribe: () => void;
}

async function begin(parts: Parts): Promise<RunningNode> {
  const { store, supervisor, gateway, url } = parts;
  store.announce(url);
  store.events.record({
    kind: "node.started",
    severity: "info",
    message: `The node listens at ${url}.`,
    data: { version: VERSION, pid: process.pid },
  });
  await supervisor.start();
  let stopping: Promise<void> | undefined;
  let leaving = false;
  return {
    url,
    services: () => supervisor.services(),
    settled: (signal) => settle(supervisor, signal),
    reload: (next) => reload(parts, next),
    stop: async (deadline) => {
      // Whoever hurries a hand-over cuts answers, and still leaves the engines.
      if (stopping !== undefined)
        await Promise.all([gateway.close(deadline), ...(leaving ? [] : [supervisor.stop(deadline)])]);
      stopping ??= stopAll(parts, deadline);
      await stopping;
    },
    release: async (deadline) => {
      leaving ||= stopping === undefined;
      stopping ??= releaseAll(parts, deadline);
      await stopping;
    },
  };
}

/** First what may be refused, then what cannot: a spec that is not taken over leaves everything as it was. */
async function reload(
  { store, supervisor, gateway, live }: Parts,
  next: Reloaded,
): Promise<readonly string[]> {
  const back = live.replace(next);
  try {
    const changes = (await supervisor.preview(next.plan)).filter(({ change }) => change !== "keep");
    gateway.reload({ located: next.located, plan: next.plan, specKeys: next.keys, settings: next.gateway });
    await supervisor.apply(next.plan);
    tellReload(store, next);
    return changes.map(({ service, change, why }) => `${service}: ${change}. ${why}`);
  } catch (thrown) {
    back();
    throw thrown;
  }
}

function tellReload(store: Store, next: Reloaded): void {
  store.events.record({
    kind: "node.reloaded",
    severity: "info",
    message: `The node took over ${next.located.origin} anew.`,
  });
}

async function stopAll(parts: Parts, deadline: number): Promise<void> {
  const { store, supervisor, gateway } = parts;
  const began = performance.now();
  await gateway.close(deadline);
  const left = deadline - (performance.now() - began);
  await supervisor.stop(deadline === 0 ? 0 : Math.max(ENGINE_STOP, left));
  store.events.record({ kind: "node.stopped", severity: "info", message: "The node stopped." });
  await putAway(parts);
}

async function releaseAll(parts: Parts, deadline: number): Promise<void> {
  const { store, supervisor, gateway } = parts;
  await gateway.close(deadline);
  await supervisor.release();
  store.events.record({
    kind: "node.released",
    severity: "info",
    message: "The node stopped and left its engines to the next one.",
  });
  await putAway(parts);
}

async function putAway({ store, watch, unsubscribe }: Parts): Promise<void> {
  await watch.close();
  unsubscribe();
  store.close();
}

async function settle(supervisor: Supervisor, signal: AbortSignal): Promise<void> {
  const ready = await Promise.all(
    supervisor
      .services()
      .map(async ({ name, state }) => state === "unloaded" || supervisor.whenReady(name, NEVER, signal)),
  );
  if (signal.aborted || ready.includes(true)) return;
  const diagnostics = supervisor.diagnostics().filter((diagnostic) => diagnostic.severity === "error");
  const [first] = diagnostics;
  throw new OmniError(first?.code ?? "engine.load-failed", "No service of this node could be started.", {
    diagnostics,
  });
}
