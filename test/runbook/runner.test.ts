import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OmniError } from "../../src/core/index.ts";
import {
  createRedactor,
  exitCodeOf,
  openJournal,
  readEntries,
  recall,
  runRunbook,
} from "../../src/runbook/index.ts";
import type { Exclusions, RunEvent, Runbook, RunbookRun, RunResult, Step } from "../../src/runbook/index.ts";
import { openRunbookBook, readRunbook } from "../../src/store/index.ts";
import { fileStep, ledgerLines, ledgerStep, toySource, toyStep } from "../fakes/toy-runbook.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-runner-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly result: RunResult;
  readonly events: readonly RunEvent[];
  /** `step outcome`, in the order of the runbook. */
  readonly outcomes: readonly string[];
}

const book = (steps: readonly Step[]) => (): Runbook => ({ name: "toy", steps, exclusions: new Map() });

/** Runs a runbook with a journal in a database of its own, as the command does. */
async function run(
  make: (exclusions: Exclusions) => Runbook,
  options: Partial<RunbookRun> & { readonly tokens?: readonly string[] } = {},
): Promise<Ran> {
  const store = openRunbookBook(folder);
  const memory = recall(store.runs("toy").map((one) => ({ run: one, entries: store.entries(one.id) })));
  const { id } = store.begin({ spec: "toy", pid: process.pid, by: "test", begun: Date.now() });
  const redactor = createRedactor();
  const events: RunEvent[] = [];
  try {
    const result = await runRunbook({
      ...toySource(make),
      journal: openJournal(store, id, redactor),
      redactor,
      memory,
      retryFallbacks: false,
      selection: { only: [] },
      signal: new AbortController().signal,
      tell: (event) => events.push(event),
      agreed: (_step, { token }) =>
        Promise.resolve(options.tokens?.includes(token) === true ? { by: "test", how: "option" } : undefined),
      ...options,
    });
    store.end(id, Date.now(), result.outcome);
    const outcomes = result.steps.map(({ id: step, outcome }) => `${step} ${outcome.kind}`);
    return { result, events, outcomes };
  } finally {
    store.close();
  }
}

const entries = (kind: string): readonly object[] =>
  readRunbook(folder, "toy")
    .flatMap((one) => readEntries(one.entries))
    .map(({ entry }) => entry)
    .filter((entry) => entry.kind === kind);

const failing = (id: string, message: string, step: Partial<Step> = {}): Step =>
  toyStep(id, {
    verify: () => Promise.resolve({ done: false, missing: "it never is" }),
    apply: () => Promise.reject(new Error(message)),
    ...step,
  });

