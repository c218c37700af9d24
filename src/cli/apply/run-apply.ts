import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EXIT, hasErrors, messageOf, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { createRedactor, runbookReport } from "../../runbook/index.ts";
import { readRunbook } from "../../store/index.ts";
import type { Invocation } from "../command.ts";
import { locateSpec, resolveFrom } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { reportDiagnostics } from "../report.ts";
import { stateFolder } from "../state-folder.ts";
import type { Terminal } from "../terminal.ts";
import { applyOptions } from "./apply-options.ts";
import { applySource } from "./apply-source.ts";
import { makeRunbookSource } from "./make-runbook.ts";

/** Applies a spec, or reports on what was applied. Throws `OmniError` when the spec is wrong. */
export async function runApply(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  if (invocation.flag("report")) return reportApplied(invocation, terminal);
  const options = applyOptions(invocation);
  const located = await locateSpec(invocation.positionals[0], undefined);
  const { name } = located.spec;
  const folder = stateFolder();
  const workFolder = join(folder, "apply", encodeURIComponent(name));
  if (!options.dryRun) mkdirSync(workFolder, { recursive: true, mode: 0o700 });
  const redactor = createRedactor();
  const source = await makeRunbookSource(located, {
    workFolder,
    stateFolder: folder,
    hide: (secret) => redactor.hide(secret),
  });
  try {
    if (!options.json) reportDiagnostics(source.diagnostics, terminal);
    if (hasErrors(source.diagnostics)) return EXIT.input;
    return await applySource({ source, name, stateFolder: folder, redactor, options, terminal });
  } finally {
    await source.close();
  }
}

/** Writes the definition of done from the journal alone: to the file given, to `runbook.report`, or to standard output. */
async function reportApplied(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const [spec, file] = reportPlace(invocation.positionals);
  const located = await locateSpec(spec, undefined);
  const { name } = located.spec;
  const runs = readRunbook(stateFolder(), name);
  if (runs.length === 0)
    throw new OmniError("runbook.no-run", `Nothing of ${name} was ever applied with this state folder.`);
  const report = runbookReport(name, runs);
  const target = file === undefined ? wantedReport(located) : file === "-" ? undefined : resolve(file);
  if (target === undefined) terminal.out(report.trimEnd());
  else {
    await writeFile(target, report).catch((thrown: unknown) => {
      throw new OmniError("cli.bad-argument", `Cannot write ${target}: ${messageOf(thrown)}`, {
        cause: thrown,
      });
    });
    terminal.out(`Wrote ${target}.`);
  }
  return EXIT.done;
}

/** A lone Markdown file is where the report goes, and no spec. */
const reportPlace = (
  positionals: readonly string[],
): readonly [spec: string | undefined, file: string | undefined] => {
  const [first, second] = positionals;
  return second === undefined && first !== undefined && /\.(?:md|markdown)$/i.test(first)
    ? [undefined, first]
    : [first, second];
};

const wantedReport = ({ spec, folder }: LocatedSpec): string | undefined =>
  spec.runbook.report === undefined ? undefined : resolveFrom(folder, spec.runbook.report);
