import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** A process number comes again; nobody writes a file for so long, ms. */
const OLD = 86_400_000;
/** Between a record and its data lies one rename; so long after nobody is at it any more, ms. */
const SETTLED = 600_000;

/** Deletes what a killed process left: half files (`NAME.part-PID`), data without a record, records without data. */
export async function sweepFolder(folder: string): Promise<void> {
  const names = new Set(await readdir(folder));
  for (const name of names) {
    const path = join(folder, name);
    const part = /\.part-(\d+)$/.exec(name);
    const twin = name.endsWith(".json") ? name.replace(/json$/, "data") : name.replace(/data$/, "json");
    const alone = part === null && twin !== name && !names.has(twin) && (await age(path)) > SETTLED;
    const left = part !== null && (!alive(Number(part[1])) || (await age(path)) > OLD);
    if (alone || left) await rm(path, { force: true });
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
