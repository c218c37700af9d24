import { setTimeout as sleep } from "node:timers/promises";
import { OmniError } from "../core/index.ts";
import type { Board } from "../simulation/index.ts";
import type { ServiceView } from "../supervisor/backends.ts";
import type { NodeApi, NodeState } from "./node-api.ts";
import { runScenario } from "./run-scenario.ts";
import type { ChaosTimes, ScenarioResult } from "./run-scenario.ts";
import type { Need, OwnNode, Scenario, Stage } from "./scenario.ts";

export interface ChaosInput {
  readonly node: NodeApi;
  readonly scenarios: readonly Scenario[];
  /** Name that clients ask for; the route with most services when absent. */
  readonly model?: string;
  /** Service that is struck; the first of the route when absent. */
  readonly victim?: string;
  readonly board?: Board;
  readonly own?: OwnNode;
  readonly clients: number;
  /** Tokens of an answer: enough that a fault meets answers in the middle. */
  readonly tokens: number;
  readonly times: ChaosTimes;
  readonly onBegin?: (scenario: Scenario, victim: string) => void;
  readonly onResult?: (result: ScenarioResult) => void;
  /** Ends everything early: the fault is undone, the clients end, and the run rejects. */
  readonly signal?: AbortSignal;
}

export const CHAOS_TIMES: ChaosTimes = { before: 1500, after: 1000, patience: 120_000, holds: 3000 };

/** Longest wait until a node is calm before the next fault, ms. */
const CALM = 120_000;

/** Does each fault in turn, each on a calm node. Throws OmniError when the node has nothing that could be struck. */
export async function runChaos(input: ChaosInput): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of input.scenarios) {
    const state = await calm(input);
    const { victim, model } = targetOf(state, input);
    const missing = missingNeed(scenario, victim, input);
    input.onBegin?.(scenario, victim.name);
    const result =
      missing === undefined
        ? await runScenario(
            scenario,
            () => stageOf(input, victim.name),
            { model, clients: input.clients, tokens: input.tokens },
            input.times,
            input.signal,
          )
        : skipped(scenario, victim, missing);
    results.push(result);
    input.onResult?.(result);
  }
  return results;
}

/** Waits until no service of the route is on its way somewhere, so that faults do not add up. */
async function calm(input: ChaosInput): Promise<NodeState> {
  const until = performance.now() + CALM;
  for (;;) {
    const state = await input.node.state();
    const { services } = routeOf(state, input);
    const restless = state.services.filter(
      (service) => services.includes(service.name) && !RESTING.has(service.state),
    );
    if (restless.length === 0) return state;
    if (performance.now() > until)
      throw new OmniError(
        "chaos.failed",
        `The node does not come to rest: ${restless.map(({ name, state: now }) => `${name} is ${now}`).join(", ")}.`,
      );
    await sleep(200, undefined, { signal: input.signal });
  }
}

const RESTING: ReadonlySet<string> = new Set(["ready", "unloaded", "stopped", "failed"]);

const routeOf = (
  { routes }: NodeState,
  { model }: Pick<ChaosInput, "model">,
): NodeState["routes"][number] => {
  const route =
    model === undefined
      ? routes.toSorted((a, b) => b.services.length - a.services.length)[0]
      : routes.find(({ name }) => name === model);
  if (route !== undefined) return route;
  throw new OmniError("chaos.failed", `The node has no route ${model ?? "at all"}.`);
};

function targetOf(
  state: NodeState,
  input: ChaosInput,
): { readonly victim: ServiceView; readonly model: string } {
  const route = routeOf(state, input);
  const names = input.victim === undefined ? route.services : [input.victim];
  const victim = names
    .map((name) => state.services.find((service) => service.name === name))
    .find((service) => service?.state === "ready");
  if (victim !== undefined) return { victim, model: route.name };
  throw new OmniError("chaos.failed", `No service of ${route.name} is ready, so that none could be struck.`);
}

async function stageOf({ node, board, own }: ChaosInput, name: string): Promise<Stage> {
  const victim = (await node.state()).services.find((service) => service.name === name);
  if (victim === undefined) throw new OmniError("chaos.failed", `${name} is gone.`);
  return {
    node,
    victim,
    ...(board === undefined ? {} : { board }),
    ...(own === undefined ? {} : { own }),
  };
}

const NEEDS: Readonly<Record<Need, (victim: ServiceView, input: ChaosInput) => string | undefined>> = {
  simulated: ({ simulated }) =>
    simulated === true ? undefined : "a real engine cannot be told to fail like this",
  card: ({ simulated, devices = [] }, { board }) =>
    simulated === true && board !== undefined && devices.some((device) => device !== "cpu")
      ? undefined
      : "the service is on no simulated card",
  process: ({ pid }) => (pid === undefined ? "its engine is no process of this machine" : undefined),
  port: ({ endpoint }) => (endpoint?.kind === "tcp" ? undefined : "its engine listens on no port"),
  "own-node": (_, { own }) => (own === undefined ? "only done to a node that chaos has started" : undefined),
};

const missingNeed = ({ needs }: Scenario, victim: ServiceView, input: ChaosInput): string | undefined =>
  needs.map((need) => NEEDS[need](victim, input)).find((reason) => reason !== undefined);

const skipped = ({ name }: Scenario, victim: ServiceView, reason: string): ScenarioResult => ({
  scenario: name,
  victim: victim.name,
  clients: { answered: 0, refused: 0, cut: 0, truncated: 0, silent: 0 },
  lost: 0,
  failures: [],
  skipped: reason,
  story: [],
});
