import { open } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";

import { messageOf } from "../../core/index.ts";
import type { EngineLog } from "../../supervisor/index.ts";
import { createRedactor } from "../../runbook/journal/redactor.ts";
import type { Answer } from "../contract/index.ts";

type ServiceLog = Answer<"GET /api/services/{name}/log">;

/** Bytes of a log's end that are read. */
const TAIL = 512 * 1024;

/** The newest `count` lines that an engine wrote, secrets taken out: those of `secrets`, and what looks like one. */
export async function serviceLog(
  log: EngineLog | undefined,
  count: number,
  secrets: () => Promise<readonly string[]>,
): Promise<ServiceLog> {
  if (log === undefined)
    return missing("Its engine has not been started since this node began, so that there is no log of it.");
  if (log.runtime === "remote")
    return missing("Its engine runs elsewhere: Omni asks its API and does not see what it writes.");
  const redactor = createRedactor();
  for (const secret of await secrets()) redactor.hide(secret);
  try {
    const written = log.file === undefined ? log.lines : await lastLines(log.file);
    const lines = written.slice(-count).map((line) => redactor.text(stripVTControlCharacters(line)));
    return { lines, available: true };
  } catch (thrown) {
    return missing(`Its log cannot be read: ${messageOf(thrown)}.`);
  }
}

const missing = (why: string): ServiceLog => ({ lines: [], available: false, why });

/** Whole lines of a file's end. Rejects where it cannot be read. */
async function lastLines(path: string): Promise<readonly string[]> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - TAIL);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    // What was begun before, and what comes after the last end of a line.
    if (from > 0) lines.shift();
    if (lines.at(-1) === "") lines.pop();
    return lines;
  } finally {
    await file.close();
  }
}