describe("a run", () => {
  it("does what is missing, proves it, and finds it there the next time", async () => {
    const steps = [fileStep(folder, "a/1"), fileStep(folder, "b/2", { needs: ["a/1", "gone/9"] })];
    expect((await run(book(steps))).outcomes).toEqual(["a/1 done", "b/2 done"]);
    expect((await run(book(steps))).outcomes).toEqual(["a/1 there", "b/2 there"]);
    expect(readFileSync(join(folder, "b-2"), "utf8")).toBe("b/2");
  });

  it("shows drift of a step with the same inputs, and calls other inputs another step", async () => {
    const step = fileStep(folder, "a/1");
    await run(book([step]));
    rmSync(join(folder, "a-1"));
    const drifted = await run(book([step]));
    expect(drifted.events.map(({ kind }) => kind)).toContain("drift");
    expect(drifted.outcomes).toEqual(["a/1 done"]);
    expect(entries("drift")).toHaveLength(1);
    const changed = await run(book([fileStep(folder, "a/1", { inputs: { other: true } }, "text")]));
    expect(changed.events.map(({ kind }) => kind)).toContain("changed");
    expect(entries("drift")).toHaveLength(1);
  });

  it("lets what needs a failure alone, and does all else", async () => {
    const steps = [
      failing("a/1", "the fan stands still"),
      fileStep(folder, "b/2", { needs: ["a/1"] }),
      fileStep(folder, "c/3", { needs: ["b/2"] }),
      fileStep(folder, "d/4"),
    ];
    const { result, outcomes } = await run(book(steps));
    expect(outcomes).toEqual(["a/1 failed", "b/2 not-executed", "c/3 not-executed", "d/4 done"]);
    expect(result.steps[2]?.outcome).toMatchObject({ why: "a/1 failed" });
    expect(exitCodeOf(result)).toBe(1);
  });

  it("says that a step is not there when it did its work and verification denies", async () => {
    const step = toyStep("a/1", {
      verify: () => Promise.resolve({ done: false, missing: "no mount at /data" }),
      apply: () => Promise.resolve(),
    });
    const { result } = await run(book([step]));
    expect(result.steps[0]?.outcome).toMatchObject({ code: "runbook.not-there" });
    expect(result.steps[0]?.outcome).toMatchObject({ message: "Brings about a/1: no mount at /data" });
  });

  it("tries again what failed, and never what was refused or is wrong", async () => {
    const tried: string[] = [];
    const step = (id: string, error: Error): Step =>
      failing(id, "", {
        retries: { times: 2, delay: 1 },
        apply: () => {
          tried.push(id);
          return Promise.reject(error);
        },
      });
    const { result, outcomes } = await run(
      book([
        step("a/1", new OmniError("host.command-failed", "cut")),
        step("b/2", new OmniError("host.key-changed", "another key")),
        step("c/3", new OmniError("spec.conflict", "wrong")),
      ]),
    );
    expect(tried.toSorted()).toEqual(["a/1", "a/1", "a/1", "b/2", "c/3"]);
    expect(outcomes).toEqual(["a/1 failed", "b/2 refused", "c/3 failed"]);
    expect(exitCodeOf(result)).toBe(1);
  });

  it("ends a step that takes too long by its signal, and does not begin it twice at once", async () => {
    let atWork = 0;
    const slow = failing("a/1", "", {
      timeout: 30,
      retries: { times: 1, delay: 1 },
      apply: async ({ signal }) => {
        expect(++atWork).toBe(1);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        atWork--;
        signal.throwIfAborted();
      },
    });
    const { result } = await run(book([slow]));
    expect(result.steps[0]?.outcome).toMatchObject({ code: "runbook.timeout" });
  });

  it("stops at an interruption: what is at work is cancelled, what waits is not begun", async () => {
    const interruption = new AbortController();
    const steps = [
      failing("a/1", "", {
        apply: async ({ signal }) => {
          interruption.abort(new OmniError("runbook.interrupted", "the run was interrupted"));
          signal.throwIfAborted();
          return Promise.resolve();
        },
      }),
      fileStep(folder, "b/2", { needs: ["a/1"] }),
    ];
    const { result, outcomes } = await run(book(steps), { signal: interruption.signal });
    expect(outcomes).toEqual(["a/1 cancelled", "b/2 not-executed"]);
    expect(result.outcome).toBe("interrupted");
    expect(exitCodeOf(result)).toBe(1);
    expect(entries("cancelled")).toMatchObject([{ step: "a/1", why: "the run was interrupted" }]);
  });
});

describe("order and selection", () => {
  it("names the circle, and the name that is meant", async () => {
    const steps = [fileStep(folder, "a/1"), fileStep(folder, "b/2", { needs: ["a/1"] })];
    const circle = run(book(steps), { order: [["b/2", "a/1"]] });
    await expect(circle).rejects.toMatchObject({ code: "runbook.order-cycle", exitCode: 2 });
    await expect(run(book(steps), { order: [["b/3", "a/1"]] })).rejects.toMatchObject({
      code: "runbook.unknown-step",
      hint: "Did you mean b/2?",
    });
    expect(existsSync(join(folder, "a-1"))).toBe(false);
  });

  it("keeps the order of runbook.order", async () => {
    const steps = [fileStep(folder, "a/1"), fileStep(folder, "b/2"), fileStep(folder, "c/3")];
    const { events } = await run(book(steps), { order: [["c/3", "b/2", "a/1"]] });
    const ended = events.filter(({ kind }) => kind === "ended").map(({ step }) => step);
    expect(ended).toEqual(["c/3", "b/2", "a/1"]);
  });

  it("only looks at what a chosen step needs", async () => {
    const steps = [
      fileStep(folder, "a/1"),
      fileStep(folder, "b/2", { needs: ["a/1"], phase: "image" }),
      fileStep(folder, "c/3"),
    ];
    const without = await run(book(steps), { selection: { only: ["b/2"] } });
    expect(without.outcomes).toEqual(["a/1 skipped", "b/2 not-executed", "c/3 skipped"]);
    expect(exitCodeOf(without.result)).toBe(1);
    const first = await run(book(steps), { selection: { to: "metal", only: [] } });
    expect(first.outcomes).toEqual(["a/1 done", "b/2 skipped", "c/3 done"]);
    const then = await run(book(steps), { selection: { only: ["b/2"] } });
    expect(then.outcomes).toEqual(["a/1 there", "b/2 done", "c/3 skipped"]);
    expect(exitCodeOf(then.result)).toBe(0);
  });
});

