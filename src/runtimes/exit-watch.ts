import type { ChildProcess } from "node:child_process";
import type { ProcessExit } from "../engines/engine.ts";
import { isSameProcess, isTaken } from "./process-identity.ts";

/** Milliseconds. A process that is no child of this one ends without a word, so somebody has to look. */
const LOOK = 250;
/** Looks at whether the number is taken between two at who has it; the latter costs ten times as much. */
const CHEAP_LOOKS = 7;
const UNKNOWN: ProcessExit = { code: null, signal: null };

/** Resolves with how a child ended. */
export const childExit = (child: ChildProcess): Promise<ProcessExit> =>
  new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));

/** The end of a process of an earlier Omni. */
export interface AdoptedExit {
  /** How it ended nobody tells but to its own parent: both null. */
  readonly ended: Promise<ProcessExit>;
  /** Lets this process end although that one has not. */
  unref(): void;
}

/**
 * Watches a process of an earlier Omni: its end is seen after 250 ms, and after 2 s where nobody reaps it or its number
 * was given to another at once. Without /proc the latter two are not seen.
 */
export function adoptedExit(pid: number, identity: string): AdoptedExit {
  const { promise: ended, resolve } = Promise.withResolvers<ProcessExit>();
  let looks = 0;
  const timer = setInterval(() => {
    const there = looks++ % (CHEAP_LOOKS + 1) === 0 ? isSameProcess(pid, identity) : isTaken(pid);
    if (there) return;
    clearInterval(timer);
    resolve(UNKNOWN);
  }, LOOK);
  return { ended, unref: () => void timer.unref() };
}
