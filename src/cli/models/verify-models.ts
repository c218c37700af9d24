import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { EXIT, formatBytes, OmniError } from "../../core/index.ts";
import type { ExitCode } from "../../core/index.ts";
import {
  demoteBlob,
  pullModel,
  readManifests,
  scanCache,
  verifyFolder,
  verifyRepository,
} from "../../pull/index.ts";
import type { CachedRepository, VerifiedFile } from "../../pull/index.ts";
import type { Invocation } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { cachedRepository } from "./cache-actions.ts";
import { pullReporter } from "./pull-progress.ts";

interface Verified {
  readonly name: string;
  readonly files: readonly VerifiedFile[];
  repair(): Promise<void>;
}

/** Reads every byte of one model, or of all in the cache, and names what is damaged. Exit code 1 when anything is. */
export async function verifyModels(
  name: string | undefined,
  invocation: Invocation,
  terminal: Terminal,
): Promise<ExitCode> {
  const tell = invocation.flag("json") ? () => {} : (path: string) => terminal.err(`reading ${path}`);
  const verified = await verifiedOf(name, tell, terminal);
  const bad = verified.filter(({ files }) => files.some(isBad));
  if (invocation.flag("repair")) for (const one of bad) await one.repair();
  if (invocation.flag("json"))
    terminal.out(
      JSON.stringify(
        verified.map(({ name, files }) => ({ name, files })),
        null,
        2,
      ),
    );
  else for (const one of verified) report(one, terminal);
  if (bad.length === 0) return EXIT.done;
  if (!invocation.flag("repair")) {
    terminal.err("Run ./omni models verify --repair to fetch what is damaged again.");
    return EXIT.failed;
  }
  terminal.out("What was damaged is fetched again and verified.");
  return EXIT.done;
}

const isBad = ({ state }: VerifiedFile): boolean => state === "damaged" || state === "missing";

function report({ name, files }: Verified, terminal: Terminal): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const { path, state } of files)
    if (state !== "right")
      terminal.out(
        `${name}: ${path} ${state === "unknown" ? "has a name that is no checksum" : `is ${state}`}`,
      );
  if (!files.some(isBad)) terminal.out(`${name}: ${files.length} files, ${formatBytes(bytes)}, right`);
}

async function verifiedOf(
  name: string | undefined,
  tell: (path: string) => void,
  terminal: Terminal,
): Promise<readonly Verified[]> {
  if (name !== undefined && (await isFolder(name))) return ofFolder(resolve(name), tell, terminal);
  const repositories = name === undefined ? await scanCache() : [await cachedRepository(name)];
  const results: Verified[] = [];
  for (const repository of repositories) {
    const files = await verifyRepository(repository, tell);
    results.push({
      name: repository.repo,
      files,
      repair: () => repairRepository(repository, files, terminal),
    });
  }
  return results;
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() === true;

async function ofFolder(
  folder: string,
  tell: (path: string) => void,
  terminal: Terminal,
): Promise<readonly Verified[]> {
  const manifests = await readManifests(folder);
  if (manifests.length === 0)
    throw new OmniError("pull.not-here", `${folder} holds no model that Omni fetched.`, {
      hint: "Only folders of models pull --to DIR and the names that models list shows can be verified.",
    });
  return Promise.all(
    manifests.map(async (manifest) => {
      const files = await verifyFolder(folder, manifest, tell);
      const repository = { repo: manifest.repository, revision: manifest.commit };
      return { name: folder, files, repair: () => fetchAgain(repository, files, terminal, folder) };
    }),
  );
}

async function repairRepository(
  { repo, folder, snapshots }: CachedRepository,
  files: readonly VerifiedFile[],
  terminal: Terminal,
): Promise<void> {
  const blobs = new Map(
    snapshots.flatMap((one) => one.files.map((file) => [`${one.commit} ${file.path}`, file.blob])),
  );
  for (const blob of new Set(
    files
      .filter(({ state }) => state === "damaged")
      .map(({ path, commit = "" }) => blobs.get(`${commit} ${path}`))
      .filter((blob) => blob !== undefined),
  ))
    await demoteBlob(folder, blob);
  for (const { commit } of snapshots) {
    const own = files.filter((file) => file.commit === commit);
    if (own.some(isBad)) await fetchAgain({ repo, revision: commit }, own, terminal);
  }
}

async function fetchAgain(
  repository: { readonly repo: string; readonly revision: string },
  files: readonly VerifiedFile[],
  terminal: Terminal,
  folder?: string,
): Promise<void> {
  const include = files.filter(isBad).map(({ path }) => path);
  await pullModel({ repository, choice: { include }, folder, tell: pullReporter(terminal) });
}