describe("consent", () => {
  const disk = (): Step =>
    fileStep(folder, "disk/nvme", {
      consent: () => Promise.resolve({ token: "format:S7XX", text: "Formats the disk S7XX." }),
    });

  it("is needed for this very object, is kept with who gave it, and not asked for what is there", async () => {
    const missing = await run(book([disk(), fileStep(folder, "b/2", { needs: ["disk/nvme"] })]));
    expect(missing.outcomes).toEqual(["disk/nvme unconsented", "b/2 not-executed"]);
    expect(exitCodeOf(missing.result)).toBe(3);
    const other = await run(book([disk()]), { tokens: ["format:S7XY"] });
    expect(other.outcomes).toEqual(["disk/nvme unconsented"]);
    expect(existsSync(join(folder, "disk-nvme"))).toBe(false);
    const given = await run(book([disk()]), { tokens: ["format:S7XX"] });
    expect(given.outcomes).toEqual(["disk/nvme done"]);
    expect(entries("consent")).toMatchObject([{ token: "format:S7XX", by: "test", how: "option" }]);
    expect((await run(book([disk()]))).outcomes).toEqual(["disk/nvme there"]);
  });

  it("is asked for after the precheck alone", async () => {
    const step = {
      ...disk(),
      precheck: () => Promise.reject(new OmniError("host.key-changed", "other disk")),
    };
    const { outcomes } = await run(book([step]), { tokens: ["format:S7XX"] });
    expect(outcomes).toEqual(["disk/nvme refused"]);
    expect(entries("consent")).toEqual([]);
  });
});

describe("fallbacks", () => {
  const engines = (exclusions: Exclusions): Runbook => {
    const name = exclusions.has("kt") ? "llama" : "kt";
    const steps = [
      fileStep(folder, "a/1"),
      ...(name === "kt"
        ? [failing("engine/kt", "no compiler", { needs: ["a/1"], fallback: WITHOUT })]
        : [fileStep(folder, "engine/llama", { needs: ["a/1"] })]),
      fileStep(folder, "service/x", { needs: [`engine/${name}`] }),
    ];
    return { name: "toy", steps, exclusions };
  };
  const WITHOUT = { kind: "without-engine", engine: "kt", text: "llama.cpp instead" } as const;

  it("plans again without the engine, keeps what is done, and takes it at once the next time", async () => {
    const first = await run(engines);
    expect(first.outcomes).toEqual(["a/1 done", "engine/llama done", "service/x done", "engine/kt failed"]);
    expect(exitCodeOf(first.result)).toBe(0);
    expect(entries("fallback")).toMatchObject([{ carried: false, reason: "no compiler" }]);
    const second = await run(engines);
    expect(second.outcomes).toEqual(["a/1 there", "engine/llama there", "service/x there"]);
    expect(entries("fallback")).toHaveLength(2);
    const third = await run(engines, { retryFallbacks: true });
    expect(third.outcomes).toContain("engine/kt failed");
  });

  it("puts another step of the same id in the place of one that failed", async () => {
    const instead = fileStep(folder, "a/1");
    const steps = [
      failing("a/1", "no", { fallback: { kind: "step", text: "the other way", step: instead } }),
    ];
    const first = await run(book(steps));
    expect(first.outcomes).toEqual(["a/1 done"]);
    expect(entries("failed")).toHaveLength(1);
    expect((await run(book(steps))).outcomes).toEqual(["a/1 there"]);
    expect(entries("failed")).toHaveLength(1);
  });

  it("stops what is at work for the engine that is gone, and lets the rest go on", async () => {
    const stopped: string[] = [];
    const waits = toyStep("image/kt", {
      verify: () => Promise.resolve({ done: false, missing: "no image" }),
      apply: async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        stopped.push("image/kt");
        signal.throwIfAborted();
      },
    });
    const make = (exclusions: Exclusions): Runbook => {
      const { steps } = engines(exclusions);
      return { name: "toy", exclusions, steps: exclusions.has("kt") ? steps : [...steps, waits] };
    };
    const { outcomes, result } = await run(make);
    expect(stopped).toEqual(["image/kt"]);
    expect(outcomes).toContain("image/kt cancelled");
    expect(exitCodeOf(result)).toBe(0);
  });

  it("leaves the step failed where there is no plan without the engine", async () => {
    const { outcomes, events } = await run((exclusions) => {
      if (exclusions.size > 0) throw new OmniError("node.nothing-to-run", "no engine is left");
      return engines(exclusions);
    });
    expect(outcomes).toEqual(["a/1 done", "engine/kt failed", "service/x not-executed"]);
    expect(events).toContainEqual(expect.objectContaining({ kind: "note", step: "engine/kt" }));
  });
});

