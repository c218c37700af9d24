import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** A process number comes again; nobody writes a file for so long, ms. */
const OLD = 86_400_000;
/** Between a record and its data lies one rename; so long after nobody is at it any more, ms. */
const SETTLED = 600_000;

/** Deletes half files that a killed process left (`NAME.part-PID`). */
export async function sweepParts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const part = /\.part-(\d+)$/.exec(name);
    if (part !== null && (!alive(Number(part[1])) || (await age(join(folder, name))) > OLD))
      await rm(join(folder, name), { force: true });
  }
}

/** Deletes data without a record and records without data (`ID.data`, `ID.json`), which a kill between the two leaves. */
export async function sweepSingles(folder: string): Promise<void> {
  const names = new Set(await readdir(folder));
  for (const name of names) {
    const twin = name.endsWith(".json") ? name.replace(/json$/, "data") : name.replace(/data$/, "json");
    if (twin !== name && !names.has(twin) && (await age(join(folder, name))) > SETTLED)
      await rm(join(folder, name), { force: true });
  }
}

/** Milliseconds since it was last written; none for what is gone. */
const age = async (path: string): Promise<number> =>
  Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;

function alive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
