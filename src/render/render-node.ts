import { createHash } from "node:crypto";
import { OmniError } from "../core/index.ts";
import type { Diagnostic } from "../core/index.ts";
import type { Deployment } from "../deployment/index.ts";
import type { Artifact, TargetName } from "./artifact.ts";
import { isOutputPath } from "./output-path.ts";
import { overviewOf } from "./overview.ts";
import { TARGETS } from "./targets.ts";

/** Who a file belongs to: a target, or the output folder as a whole. */
export type Owner = TargetName | "node";

export interface RenderedFile extends Artifact {
  readonly owner: Owner;
  /** SHA-256 of the content, 64 hex digits. */
  readonly sha256: string;
}

export interface RenderedNode {
  /** Sorted by path; every path once. */
  readonly files: readonly RenderedFile[];
  /** Whose files these are all of: what else a folder holds of them is not asked for any more. */
  readonly owners: readonly Owner[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * All files of a deployment, or of some targets. Pure. Throws `OmniError`: `render.nothing` for a chosen target that this
 * deployment has no use for, `render.unrepresentable` for a value that a target's language cannot hold.
 */
export function renderNode(deployment: Deployment, only: readonly TargetName[] = []): RenderedNode {
  const wanted = TARGETS.filter((target) => target.wanted(deployment));
  for (const name of only) {
    if (wanted.some((target) => target.name === name)) continue;
    throw new OmniError("render.nothing", `Nothing of this spec is rendered for ${name}.`, {
      hint: `It renders for: ${wanted.map((target) => target.name).join(", ")}.`,
    });
  }
  const chosen = only.length === 0 ? wanted : wanted.filter((target) => only.includes(target.name));
  const parts = chosen.map((target) => ({ target: target.name, rendered: target.render(deployment) }));
  const files = parts.flatMap(({ target, rendered }) =>
    rendered.artifacts.map((artifact) => fileOf(artifact, target)),
  );
  const diagnostics = saidOnce(parts.flatMap(({ rendered }) => rendered.diagnostics));
  const whole = only.length === 0;
  const all = whole ? [...files, fileOf(overviewOf(deployment, parts, diagnostics), "node")] : files;
  return {
    files: sorted(all),
    owners: whole ? [...TARGETS.map((target) => target.name), "node"] : chosen.map((target) => target.name),
    diagnostics,
  };
}

/** Two targets may have the same to say about the same place. */
const saidOnce = (diagnostics: readonly Diagnostic[]): readonly Diagnostic[] => [
  ...new Map(diagnostics.map((one) => [`${one.code}\n${one.path ?? ""}\n${one.message}`, one])).values(),
];

const fileOf = (artifact: Artifact, owner: Owner): RenderedFile => ({
  ...artifact,
  owner,
  sha256: sha256(artifact.content),
});

/** SHA-256 of a text's UTF-8 bytes, or of bytes, 64 hex digits. */
export const sha256 = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex");

function sorted(files: readonly RenderedFile[]): readonly RenderedFile[] {
  const byPath = new Map<string, RenderedFile>();
  for (const file of files) {
    if (!isOutputPath(file.path))
      throw new OmniError(
        "render.unsafe-path",
        `${file.owner} renders a file at ${JSON.stringify(file.path)}.`,
      );
    const twin = byPath.get(file.path);
    if (twin !== undefined)
      throw new OmniError("cli.internal", `${twin.owner} and ${file.owner} both render ${file.path}.`);
    byPath.set(file.path, file);
  }
  return [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
