import { posix } from "node:path";
import { messageOf } from "../../core/index.ts";
import type { HostTransport } from "../transport/index.ts";
import type { Finding, Fix, FixChange } from "./check.ts";

/** A fix with the finding that asks for it. */
export interface OfferedFix {
  readonly finding: Finding;
  readonly fix: Fix;
}

/** What became of one change. */
export interface DoneChange {
  readonly change: FixChange;
  readonly done: boolean;
  /** `written, the old one is /etc/modules.omni-backup-1`; the program's own words where it failed. */
  readonly message: string;
}

/** What became of a fix; the changes after a failed one are not tried. */
export interface DoneFix extends OfferedFix {
  readonly changes: readonly DoneChange[];
  readonly done: boolean;
}

/** The fixes that findings offer, each once however many findings ask for it. */
export function offeredFixes(findings: readonly Finding[]): readonly OfferedFix[] {
  const seen = new Set<string>();
  return findings.flatMap((finding) => {
    const { fix, state } = finding;
    if (fix === undefined || state === "ok") return [];
    const key = JSON.stringify(fix.changes);
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ finding, fix }];
  });
}

/** The file at a path as it is now, for a comparison with what would be written; nothing where there is none. */
export async function currentText(transport: HostTransport, path: string): Promise<string | undefined> {
  const bytes = await transport.readFile(path);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** Makes the changes of each fix in order. Throws `OmniError` `host.*` where the host is lost; all else is in the result. */
export async function applyFixes(
  transport: HostTransport,
  offered: readonly OfferedFix[],
  onDone: (done: DoneFix) => void = () => {},
): Promise<readonly DoneFix[]> {
  const all: DoneFix[] = [];
  for (const one of offered) {
    const changes: DoneChange[] = [];
    for (const change of one.fix.changes) {
      const made = change.kind === "write" ? await write(transport, change) : await run(transport, change);
      changes.push(made);
      if (!made.done) break;
    }
    const done = { ...one, changes, done: changes.every((made) => made.done) };
    all.push(done);
    onDone(done);
  }
  return all;
}

async function write(
  transport: HostTransport,
  change: Extract<FixChange, { kind: "write" }>,
): Promise<DoneChange> {
  const { path, content, mode } = change;
  try {
    const before = await currentText(transport, path);
    if (before === content) return { change, done: true, message: "is so already" };
    const backup = before === undefined ? undefined : await freeBackup(transport, path, before);
    await transport.run({ argv: ["mkdir", "-p", "--", posix.dirname(path)], timeout: 10_000 });
    await transport.writeFile(path, content, { mode });
    const after = await currentText(transport, path);
    if (after !== content) return { change, done: false, message: "was written and reads otherwise" };
    return {
      change,
      done: true,
      message: backup === undefined ? "written" : `written, the old one is ${backup}`,
    };
  } catch (thrown) {
    return { change, done: false, message: messageOf(thrown) };
  }
}

/** Keeps a file beside itself under the first free number. */
async function freeBackup(transport: HostTransport, path: string, text: string): Promise<string> {
  for (let number = 1; ; number++) {
    const backup = `${path}.omni-backup-${number}`;
    if ((await transport.readFile(backup)) !== undefined) continue;
    await transport.writeFile(backup, text, { mode: 0o600 });
    return backup;
  }
}

async function run(
  transport: HostTransport,
  change: Extract<FixChange, { kind: "run" }>,
): Promise<DoneChange> {
  const result = await transport.run({ argv: change.argv, timeout: change.timeout });
  if (!result.ended) return { change, done: false, message: result.message };
  if (result.code === 0) return { change, done: true, message: "done" };
  const words = (result.stderr || result.stdout).trim().split("\n").at(-1) ?? "";
  return { change, done: false, message: `ended with ${result.code}${words === "" ? "" : `: ${words}`}` };
}
