import { resolve } from "node:path";
import { EXIT, hasErrors, messageOf, nearest, OmniError, sortDiagnostics } from "../core/index.ts";
import type { Diagnostic, ExitCode } from "../core/index.ts";
import { renderNode, TARGET_NAMES } from "../render/index.ts";
import type { RenderedNode, TargetName } from "../render/index.ts";
import type { Invocation } from "./command.ts";
import { deploymentOf, placedFindings, workflowTexts } from "./make-deployment.ts";
import { makePlan } from "./make-plan.ts";
import { locateSpec } from "./node-spec.ts";
import type { LocatedSpec } from "./node-spec.ts";
import { compareFolder } from "./output-folder/compare-folder.ts";
import type { ComparedFolder } from "./output-folder/compare-folder.ts";
import { folderDiff } from "./output-folder/folder-diff.ts";
import { differences, refusals, writeFolder } from "./output-folder/write-folder.ts";
import { printChanges, printListing } from "./render-view.ts";
import { countLine, reportDiagnostics } from "./report.ts";
import type { Terminal } from "./terminal.ts";

/** Renders a spec into a folder, or compares the two. Throws `OmniError` when the spec is wrong or a file is in the way. */
export async function runRender(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const targets = targetsOf(invocation.values("target"));
  const out = invocation.value("out");
  checkOptions(invocation, out);
  const located = await locateSpec(invocation.positionals[0], undefined);
  const { rendered, findings } = await renderSpec(located, targets, invocation.flag("online"));
  const verdict = hasErrors(findings) ? EXIT.input : EXIT.done;
  if (out === undefined) {
    if (invocation.flag("json"))
      terminal.out(JSON.stringify({ files: listed(rendered), diagnostics: findings }, null, 2));
    else {
      printListing(rendered, terminal);
      reportDiagnostics(findings, terminal);
      terminal.out(
        `${located.origin}: ${rendered.files.length} files; add --out DIR to write them (${countLine(findings)})`,
      );
    }
    return verdict;
  }
  const folder = resolve(out);
  const reading = invocation.flag("check") || invocation.flag("diff") || invocation.flag("dry-run");
  const compared = await (
    reading ? compareFolder(folder, rendered) : writeFolder(folder, rendered, invocation.flag("force"))
  ).catch((thrown: unknown) => cannot(reading ? "read" : "write", out, thrown));
  const blocked = reading ? refusals(compared, folder, invocation.flag("force")) : [];
  report({ invocation, terminal, out, compared, findings, blocked, reading });
  if (!reading) return verdict;
  if (invocation.flag("check"))
    return differences(compared).length > 0 || compared.manifestDiffers ? EXIT.failed : verdict;
  if (!invocation.flag("json")) reportDiagnostics(blocked, terminal);
  return blocked.length > 0 ? EXIT.refused : verdict;
}

/** What the file system refuses is the owner's to mend and no defect of Omni's. */
function cannot(verb: "read" | "write", out: string, thrown: unknown): never {
  if (thrown instanceof OmniError) throw thrown;
  throw new OmniError("render.cannot-write", `Cannot ${verb} ${out}: ${messageOf(thrown)}`, {
    cause: thrown,
  });
}

/** Plan, deployment and files of a spec, with all that is to be said about them. */
export async function renderSpec(
  located: LocatedSpec,
  targets: readonly TargetName[],
  online: boolean,
): Promise<{ readonly rendered: RenderedNode; readonly findings: readonly Diagnostic[] }> {
  const plan = await makePlan(located, { online });
  const deployment = deploymentOf(located, plan, await workflowTexts(located));
  const rendered = renderNode(deployment, targets);
  const findings = placedFindings(located, deployment.findings, rendered.diagnostics);
  return { rendered, findings: sortDiagnostics(findings) };
}

interface Report {
  readonly invocation: Invocation;
  readonly terminal: Terminal;
  readonly out: string;
  readonly compared: ComparedFolder;
  readonly findings: readonly Diagnostic[];
  /** Why writing would be refused as things stand. */
  readonly blocked: readonly Diagnostic[];
  readonly reading: boolean;
}

function report({ invocation, terminal, out, compared, findings, blocked, reading }: Report): void {
  const changed = differences(compared);
  if (invocation.flag("json")) {
    const files = changed.map(({ path, state }) => ({ path, state }));
    terminal.out(
      JSON.stringify(
        {
          out,
          written: !reading,
          files,
          manifestDiffers: compared.manifestDiffers,
          diagnostics: [...findings, ...blocked],
        },
        null,
        2,
      ),
    );
    return;
  }
  if (invocation.flag("diff")) for (const line of folderDiff(compared)) terminal.out(line);
  else printChanges(compared, { reading, terminal });
  if (!invocation.flag("check")) reportDiagnostics(findings, terminal);
  const total = compared.files.filter(({ wanted }) => wanted !== undefined).length;
  const what = reading
    ? changed.length === 0
      ? "no drift"
      : `${changed.length} differ`
    : `${changed.length} changed`;
  terminal.out(`${out}: ${total} files, ${what} (${countLine(findings)})`);
}

const listed = ({ files }: RenderedNode): object[] =>
  files.map(({ path, owner, sha256, mode, reason }) => ({
    path,
    target: owner,
    sha256,
    mode: mode.toString(8),
    reason,
  }));

function checkOptions(invocation: Invocation, out: string | undefined): void {
  const needsFolder = ["check", "diff", "dry-run", "force"].find((option) => invocation.flag(option));
  if (out === undefined && needsFolder !== undefined) {
    throw new OmniError("cli.bad-argument", `--${needsFolder} compares with a folder, and none is given.`, {
      hint: "Add --out DIR.",
    });
  }
  if (out === "") throw new OmniError("cli.bad-argument", "--out needs a folder.", { hint: "--out node" });
}

function targetsOf(given: readonly string[]): readonly TargetName[] {
  return given
    .flatMap((text) => text.split(","))
    .map((name) => {
      const known = TARGET_NAMES.find((target) => target === name.trim());
      if (known !== undefined) return known;
      const near = nearest(name, TARGET_NAMES);
      throw new OmniError("cli.bad-argument", `${JSON.stringify(name)} is no target.`, {
        hint: near === undefined ? `One of: ${TARGET_NAMES.join(", ")}` : `--target ${near}`,
      });
    });
}