describe("effects", () => {
  it("asks whether an effect is there, and does not do it again", async () => {
    const step = ledgerStep(folder, "disk/format");
    await run(book([step]));
    rmSync(join(folder, "disk-format"));
    expect((await run(book([step]))).outcomes).toEqual(["disk/format done"]);
    expect(await ledgerLines(folder)).toEqual(["disk/format"]);
    expect(entries("effect-done")).toContainEqual(expect.objectContaining({ effect: "append", found: true }));
  });

  it("begins nothing that cannot be written down, and stops what is at work", async () => {
    const store = openRunbookBook(folder);
    store.close();
    let stopped = false;
    const steps = [
      toyStep("a/1", {
        verify: () => Promise.resolve({ done: false, missing: "no" }),
        apply: async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          stopped = true;
        },
      }),
      fileStep(folder, "b/2"),
    ];
    const journal = {
      write: ({ kind, ...entry }: { kind: string; step?: string }) => {
        if (kind === "effect-begun" && entry.step === "b/2")
          throw new OmniError("runbook.journal", "disk full");
      },
    };
    await expect(run(book(steps), { journal })).rejects.toMatchObject({ code: "runbook.journal" });
    expect(stopped).toBe(true);
    expect(existsSync(join(folder, "b-2"))).toBe(false);
  });
});

it("keeps no secret: not in commands, outputs, errors or notes", async () => {
  const secret = "s3cr3t-V4lue/+=x";
  writeFileSync(join(folder, "secret"), secret);
  const step = fileStep(folder, "a/1", {
    precheck: async (context) => {
      context.hide(secret);
      const host = await context.host();
      await context.run(host, {
        argv: ["sh", "-c", `cat ${folder}/secret >&2; echo --token ${secret}`],
        timeout: 5000,
      });
      await context.run(host, {
        argv: ["echo", "--token", "hunter2hunter2", "Authorization: Bearer abcdefgh12"],
        timeout: 5000,
      });
      context.note(`seen at https://user:pa55word@host/?token=${encodeURIComponent(secret)}`);
      throw new Error(`bad key ${secret}`);
    },
  });
  const { result } = await run(book([step]));
  const kept = ["", "-wal"]
    .map((end) => `omni.db${end}`)
    .filter((name) => existsSync(join(folder, name)))
    .map((name) => readFileSync(join(folder, name), "latin1"));
  const all = [...kept, JSON.stringify(result)].join("\n");
  for (const word of [secret, encodeURIComponent(secret), "hunter2hunter2", "abcdefgh12", "pa55word"])
    expect(all.includes(word), word).toBe(false);
  expect(all).toContain("bad key ***");
});
