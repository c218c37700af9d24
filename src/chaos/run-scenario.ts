import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../core/index.ts";
import type { NodeEvent } from "../core/index.ts";
import type { ClientAnswer, Outcome } from "./client-answer.ts";
import { startClients } from "./clients.ts";
import type { Clients } from "./clients.ts";
import type { NodeApi } from "./node-api.ts";
import { CannotStrike } from "./scenario.ts";
import type { Scenario, Stage } from "./scenario.ts";

/** Times of one run. Milliseconds. */
export interface ChaosTimes {
  /** Clients work so long before the strike. */
  readonly before: number;
  /** And so long after everything is well again. */
  readonly after: number;
  /** Longest wait for recovery. */
  readonly patience: number;
  /** How long a fault that does not end by itself lasts after it was detected. */
  readonly holds: number;
}

/** What came of one scenario. Milliseconds from the strike; absent for what did not happen. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly victim: string;
  readonly detected?: number;
  /** First answer to a request that began after the strike. */
  readonly routedAround?: number;
  readonly recovered?: number;
  readonly clients: Readonly<Record<Outcome, number>>;
  /** Requests that had not begun to be answered and never were. */
  readonly lost: number;
  /** Why it does not count as passed, or why it was not run. */
  readonly failures: readonly string[];
  readonly skipped?: string;
  /** Events that tell the story, each with its time from the strike. */
  readonly story: readonly { readonly at: number; readonly kind: string; readonly message: string }[];
}

const LOOK_EVERY = 50;
const STORY = 40;

interface Seen {
  readonly event: NodeEvent;
  readonly at: number;
}

export interface Load {
  readonly model: string;
  readonly clients: number;
  readonly tokens: number;
}

/**
 * Strikes once under load and watches until all is well again. What goes wrong on the way is a failure of the node, but for
 * what cannot be done here. Rejects when the node is not reached to begin with, and when `signal` aborts; the fault is undone
 * and the clients have ended by then.
 */
