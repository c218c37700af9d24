import { findEngineSource } from "../../catalog/index.ts";
import type { Diagnostic } from "../../core/index.ts";
import type { ImageBuild } from "../../deployment/index.ts";
import { runWord } from "../escape/dockerfile.ts";

/** What is checked out: a repository and a commit, or a name in it that can move. */
export interface CheckedOut {
  readonly repository: string;
  readonly ref: string;
  /** The ref is a commit of 40 digits. */
  readonly pinned: boolean;
  /** Release of the catalog that the commit belongs to. */
  readonly tag?: string;
  readonly diagnostics: readonly Diagnostic[];
}

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * The source of an image: the owner's commit, else the catalog's release when the spec names none or that one, else the
 * tag of the version that it names. Undefined for a kind without a known repository when the owner names none.
 */
export function engineSource(build: ImageBuild): CheckedOut | undefined {
  const known = findEngineSource(build.kind);
  const repository = build.repository ?? known?.repository;
  if (repository === undefined) return undefined;
  const { commit, version } = build;
  if (commit !== undefined)
    return COMMIT.test(commit)
      ? { repository, ref: commit, pinned: true, diagnostics: [] }
      : moving(build, repository, commit);
  const upstream = build.repository === undefined || build.repository === known?.repository;
  if (upstream && known !== undefined && (version === undefined || known.versions.includes(bare(version))))
    return { repository, ref: known.commit, pinned: true, tag: known.tag, diagnostics: [] };
  return moving(build, repository, version === undefined ? "HEAD" : (known?.tagOf(version) ?? version));
}

const bare = (version: string): string => version.replace(/^v(?=\d)/, "");

const moving = (build: ImageBuild, repository: string, ref: string): CheckedOut => ({
  repository,
  ref,
  pinned: false,
  diagnostics: [
    {
      code: "render.unpinned",
      severity: "warning",
      path: `${build.path}.commit`,
      message: `The image ${build.tag} is built from ${ref === "HEAD" ? "whatever the default branch is at" : JSON.stringify(ref)}${ref === "HEAD" ? "" : ", a name that can be moved to other code"}.`,
      hint: `Pin it: git ls-remote ${repository} ${ref} prints the commit to write under ${build.path}.commit.`,
    },
  ],
});

/** Commands that check it out into the current folder, and compare what came with what was asked for. */
export function checkoutCommands(
  source: CheckedOut,
  build: ImageBuild,
  submodules = false,
): readonly string[] {
  const ref = runWord(source.ref, `${build.path}.commit`);
  return [
    "git init -q .",
    // Everything after -- is an address or a name, whatever it begins with.
    `git fetch -q --depth 1 -- ${runWord(source.repository, `${build.path}.repository`)} ${ref}`,
    "git checkout -q --detach FETCH_HEAD",
    ...(source.pinned ? [`test "$(git rev-parse HEAD)" = ${ref}`] : []),
    ...(submodules ? ["git submodule update -q --init --recursive --depth 1"] : []),
  ];
}
