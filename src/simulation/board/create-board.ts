import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { siblingProgram } from "../../core/sibling-program.ts";
import type { Board } from "./board.ts";
import type { BoardCard } from "./board-card.ts";
import { writeWhole } from "./board-folder.ts";
import { compileCache } from "../compile-cache.ts";
import { openBoard } from "./open-board.ts";

const NVIDIA_SMI = fileURLToPath(siblingProgram(import.meta.url, "../nvidia-smi/main"));

export interface BoardOptions {
  readonly folder: string;
  readonly cards: readonly BoardCard[];
  /** Main memory that engines may hold, bytes; unbounded when absent. */
  readonly hostMemory?: number;
  /** Milliseconds until the memory of a process that ended is free, as drivers need some; 0 when absent. */
  readonly releaseDelay?: number;
}

/** Makes a board in a folder, which is created; what an earlier board left there is removed. */
export function createBoard({ folder, cards, hostMemory, releaseDelay = 0 }: BoardOptions): Board {
  mkdirSync(folder, { recursive: true });
  for (const left of ["holders", "thefts", "cards", "faults", "lock"])
    rmSync(join(folder, left), { recursive: true, force: true });
  writeWhole(join(folder, "board.json"), JSON.stringify({ cards, hostMemory, releaseDelay }));
  writeFileSync(join(folder, "kmsg"), "");
  const program = join(folder, "nvidia-smi");
  const variables = Object.entries(compileCache()).map(([name, value]) => `${name}=${quoted(value)} `);
  const words = [process.execPath, NVIDIA_SMI, folder].map(quoted);
  writeFileSync(program, `#!/bin/sh\n${variables.join("")}exec ${words.join(" ")} "$@"\n`);
  chmodSync(program, 0o755);
  return openBoard(folder);
}

/** A word of the shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