export async function runScenario(
  scenario: Scenario,
  stageOf: () => Promise<Stage>,
  load: Load,
  times: ChaosTimes,
  signal?: AbortSignal,
): Promise<ScenarioResult> {
  const first = await stageOf();
  const { node } = first;
  const run: Run = { events: [], struck: performance.now(), baseline: await node.lastEvent() };
  run.unfollow = await node.follow((event, at) => run.events.push({ event, at }));
  const clients = startClients({ node, ...load, count: load.clients, patience: times.patience });
  try {
    return await strikeAndWatch(scenario, stageOf, clients, { times, run, signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof CannotStrike) return { ...emptyResult(scenario, first), skipped: error.message };
    return resultOf(scenario, first, { ...run, answers: clients.answers, failures: [messageOf(error)] });
  } finally {
    await undone(run);
    await clients.stop(signal?.aborted === true);
    run.unfollow();
  }
}

/** One run as far as it has come. */
interface Run {
  readonly events: Seen[];
  /** Number of the last event before it. */
  readonly baseline: number;
  struck: number;
  unfollow?: () => void;
  undo?: (() => Promise<void> | void) | undefined;
}

async function strikeAndWatch(
  scenario: Scenario,
  stageOf: () => Promise<Stage>,
  clients: Clients,
  {
    times,
    run,
    signal,
  }: { readonly times: ChaosTimes; readonly run: Run; readonly signal: AbortSignal | undefined },
): Promise<ScenarioResult> {
  const { events } = run;
  await sleep(times.before, undefined, { signal });
  const stage = await stageOf();
  run.struck = performance.now();
  run.undo = await scenario.strike(stage);
  // A node that was started again has a new stream of events.
  run.unfollow?.();
  run.unfollow = await stage.node.follow((event, at) => events.push({ event, at }));
  await catchUp(stage.node, events, run.baseline);
  const detection = (): Seen | undefined => detectionOf(scenario, stage, events, run.struck);
  if (scenario.detectedBy?.length !== 0) await until(() => detection() !== undefined, times.patience, signal);
  if (run.undo !== undefined) await sleep(times.holds, undefined, { signal });
  await undone(run);
  const course = { events, struck: run.struck, times, answers: clients.answers, signal };
  const recovered = await recoveryOf(scenario, stage, course);
  await sleep(times.after, undefined, { signal });
  await clients.stop();
  return resultOf(scenario, stage, {
    ...run,
    answers: clients.answers,
    detected: detection()?.at,
    recovered,
    failures: [],
  });
}

/** Takes the fault back, once; what cannot be taken back must not hide what happened. */
async function undone(run: Run): Promise<void> {
  const { undo } = run;
  run.undo = undefined;
  try {
    await undo?.();
  } catch {
    // The node or its card is gone: there is nothing to give back.
  }
}

/** Adds the events that were recorded while nobody followed, as if they had come now. */
async function catchUp(node: NodeApi, seen: Seen[], baseline: number): Promise<void> {
  const at = performance.now();
  for (const event of await node.since(seen.at(-1)?.event.seq ?? baseline))
    if (!seen.some((one) => one.event.seq === event.seq)) seen.push({ event, at });
}

const detectionOf = (
  { detectedBy }: Scenario,
  { victim }: Stage,
  events: readonly Seen[],
  struck: number,
): Seen | undefined =>
  events.find(
    ({ event, at }) =>
      at >= struck &&
      (detectedBy === undefined
        ? event.service === victim.name && event.severity !== "info"
        : detectedBy.includes(event.kind)),
  );

interface Course {
  readonly events: readonly Seen[];
  readonly struck: number;
  readonly times: ChaosTimes;
  readonly answers: readonly ClientAnswer[];
  readonly signal: AbortSignal | undefined;
}

/** When all was well again, or `undefined` when that did not come in time. */
async function recoveryOf(
  { ends = "restart" }: Scenario,
  { node, victim }: Stage,
  { events, struck, times, answers, signal }: Course,
): Promise<number | undefined> {
  const asBefore = async (): Promise<boolean> => {
    const { services } = await node.state().catch(() => ({ services: [] }));
    const now = services.find(({ name }) => name === victim.name);
    return now?.state === "ready" && (now.ladder?.rung ?? 0) === (victim.ladder?.rung ?? 0);
  };
  const readyAgain = (): number | undefined =>
    events.find(
      ({ event, at }) => at >= struck && event.service === victim.name && event.kind === "service.ready",
    )?.at;
  let at: number | undefined;
  const done = await until(
    async () => {
      if (ends === "restart" && readyAgain() === undefined) return false;
      if (!(await asBefore())) return false;
      at ??= ends === "restart" ? readyAgain() : performance.now();
      return answers.some(({ began, outcome }) => began >= struck && outcome === "answered");
    },
    times.patience,
    signal,
  );
  return done ? at : undefined;
}

/** Whether it came to hold within `patience` ms. Rejects when `signal` aborts. */
async function until(
  condition: () => boolean | Promise<boolean>,
  patience: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const end = performance.now() + patience;
  while (performance.now() < end) {
    if (await condition()) return true;
    await sleep(LOOK_EVERY, undefined, { signal });
  }
  return false;
}

interface Outcomes {
  readonly struck: number;
  readonly events: readonly Seen[];
  readonly answers: readonly ClientAnswer[];
  readonly detected?: number | undefined;
  readonly recovered?: number | undefined;
  readonly failures: readonly string[];
}

function resultOf(scenario: Scenario, { victim }: Stage, course: Outcomes): ScenarioResult {
  const { struck, answers, detected, recovered } = course;
  const touched = answers.filter(({ ended }) => ended >= struck);
  const routed = touched
    .filter(({ began, outcome }) => began >= struck && outcome === "answered")
    .reduce((least, { ended }) => Math.min(least, ended), Number.POSITIVE_INFINITY);
  const counts = countsOf(touched);
  const lost = counts.refused + counts.silent;
  const failures = [
    ...course.failures,
    ...(detected === undefined && scenario.detectedBy?.length !== 0 ? ["it was not noticed"] : []),
    ...(recovered === undefined ? ["it did not recover in time"] : []),
    ...(counts.truncated > 0 ? [`${counts.truncated} answers ended as if they were whole`] : []),
    ...(lost > 0 && scenario.omniDies !== true
      ? [`${lost} requests were never answered: ${detailOf(touched)}`]
      : []),
  ];
  return {
    scenario: scenario.name,
    victim: victim.name,
    ...(detected === undefined ? {} : { detected: detected - struck }),
    ...(Number.isFinite(routed) ? { routedAround: routed - struck } : {}),
    ...(recovered === undefined ? {} : { recovered: recovered - struck }),
    clients: counts,
    lost,
    failures,
    story: course.events
      .filter(({ at }) => at >= struck)
      .slice(0, STORY)
      .map(({ event, at }) => ({ at: at - struck, kind: event.kind, message: event.message })),
  };
}

const detailOf = (answers: readonly ClientAnswer[]): string =>
  answers.find(({ outcome }) => outcome === "refused" || outcome === "silent")?.detail ?? "no answer in time";

function countsOf(answers: readonly ClientAnswer[]): Record<Outcome, number> {
  const counts = { answered: 0, refused: 0, cut: 0, truncated: 0, silent: 0 };
  for (const { outcome } of answers) counts[outcome] += 1;
  return counts;
}

const emptyResult = (scenario: Scenario, { victim }: Stage): ScenarioResult => ({
  scenario: scenario.name,
  victim: victim.name,
  clients: countsOf([]),
  lost: 0,
  failures: [],
  story: [],
});
