import type { Played } from "./engines.ts";
import { ScriptedEngines } from "./engines.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import type { NodeState } from "./fuzzed-gateway.ts";
import { FuzzedGateway } from "./fuzzed-gateway.ts";
import { KEYS } from "./fuzzed-node.ts";
import { judge } from "./judge.ts";
import { makeCase } from "./make-case.ts";
import { playClient } from "./raw-client.ts";
import { batchLine } from "./request-bodies.ts";

/** What was wrong, and with which cases: one, or those that were under way. */
export interface Finding {
  readonly what: string;
  readonly suspects: readonly FuzzCase[];
}

interface CampaignOptions {
  readonly seed: number;
  /** Cases that are under way at the same time. */
  readonly width: number;
  /** Cases between two looks at what is left over. */
  readonly block: number;
}

/** Findings of one kind differ in names and numbers. */
export const kindOf = (what: string): string => what.replaceAll(/\d+/g, "0").slice(0, 40);

const SETTLE_TIME = 15_000;

/** A gateway and its engines, on which cases are played. */
export class Campaign {
  readonly answers = new Map<number, number>();
  readonly #options: CampaignOptions;
  readonly #engines: ScriptedEngines;
  readonly #gateway: FuzzedGateway;
  readonly #file: string;
  #faultsSeen = 0;

  private constructor(
    options: CampaignOptions,
    engines: ScriptedEngines,
    gateway: FuzzedGateway,
    file: string,
  ) {
    this.#options = options;
    this.#engines = engines;
    this.#gateway = gateway;
    this.#file = file;
  }

  static async open(options: CampaignOptions): Promise<Campaign> {
    const engines = new ScriptedEngines(options.seed);
    await engines.open();
    try {
      const gateway = await FuzzedGateway.open(engines.ports);
      return new Campaign(options, engines, gateway, await uploaded(gateway.port));
    } catch (thrown) {
      engines.close();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.#gateway.close();
    this.#engines.close();
  }

  /** Plays cases from `from` up to `to`, and looks what they left behind; the findings are one of each kind. */
  async block(from: number, to: number): Promise<readonly Finding[]> {
    const under = new Set<FuzzCase>();
    const found = new Map<string, Finding>();
    const note = (what: string | undefined, suspects: readonly FuzzCase[]): void => {
      if (what !== undefined && !found.has(kindOf(what))) found.set(kindOf(what), { what, suspects });
    };
    let next = from;
    let faults = 0;
    const worker = async (): Promise<void> => {
      while (faults === 0 && next < to) {
        const fuzzed = makeCase(this.#options.seed, next++);
        under.add(fuzzed);
        const { wrong, filled } = await this.play(fuzzed);
        const fault = this.#newFault();
        if (fault !== undefined) faults++;
        note(fault, [...under]);
        // A gateway that is gone answers nothing more; that is no news.
        if (faults === 0) note(wrong, [filled]);
        under.delete(fuzzed);
      }
    };
    await Promise.all(Array.from({ length: this.#options.width }, worker));
    if (faults === 0) {
      const all = Array.from({ length: to - from }, (_, i) => makeCase(this.#options.seed, from + i));
      note(await this.leftOver(), all);
    }
    return [...found.values()];
  }

  /** One case; `filled` is it with all that engines did. */
  async play(fuzzed: FuzzCase): Promise<{ readonly wrong: string | undefined; readonly filled: FuzzCase }> {
    const played = this.#engines.begin(fuzzed);
    const seen = await playClient(this.#gateway.port, fuzzed, (text) =>
      text.replaceAll("{file}", this.#file),
    );
    const done = played();
    for (const { status } of seen.answers) this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
    const wrong = judge(fuzzed, seen, done);
    return { wrong, filled: wrong === undefined ? fuzzed : withScripts(fuzzed, done) };
  }

  /** What is still held once nobody asks, or was written that must not be; `undefined` when all is well. */
  async leftOver(): Promise<string | undefined> {
    this.#engines.hangUp();
    const end = Date.now() + SETTLE_TIME;
    for (;;) {
      const { left } = await this.state();
      const held = Object.entries(left).filter(([, count]) => count !== 0);
      if (held.length === 0) break;
      if (Date.now() > end) return `left over: ${held.map(([name, count]) => `${count} ${name}`).join(", ")}`;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const leaked = this.#gateway.leakedToLog();
    return leaked === undefined ? this.#newFault() : `the access log holds the secret ${leaked}`;
  }

  state(): Promise<NodeState> {
    return this.#gateway.state();
  }

  #newFault(): string | undefined {
    const fault = this.#gateway.faults[this.#faultsSeen];
    this.#faultsSeen = this.#gateway.faults.length;
    return fault;
  }
}

const withScripts = (fuzzed: FuzzCase, played: readonly Played[]): FuzzCase => ({
  ...fuzzed,
  scripts: { ...fuzzed.scripts, ...Object.fromEntries(played.map(({ key, script }) => [key, script])) },
});

/** The name of a file that cases may use. */
async function uploaded(port: number): Promise<string> {
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob([batchLine]), "in.jsonl");
  const answer = await fetch(`http://127.0.0.1:${port}/v1/files`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEYS[0]}` },
    body: form,
  });
  const file: unknown = await answer.json();
  if (typeof file !== "object" || file === null || !("id" in file))
    throw new Error(`no file: ${answer.status}`);
  return String(file.id);
}
