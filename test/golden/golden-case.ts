import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { makePlan } from "../../src/cli/make-plan.ts";
import { compareFolder } from "../../src/cli/output-folder/compare-folder.ts";
import type { ComparedFolder } from "../../src/cli/output-folder/compare-folder.ts";
import { writeFolder } from "../../src/cli/output-folder/write-folder.ts";
import { OmniError } from "../../src/core/index.ts";
import type { Diagnostic } from "../../src/core/index.ts";
import { deploy } from "../../src/deployment/index.ts";
import { renderNode, TARGET_NAMES } from "../../src/render/index.ts";
import type { RenderedNode, TargetName } from "../../src/render/index.ts";
import { readLocated } from "../../src/cli/node-spec.ts";
import { PLAIN_MACHINE } from "../render/deployments.ts";

/**
 * Folders of cases: `omni.yaml` with `expected/` for files, or `expected-error.json` for what refuses it; `targets` names what
 * the case is about, where that is not all.
 */
const CASES = resolve(import.meta.dirname, "cases");

/** The findings that end a rendering, without the words that explain them. */
type Refusal = readonly Pick<Diagnostic, "code" | "path" | "line">[];

export type Outcome =
  | { readonly kind: "files"; readonly rendered: RenderedNode }
  | { readonly kind: "error"; readonly refusal: Refusal };

export const caseNames = async (): Promise<readonly string[]> =>
  (await readdir(CASES, { withFileTypes: true }))
    .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    .toSorted();

/** What a case's spec renders to on a machine that is the same everywhere. */
export async function renderCase(name: string): Promise<Outcome> {
  const folder = join(CASES, name);
  const bytes = await readFile(join(folder, "omni.yaml"));
  const { located, diagnostics } = readLocated(bytes, "omni.yaml", folder);
  if (located === undefined) return refused(diagnostics.filter(({ severity }) => severity === "error"));
  const { spec, typed } = located;
  const plan = await makePlan(located, { online: false, observed: PLAIN_MACHINE });
  try {
    const deployment = deploy({ spec, plan, typed, omniVersion: "1.2.3" });
    return { kind: "files", rendered: renderNode(deployment, await targetsOf(name)) };
  } catch (thrown) {
    if (thrown instanceof OmniError) return refused([thrown.toDiagnostic()]);
    throw thrown;
  }
}

/** Targets that a case is about, a line each in its file `targets`; all where it has none. */
async function targetsOf(name: string): Promise<readonly TargetName[]> {
  const text = await readFile(join(CASES, name, "targets"), "utf8").catch(() => "");
  return z.array(z.enum(TARGET_NAMES)).parse(text.split("\n").filter((line) => line !== ""));
}

const refused = (diagnostics: readonly Diagnostic[]): Outcome => ({
  kind: "error",
  refusal: diagnostics.map(({ code, path, line }) => ({
    code,
    ...(path === undefined ? {} : { path }),
    ...(line === undefined ? {} : { line }),
  })),
});

const expectedFolder = (name: string): string => join(CASES, name, "expected");
const errorFile = (name: string): string => join(CASES, name, "expected-error.json");

export const errorText = (refusal: Refusal): string => `${JSON.stringify(refusal, null, 2)}\n`;

export const expectedError = async (name: string): Promise<string | undefined> =>
  readFile(errorFile(name), "utf8").catch(() => undefined);

/** How the files of a case differ from the expected ones. */
export const compareCase = (name: string, rendered: RenderedNode): Promise<ComparedFolder> =>
  compareFolder(expectedFolder(name), rendered);

/** Files beside the expected ones that nothing renders. */
export async function strayFiles(name: string, rendered: RenderedNode): Promise<readonly string[]> {
  const known = new Set([...rendered.files.map(({ path }) => path), "omni-manifest.json"]);
  const entries = await readdir(expectedFolder(name), { recursive: true, withFileTypes: true });
  const root = expectedFolder(name);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !known.has(path));
}

/** Makes what a case renders to now the expected outcome. */
export async function updateCase(name: string): Promise<void> {
  const outcome = await renderCase(name);
  await rm(expectedFolder(name), { recursive: true, force: true });
  await rm(errorFile(name), { force: true });
  if (outcome.kind === "error") await writeFile(errorFile(name), errorText(outcome.refusal));
  else await writeFolder(expectedFolder(name), outcome.rendered, true);
}
