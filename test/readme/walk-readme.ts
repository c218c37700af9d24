import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../e2e/run-node.ts";
import type { ReadmeBlock } from "./readme-blocks.ts";
import { keepTerminal, openShell } from "./terminal.ts";
import type { KeptTerminal, Place } from "./terminal.ts";

/** What came of one block. */
export interface Walked extends ReadmeBlock {
  readonly printed: string;
  /** Milliseconds. */
  readonly took: number;
}

/** A node is up: its URL, and one of its services ready. */
const READY = /omni \S+ {2}http:\/\/127\.0\.0\.1:4664[\s\S]*\bready\b/;

/**
 * Types the blocks one after another, those that stay into a terminal of their own, which the next such block takes over by
 * Ctrl-C. `then` is called while everything still runs, and may type more. Rejects with what a block printed when it failed.
 */
export async function walk(
  place: Place,
  blocks: readonly ReadmeBlock[],
  then: (walked: readonly Walked[], type: (commands: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const shell = openShell(place);
  const walked: Walked[] = [];
  let kept: KeptTerminal | undefined;
  try {
    for (const block of blocks) {
      const began = performance.now();
      let printed: string;
      if (block.stays) {
        await kept?.interrupt();
        kept = keepTerminal(place, block.commands);
        await kept.until(READY);
        printed = kept.printed();
      } else printed = await shell.type(block.commands);
      walked.push({ ...block, printed, took: performance.now() - began });
    }
    await then(walked, (commands) => shell.type(commands));
  } finally {
    await kept?.interrupt();
    await shell.close();
  }
}

/** This tree as a clone would have it, uncommitted changes included, with what `npm ci` brings taken from here. */
export function clonedTree(folder: string): void {
  const listed = execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard"], {
    cwd: ROOT,
    maxBuffer: 64e6,
  });
  for (const path of listed
    .toString()
    .split("\0")
    .filter((name) => name !== "" && !name.startsWith("test/"))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path));
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}
