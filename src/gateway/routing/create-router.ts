import type { EventLog } from "../../core/index.ts";
import { formatDuration } from "../../core/index.ts";
import type { Caller } from "../../keys/caller.ts";
import type { Backends, ServiceView } from "../../supervisor/backends.ts";
import type { Ask } from "../ask.ts";
import type { Target } from "../targets.ts";
import type { Arrangement } from "./arrange.ts";
import { arrange } from "./arrange.ts";
import type { Surroundings } from "./ask-question.ts";
import { AskQuestion } from "./ask-question.ts";
import type { EjectionPolicy } from "./ejection.ts";
import { EJECTION } from "./ejection.ts";
import { Ejections } from "./ejections.ts";
import type { Eligible, Judgement } from "./judge.ts";
import { judge, SMALL_ANSWER } from "./judge.ts";
import type { Contender, Lineup } from "./lineup.ts";
import { lineUp, seedOf } from "./lineup.ts";
import { LiveLoad } from "./live-load.ts";
import type { PrefixMarks } from "./prefix-marks.ts";
import { prefixMarks } from "./prefix-marks.ts";
import { PrefixMemory } from "./prefix-memory.ts";
import { Prepared } from "./prepared.ts";
import { answerLimit, countedBounds, readBounds, roughBounds } from "./prompt-size.ts";
import { promptText } from "./prompt-text.ts";
import type { Choice, Router, Skipped, TryOutcome } from "./router.ts";
import { sessionKey } from "./session-key.ts";
import { SteadyChoice } from "./steady-choice.ts";
import type { TokenBounds } from "./token-bounds.ts";

export interface RouterOptions {
  readonly backends: Backends;
  /** Where it is told that a service is set aside and let in again. */
  readonly events?: Pick<EventLog, "record">;
  /** Tokens of a text by the tokenizer of a service; `undefined` where it cannot tell now. Never rejects. */
  readonly countTokens?: (service: string, text: string) => Promise<number | undefined>;
  readonly ejection?: Partial<EjectionPolicy>;
  /** For how many ms the node's view of its services is used before it is asked for again. */
  readonly viewAge?: number;
  /** Milliseconds of a clock that only grows. */
  readonly clock?: () => number;
  /** Milliseconds since the epoch, for hours of the day. */
  readonly now?: () => number;
}

const VIEW_AGE = 50;
/** Tokens of an answer that are expected of a request that does not say less. */
const USUAL_ANSWER = 512;
/** Services of a route whose tokenizer is asked, one after another. */
const MOST_COUNTERS = 2;

/**
 * A router over the services of a node. What it decides follows from the request, the node's view and its own counters; it
 * holds no timer and no socket, and what it remembers is bounded.
 */
export const createRouter = (options: RouterOptions): Router => new NodeRouter(options);

class NodeRouter implements Router {
  readonly #options: RouterOptions;
  readonly #clock: () => number;
  readonly #ejections: Ejections;
  readonly #load = new LiveLoad();
  readonly #memory = new PrefixMemory();
  readonly #surroundings: Surroundings;
  readonly #prepared = new WeakMap<Target, Prepared>();
  /** Turns under `weighted`, by route and service. */
  readonly #owed = new Map<string, Map<string, number>>();
  /** Services that have replicas beside them. */
  readonly #shared = new Set<string>();
  #lastLineup: Lineup | undefined;
  #lastMarks: { readonly ask: Ask; readonly marks: PrefixMarks } | undefined;
  #lastSized: Ask | undefined;
  #lastSize: TokenBounds = { least: 0, most: 0, likely: 0 };
  #views = new Map<string, ServiceView>();
  #viewed = -Infinity;

