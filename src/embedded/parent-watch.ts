import { fstatSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { siblingProgram } from "../core/index.ts";

/**
 * Ends this process as soon as its parent is gone. The parent holds the other end of stdin; however it ends, the
 * kernel closes that end. The watch runs in a thread with an event loop of its own, because the main thread may
 * be inside native code for minutes. A stdin that is no pipe (a terminal, a file) is not watched.
 */
export function watchParent(): void {
  if (!stdinIsPipe()) return;
  const worker = new Worker(siblingProgram(import.meta.url, "./parent-watch-thread"), {
    // Flags of the main thread are none of its business, and some would stop it.
    execArgv: [],
  });
  worker.unref();
}

function stdinIsPipe(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
