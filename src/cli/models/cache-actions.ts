import { rm } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { EXIT, formatBytes, nearest, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import { findGarbage, hubCache, lockedBlobs, removeGarbage, scanCache, usersOf } from "../../pull/index.ts";
import type { CachedRepository, CachedSnapshot } from "../../pull/index.ts";
import type { Invocation } from "../command.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

/** What the cache holds, a row for each snapshot. */
export async function listModels(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const found = await scanCache();
  const rows = found.flatMap((repository) => repository.snapshots.map((one) => rowOf(repository, one)));
  if (invocation.flag("json")) terminal.out(JSON.stringify({ cache: hubCache(), models: rows }, null, 2));
  else if (rows.length === 0) terminal.out(`${hubCache()} holds no models.`);
  else {
    const cells = rows.map((row) => [
      row.repository,
      row.references.join(", ") || row.commit.slice(0, 12),
      `${row.files}`,
      formatBytes(row.bytes),
      row.used === undefined ? "never" : new Date(row.used).toISOString().slice(0, 10),
      row.complete ? "complete" : "partial",
    ]);
    terminal.out(table([["REPOSITORY", "REVISION", "FILES", "SIZE", "USED", "STATE"], ...cells]));
  }
  return EXIT.done;
}

function rowOf({ repo, blobs, parts }: CachedRepository, { commit, references, files }: CachedSnapshot) {
  const named = new Set(files.map(({ blob }) => blob));
  const used = blobs.filter(({ name }) => named.has(name)).map((blob) => blob.used);
  return {
    repository: repo,
    commit,
    references,
    files: files.length,
    bytes: files.reduce((sum, { size = 0 }) => sum + size, 0),
    used: used.length === 0 ? undefined : Math.max(...used),
    complete: parts.length === 0 && files.every(({ size }) => size !== undefined),
  };
}

/** A repository of the cache by its name. Throws `OmniError` `pull.not-here`. */
export async function cachedRepository(name: string): Promise<CachedRepository> {
  const repo = name.replace(/^hf:/, "").replace(/[:@].*$/s, "");
  const known = await scanCache();
  const found = known.find((one) => one.repo === repo);
  if (found !== undefined) return found;
  const near = nearest(
    repo,
    known.map((one) => one.repo),
  );
  throw new OmniError("pull.not-here", `${hubCache()} holds no ${repo}.`, {
    hint: near === undefined ? undefined : `Did you mean ${near}?`,
  });
}

/** Removes a repository that nobody uses. Throws `OmniError` `pull.in-use` or `pull.not-here`. */
export async function removeModel(
  name: string,
  invocation: Invocation,
  terminal: Terminal,
): Promise<ExitCode> {
  const { repo, folder, blobs, parts } = await cachedRepository(name);
  const users = await usersOf(folder);
  if (users.length > 0)
    throw new OmniError(
      "pull.in-use",
      `${repo} is used by ${users
        .slice(0, 5)
        .map((user) => `${user.name} (${user.pid})`)
        .join(", ")}.`,
    );
  if ((await lockedBlobs(repo)).length > 0)
    throw new OmniError("pull.in-use", `Another process is fetching ${repo}.`);
  const bytes = [...blobs.map(({ size }) => size), ...parts.map((part) => part.bytes)].reduce(
    (a, b) => a + b,
    0,
  );
  await agree(`Remove ${folder}, ${formatBytes(bytes)}?`, invocation, terminal);
  await rm(folder, { recursive: true });
  terminal.out(`${repo} is removed, ${formatBytes(bytes)} are free again.`);
  return EXIT.done;
}

/** Removes what nothing leads to any more. */
export async function collectGarbage(invocation: Invocation, terminal: Terminal): Promise<ExitCode> {
  const found = await findGarbage(Date.now());
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  const dryRun = invocation.flag("dry-run");
  if (invocation.flag("json")) terminal.out(JSON.stringify({ dryRun, bytes, garbage: found }, null, 2));
  else if (found.length > 0)
    terminal.out(table(found.map((one) => [one.repo, one.kind, formatBytes(one.bytes), one.why, one.path])));
  if (found.length === 0 || dryRun) {
    if (!invocation.flag("json"))
      terminal.out(found.length === 0 ? "Nothing to remove." : `${formatBytes(bytes)} could be freed.`);
    return EXIT.done;
  }
  await agree(`Remove these ${found.length}, ${formatBytes(bytes)}?`, invocation, terminal);
  await removeGarbage(found);
  if (!invocation.flag("json")) terminal.out(`${formatBytes(bytes)} are free again.`);
  return EXIT.done;
}

/** Asks a person, or wants --yes where there is none. Throws `OmniError` `pull.not-agreed`. */
async function agree(question: string, invocation: Invocation, terminal: Terminal): Promise<void> {
  if (invocation.flag("yes")) return;
  if (terminal.interactive && process.stdin.isTTY) {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    try {
      if (/^y(?:es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())) return;
    } finally {
      lines.close();
    }
  }
  throw new OmniError(
    "pull.not-agreed",
    `Nothing was removed: ${question.replace(/\?$/, "")} was not agreed to.`,
  );
}
