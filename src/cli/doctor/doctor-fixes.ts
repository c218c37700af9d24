import { createInterface } from "node:readline/promises";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { messageOf, OmniError } from "../../core/index.ts";
import { applyFixes, currentText } from "../../host/doctor/index.ts";
import type { DoneFix, OfferedFix } from "../../host/doctor/index.ts";
import type { HostTransport } from "../../host/index.ts";
import { shellCommand } from "../../render/escape/shell.ts";
import { openStore } from "../../store/index.ts";
import { stateFolder } from "../state-folder.ts";
import type { Terminal } from "../terminal.ts";

/** The exact changes of fixes in words: files with a difference, commands as they are run. */
export async function shownFixes(
  transport: HostTransport,
  offered: readonly OfferedFix[],
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { finding, fix } of offered) {
    lines.push(`${transport.name}: ${fix.title}${fix.needsReboot ? " It counts after the next boot." : ""}`);
    lines.push(`  for ${finding.check}: ${finding.seen}`);
    for (const change of fix.changes) {
      if (change.kind === "run") lines.push(`  run    ${shellCommand(change.argv)}`);
      else {
        const before = await currentText(transport, change.path);
        lines.push(`  write  ${change.path} (${change.mode.toString(8)})`);
        lines.push(...difference(change.path, before, change.content).map((line) => `    ${line}`));
      }
    }
  }
  return lines;
}

function difference(path: string, before: string | undefined, after: string): readonly string[] {
  if (before === after) return ["is so already"];
  const from = before === undefined ? "/dev/null" : path;
  const options = { context: 3, headerOptions: FILE_HEADERS_ONLY };
  const patch = createTwoFilesPatch(from, path, before ?? "", after, undefined, undefined, options);
  return patch.trimEnd().split("\n");
}

/** Asks on a terminal. Throws `OmniError` `doctor.unconfirmed` where nobody agrees. */
export async function confirmFixes(count: number, yes: boolean, terminal: Terminal): Promise<void> {
  if (yes) return;
  if (terminal.interactive && process.stdin.isTTY) {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const answer = await lines.question(
        `Make ${count === 1 ? "this change" : `these ${count} changes`}? [y/N] `,
      );
      if (/^y(?:es)?$/i.test(answer.trim())) return;
    } finally {
      lines.close();
    }
  }
  throw new OmniError("doctor.unconfirmed", "Nothing was changed.");
}

/** Makes the changes, tells of each, and keeps them among the node's events. Throws `OmniError` `host.*` for a lost host. */
export async function makeFixes(
  transport: HostTransport,
  offered: readonly OfferedFix[],
  terminal: Terminal,
): Promise<readonly DoneFix[]> {
  const done = await applyFixes(transport, offered, (one) => {
    terminal.err(`${one.done ? "done   " : "FAILED "} ${one.fix.title}`);
    for (const { change, message } of one.changes)
      terminal.err(`        ${change.kind === "run" ? shellCommand(change.argv) : change.path}: ${message}`);
    if (one.done && one.fix.needsReboot) terminal.err("        It counts after the next boot.");
  });
  recordFixes(transport.name, done, terminal);
  return done;
}

/** A running node owns the state folder: then the changes are told and not recorded. */
function recordFixes(host: string, fixes: readonly DoneFix[], terminal: Terminal): void {
  try {
    const store = openStore(stateFolder());
    try {
      for (const { finding, fix, changes, done } of fixes)
        store.events.record({
          severity: done ? "info" : "error",
          kind: done ? "doctor.fixed" : "doctor.fix-failed",
          message: `${host}: ${fix.title}`,
          data: {
            host,
            check: finding.check,
            changes: changes.map(({ change, ...rest }) => ({ ...change, ...rest })),
          },
        });
    } finally {
      store.close();
    }
  } catch (thrown) {
    terminal.err(`Not recorded among the events: ${messageOf(thrown)}`);
  }
}
