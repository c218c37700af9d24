import type { ChildProcess } from "node:child_process";
import type { ProcessExit } from "../engines/engine.ts";
import { isSameProcess } from "./process-identity.ts";

/** Milliseconds. A process that is no child of this one ends without a word, so somebody has to look. */
const LOOK = 250;
const UNKNOWN: ProcessExit = { code: null, signal: null };

/** Resolves with how a child ended. */
export const childExit = (child: ChildProcess): Promise<ProcessExit> =>
  new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));

/**
 * Resolves at most 250 ms after a process of an earlier Omni has ended; how, its own parent alone is told. Without /proc
 * another process that got the same number within that time passes for it.
 */
export function adoptedExit(pid: number, identity: string): Promise<ProcessExit> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isSameProcess(pid, identity)) return;
      clearInterval(timer);
      resolve(UNKNOWN);
    }, LOOK).unref();
  });
}
