import { posix } from "node:path";
import { OmniError } from "../../../core/index.ts";
import type { CommandResult, HostTransport } from "../../../host/transport/index.ts";
import type { RenderedFile, RenderedNode } from "../../../render/index.ts";
import type { StepContext } from "../../step.ts";

/** Milliseconds for looking. */
export const LOOK = 60_000;

const roots = new WeakMap<HostTransport, string>();

/** What rendered scripts take for `/`, which is empty everywhere but where they are tried out. Asked for once a host. */
export async function rootOf(context: StepContext, host: HostTransport): Promise<string> {
  const known = roots.get(host);
  if (known !== undefined) return known;
  const argv = ["sh", "-c", 'printf %s "${OMNI_ROOT:-}"'] as const;
  const result = await context.look(host, { argv, timeout: LOOK });
  if (!result.ended) throw new OmniError("host.command-failed", `${host.name}: ${result.message}`);
  roots.set(host, result.stdout);
  return result.stdout;
}

/** Rendered files of a host, and the folder of that host which they are brought to. */
export interface HostFiles {
  readonly folder: string;
  /** Paths relative to the folder. */
  readonly files: readonly (Pick<RenderedFile, "content" | "mode" | "sha256"> & { readonly path: string })[];
}

/** The files below `proxmox/NAME/`, which go to /var/lib/omni/NAME. */
export function hostFiles({ files }: RenderedNode, name: string): HostFiles {
  const prefix = `proxmox/${name}/`;
  return {
    folder: `/var/lib/omni/${name}`,
    files: files.flatMap(({ path, content, mode, sha256 }) =>
      path.startsWith(prefix) ? [{ path: path.slice(prefix.length), content, mode, sha256 }] : [],
    ),
  };
}

/** Those of the rendered files that the host does not have as they are. */
export async function differingFiles(
  host: HostTransport,
  root: string,
  { folder, files }: HostFiles,
): Promise<HostFiles["files"]> {
  const same = await Promise.all(
    files.map(async ({ path, content }) => {
      const there = await host.readFile(`${root}${folder}/${path}`);
      return there !== undefined && Buffer.from(content).equals(there);
    }),
  );
  return files.filter((_, index) => same[index] !== true);
}

/** Brings rendered files to the host, each whole and durable. */
export async function bringFiles(
  context: StepContext,
  host: HostTransport,
  wanted: HostFiles,
): Promise<void> {
  const root = await rootOf(context, host);
  const missing = await differingFiles(host, root, wanted);
  if (missing.length === 0) return;
  const target = `${root}${wanted.folder}`;
  await context.run(host, { argv: ["mkdir", "-p", "--", ...foldersOf(target, missing)], timeout: LOOK });
  for (const { path, content, mode } of missing) await host.writeFile(`${target}/${path}`, content, { mode });
  context.note(`Brought to ${wanted.folder} of ${host.name}: ${missing.map(({ path }) => path).join(", ")}.`);
}

const foldersOf = (target: string, files: HostFiles["files"]): ReadonlySet<string> =>
  new Set(files.map(({ path }) => posix.dirname(`${target}/${path}`)));

/**
 * What a script among files that the host may not have yet would do: they lie in a folder of their own meanwhile, and nothing
 * is changed. Throws like `tryRendered`.
 */
export async function tryAside(
  context: StepContext,
  host: HostTransport,
  { files }: HostFiles,
  script: { readonly name: string; readonly timeout: number },
): Promise<string> {
  const look = (...argv: readonly [string, ...string[]]): Promise<CommandResult> =>
    context.look(host, { argv, timeout: LOOK });
  const made = await look("mktemp", "-d");
  if (!made.ended || made.code !== 0)
    throw new OmniError("host.command-failed", `mktemp on ${host.name}: ${lastWords(made)}`);
  const aside = made.stdout.trim();
  try {
    await look("mkdir", "-p", "--", ...foldersOf(aside, files));
    for (const { path, content, mode } of files) await host.writeFile(`${aside}/${path}`, content, { mode });
    return await tryRendered(context, host, { path: `${aside}/${script.name}`, timeout: script.timeout });
  } finally {
    await look("rm", "-rf", "--", aside);
  }
}

/** A rendered script of a host, to be run there. */
interface RenderedScript {
  /** Path on the host. */
  readonly path: string;
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Runs a rendered script and returns what it said. Throws `OmniError` `host.refused` where it refuses (exit status 3),
 * `host.command-failed` where it fails.
 */
export async function runRendered(
  context: StepContext,
  host: HostTransport,
  script: RenderedScript,
): Promise<string> {
  const { path, words = [], environment = {}, timeout } = script;
  const result = await context.run(host, { argv: ["sh", path, ...words], environment, timeout }, [0, 3]);
  if (result.code === 3) throw refused(path, host, result.stderr);
  return result.stdout;
}

/** What a rendered script would do; nothing is changed. Throws `OmniError` `host.refused` where it refuses. */
export async function tryRendered(
  context: StepContext,
  host: HostTransport,
  { path, words = [], environment = {}, timeout }: RenderedScript,
): Promise<string> {
  const argv = ["sh", path, "--dry-run", ...words] as const;
  const result = await context.look(host, { argv, environment, timeout });
  if (result.ended && result.code === 0) return result.stdout;
  if (result.ended && result.code === 3) throw refused(path, host, result.stderr);
  throw new OmniError("host.command-failed", `${path} on ${host.name}: ${lastWords(result)}`);
}

/** What a dry run says that it would do, a line each. */
export const pendingOf = (said: string): readonly string[] =>
  said
    .split("\n")
    .filter((line) => /\bwould (?:run|write|change|remove|pin)\b/.test(line))
    .map((line) => line.trim());

/** The last of what a command said, for a message. */
export const lastWords = (result: CommandResult): string =>
  result.ended
    ? (result.stderr.trim() || result.stdout.trim()).slice(-400) || `exit status ${result.code}`
    : result.message;

/** Scripts say `refused: why` and hints after an arrow, or after `do:`. */
function refused(path: string, host: HostTransport, stderr: string): OmniError {
  const lines = stderr.trim().split("\n");
  const hints = lines.flatMap((line) => /^\s*(?:->|do:)\s+(.*)$/.exec(line)?.[1] ?? []);
  const why = lines.filter((line) => !/^\s*(?:->|do:)/.test(line)).join(" ");
  return new OmniError(
    "host.refused",
    `${posix.basename(path)} on ${host.name}: ${why || "it refuses"}`,
    hints.length === 0 ? {} : { hint: hints.join(" ") },
  );
}
