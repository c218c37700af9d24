import { z } from "zod";
import { count, duration, instant, listOf, text } from "./shapes.ts";

/** One run of the runbook, without its steps. */
export const run = z
  .object({
    id: count,
    spec: text,
    begun: instant,
    by: text,
    /** Absent while it is at work, and for good where its process was killed. */
    ended: instant.exactOptional(),
    outcome: text.exactOptional(),
    /** A living process holds the lock of this spec, and this is its newest run. */
    active: z.boolean(),
  })
  .meta({ id: "Run" });

const command = z.object({
  host: text,
  argv: listOf(text),
  /** Exit status, or why there is none; absent while it runs. */
  ended: z.union([count, text]).exactOptional(),
  stdout: text,
  stderr: text,
  duration: duration.exactOptional(),
  time: instant,
});

/** One step of a run, with what proves it. */
const step = z
  .object({
    id: text,
    phase: text,
    title: text,
    /** Path of the spec that asks for it. */
    asked: text,
    /** `never begun`, `at work`, `there`, `done`, `failed`, `refused`, `waits for consent`, `not executed`, `cancelled`, `left out`. */
    state: text,
    evidence: listOf(text),
    when: instant.exactOptional(),
    duration: duration.exactOptional(),
    commands: listOf(command),
    /** What a fallback put in its place, with why; drift that was found. */
    notes: listOf(text),
  })
  .meta({ id: "Step" });

export const runs = z.object({ runs: listOf(run) });
export const runDetail = z
  .object({ run, steps: listOf(step), notes: listOf(text), lastSeq: count })
  .meta({ id: "RunDetail" });
/** The definition of done as Markdown. */
export const runReport = z.object({ markdown: text });
