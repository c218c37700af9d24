import { messageOf } from "../../core/index.ts";
import { CHECK_GROUPS } from "./check.ts";
import type { Check, DoctorSubject, Finding, FindingState } from "./check.ts";

export interface DoctorOptions {
  /** Groups and ids of checks; all when empty. */
  readonly only?: readonly string[];
  /** Checks that look at the same time. */
  readonly parallel?: number;
  /** Milliseconds for one check. */
  readonly timeout?: number;
}

/** What all checks of one host came to. */
export interface DoctorReport {
  readonly host: string;
  /** In the order of the groups, then of the checks. */
  readonly findings: readonly Finding[];
  /** Checks that looked, those that had nothing to say included. */
  readonly checks: number;
  /** `wrong` with an error, `attention` with a warning or what could not be seen. */
  readonly verdict: "fine" | "attention" | "wrong";
}

const PARALLEL = 6;
/** A card that has fallen off makes nvidia-smi hang for as long as it is let. */
const TIMEOUT = 45_000;

/** Asks every check about a subject. Throws nothing: a check that fails or hangs is an `unknown` of its own. */
export async function runDoctor(
  subject: DoctorSubject,
  checks: readonly Check[],
  { only = [], parallel = PARALLEL, timeout = TIMEOUT }: DoctorOptions = {},
): Promise<DoctorReport> {
  const asked = inOrder(checks).filter((check) => only.length === 0 || isNamed(check, only));
  const found: (readonly Finding[])[] = asked.map(() => []);
  const waiting = asked.entries();
  const work = async (): Promise<void> => {
    for (const [index, check] of waiting) found[index] = await lookBounded(check, subject, timeout);
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const findings = found.flat();
  return { host: subject.view.name, findings, checks: asked.length, verdict: verdictOf(findings) };
}

/** Whether a check, or its group, is among the names. */
export const isNamed = ({ id }: Check, names: readonly string[]): boolean =>
  names.some((name) => id === name || id.startsWith(`${name}.`));

const groupOf = ({ id }: Check): number => CHECK_GROUPS.findIndex((group) => id.startsWith(`${group}.`));

const inOrder = (checks: readonly Check[]): readonly Check[] =>
  checks.toSorted((a, b) => groupOf(a) - groupOf(b));

function verdictOf(findings: readonly Finding[]): DoctorReport["verdict"] {
  const has = (...states: readonly FindingState[]): boolean =>
    findings.some(({ state }) => states.includes(state));
  return has("error") ? "wrong" : has("warning", "unknown") ? "attention" : "fine";
}

async function lookBounded(
  check: Check,
  subject: DoctorSubject,
  timeout: number,
): Promise<readonly Finding[]> {
  const limit = Promise.withResolvers<readonly Finding[]>();
  const timer = setTimeout(
    () => limit.resolve([unseen(check, `it did not come to an end within ${timeout / 1000} s`)]),
    timeout,
  );
  try {
    return await Promise.race([Promise.resolve(check.look(subject)), limit.promise]);
  } catch (thrown) {
    return [unseen(check, messageOf(thrown))];
  } finally {
    clearTimeout(timer);
  }
}

const unseen = (check: Check, message: string): Finding => ({
  check: check.id,
  state: "unknown",
  seen: `${check.title} could not be looked at: ${message}`,
});