  constructor(options: RouterOptions) {
    const { backends, now = Date.now } = options;
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    this.#ejections = new Ejections({ ...EJECTION, ...options.ejection }, options.events);
    this.#surroundings = {
      viewOf: (service) => this.#views.get(service),
      diversionOf: backends.diversion === undefined ? undefined : (service) => backends.diversion?.(service),
      minutes: () => minutesOfDay(new Date(now())),
    };
  }

  choose(target: Target, ask: Ask, caller: Caller): Choice | Promise<Choice> {
    const now = this.#clock();
    this.#look(now);
    const prepared = this.#prepare(target);
    const tokens = this.#roughBounds(ask);
    const question = new AskQuestion(ask, caller, tokens, this.#surroundings);
    const steady = prepared.steady(this.#views, question);
    if (steady !== undefined && tokens.most + (question.answer ?? SMALL_ANSWER) <= steady.window) {
      if (steady.services !== undefined && this.#ejections.none)
        return new SteadyChoice(steady.services, prepared.candidates, question);
      const judged = prepared.isConditional ? judge(prepared.candidates, question) : steady.judgement;
      return this.#choice(prepared, question, ask, judged, now, steady.lineup);
    }
    let judged = judge(prepared.candidates, question);
    if (isWorthReading(judged, question)) {
      question.tokens = readBounds(ask);
      judged = judge(prepared.candidates, question);
    }
    if (this.#options.countTokens !== undefined && isWorthCounting(judged)) {
      return this.#count(prepared, question, ask, judged);
    }
    return this.#choice(prepared, question, ask, judged, now);
  }

  began(service: string, ask: Ask): (outcome: TryOutcome, time: number) => void {
    const expected = Math.min(answerLimit(ask) ?? USUAL_ANSWER, USUAL_ANSWER);
    const left = this.#load.began(service, this.#roughBounds(ask).likely + expected);
    // Its body is not held for longer than it has to be.
    this.#lastSized = undefined;
    if (this.#shared.has(service)) {
      this.#memory.remember(this.#marksOf(ask), this.#modelSeed(service), service);
      this.#lastMarks = undefined;
    }
    let over = false;
    return (outcome) => {
      if (over) return;
      over = true;
      left();
      this.#ejections.ended(service, outcome, this.#clock(), this.#restarts(service));
    };
  }

  /** The node is asked for all its services at once, so not with every request. */
  #look(now: number): void {
    if (now - this.#viewed < (this.#options.viewAge ?? VIEW_AGE)) return;
    this.#viewed = now;
    this.#views = new Map(this.#options.backends.services().map((view) => [view.name, view]));
  }

  #prepare(target: Target): Prepared {
    let prepared = this.#prepared.get(target);
    if (prepared === undefined) this.#prepared.set(target, (prepared = new Prepared(target)));
    return prepared;
  }

  /** Asks a tokenizer, because what is known of the prompt's length leaves the choice open. */
  async #count(prepared: Prepared, question: AskQuestion, ask: Ask, judged: Judgement): Promise<Choice> {
    const prompt = promptText(ask);
    let counters = judged.eligible.filter(({ view }) => view?.state === "ready").slice(0, MOST_COUNTERS);
    if (prompt === undefined) counters = [];
    for (const { service, view } of counters) {
      const tokens = await this.#options.countTokens?.(service, prompt?.text ?? "");
      if (tokens === undefined) continue;
      question.counted = { model: view?.model ?? "", before: question.tokens };
      question.tokens = countedBounds(question.tokens, tokens, prompt?.share ?? 1);
      break;
    }
    const now = this.#clock();
    this.#look(now);
    return this.#choice(prepared, question, ask, judge(prepared.candidates, question), now);
  }

  #choice(
    prepared: Prepared,
    question: AskQuestion,
    ask: Ask,
    { eligible, skipped }: Judgement,
    now: number,
    lineup?: Lineup,
  ): Choice {
    const { tokens } = question;
    const left = this.#ejections.none ? eligible : this.#withoutEjected(eligible, now);
    const all = left.length === eligible.length;
    const ordered = this.#arrange(prepared, ask, left, all ? lineup : undefined);
    if (!this.#ejections.none) this.#noteProbe(ordered[0], now);
    const bounds = prepared.bounds(ordered);
    return {
      services: ordered.map(({ service }) => service),
      skipped: all ? skipped : [...skipped, ...this.#aside(eligible, left, now)],
      tokens,
      ...(bounds === undefined ? {} : { bounds }),
    };
  }

  #arrange(
    prepared: Prepared,
    ask: Ask,
    left: readonly Eligible[],
    lineup: Lineup | undefined,
  ): readonly Eligible[] {
    if (left.length < 2) return left;
    const { strategy, sticky } = prepared;
    const how: Arrangement = {
      strategy,
      sticky,
      owed: this.#owedOn(prepared.route),
      session: () => sessionKey(ask),
      marks: () => this.#marksOf(ask),
      had: (marks, model) => this.#memory.find(marks, seedOf(model)),
      running: this.#running,
      pressure: this.#pressure,
    };
    if (lineup !== undefined) return this.#ordered(lineup, how);
    const roomy = left.filter(({ tight }) => !tight);
    if (roomy.length === left.length || roomy.length === 0) return this.#ordered(prepared.lineup(left), how);
    return [...this.#ordered(lineUp(roomy, strategy), how), ...left.filter(({ tight }) => tight)];
  }

  #ordered(lineup: Lineup, how: Arrangement): readonly Contender[] {
    if (how.sticky !== "none" && this.#lastLineup !== lineup) this.#noteShared(lineup);
    return arrange(lineup, how);
  }

  /** Remembers who has replicas: of these it is kept where prompts went. */
  #noteShared(lineup: Lineup): void {
    this.#lastLineup = lineup;
    for (const { up, down } of lineup) {
      if (up.length + down.length < 2) continue;
      for (const { service } of up) this.#shared.add(service);
    }
  }

  readonly #running = ({ service, view }: Contender): number => this.#load.running(service, view);

  readonly #pressure = ({ service, view, weight }: Contender): number =>
    this.#load.pressure(service, view, weight);

  /** Without those that are set aside, unless nobody who is ready would be left. */
  #withoutEjected(eligible: readonly Eligible[], now: number): readonly Eligible[] {
    const left = eligible.filter(
      ({ service, view }) => this.#ejections.admits(service, now, view?.restarts ?? 0) !== "out",
    );
    return left.some(({ view }) => view === undefined || view.state === "ready") ? left : eligible;
  }

  #noteProbe(first: Eligible | undefined, now: number): void {
    if (first?.view?.state !== "ready") return;
    if (this.#ejections.admits(first.service, now, first.view.restarts) === "probe") {
      this.#ejections.probes(first.service, now);
    }
  }

  #aside(eligible: readonly Eligible[], left: readonly Eligible[], now: number): readonly Skipped[] {
    return eligible
      .filter((one) => !left.includes(one))
      .map(({ service }) => ({
        service,
        why: `its last tries broke; it is left out for another ${formatDuration(this.#ejections.left(service, now))}`,
        because: "ejected",
      }));
  }

  #owedOn(route: string): Map<string, number> {
    let owed = this.#owed.get(route);
    if (owed === undefined) this.#owed.set(route, (owed = new Map()));
    return owed;
  }

  /** Asked when a request is routed, and right after, when its try begins. */
  #roughBounds(ask: Ask): TokenBounds {
    if (this.#lastSized === ask) return this.#lastSize;
    this.#lastSized = ask;
    this.#lastSize = roughBounds(ask);
    return this.#lastSize;
  }

  /** A try mostly begins right after its choice: the marks of the last request are enough to remember. */
  #marksOf(ask: Ask): PrefixMarks {
    if (this.#lastMarks?.ask === ask) return this.#lastMarks.marks;
    const marks = prefixMarks(ask);
    this.#lastMarks = { ask, marks };
    return marks;
  }

  #modelSeed(service: string): number {
    return seedOf(this.#views.get(service)?.model ?? "");
  }

  #restarts(service: string): number {
    return this.#views.get(service)?.restarts ?? 0;
  }
}

/** Whether it pays to read the prompt: something depends on its length, or it may be too long for all. */
function isWorthReading(judged: Judgement, { tokens }: AskQuestion): boolean {
  if (judged.unsure === "nothing") return false;
  const longer = ({ view }: Eligible): boolean => tokens.likely > (view?.contextTokens ?? 0);
  return isWorthCounting(judged) || judged.eligible.every(longer);
}

/** Whether it makes a difference how long the prompt really is: where all windows are equal, the engine itself says no. */
function isWorthCounting({ unsure, eligible }: Judgement): boolean {
  if (unsure !== "fit") return unsure === "choice";
  const [first] = eligible;
  return eligible.some(({ view }) => view?.contextTokens !== first?.view?.contextTokens);
}

const minutesOfDay = (time: Date): number => time.getHours() * 60 + time.getMinutes();
