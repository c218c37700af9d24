import { Agent } from "undici";
import { OmniError } from "../core/index.ts";
import { listHub, resolveUrl } from "../models/index.ts";
import type { HubFile, HubListing, HubRepository } from "../models/index.ts";
import { chooseFiles } from "./choose-files.ts";
import type { FileChoice } from "./choose-files.ts";
import { limitBandwidth } from "./download/bandwidth.ts";
import { connectionPlaces } from "./download/places.ts";
import type { Places } from "./download/places.ts";
import { openOrigin } from "./download/origin.ts";
import { allocated, checkSpace } from "./free-space.ts";
import { cachePlace, folderPlace } from "./place.ts";
import type { Place } from "./place.ts";
import { pullFile } from "./pull-file.ts";
import type { PulledFile } from "./pull-file.ts";
import type { PlannedFile, PullEvent } from "./pull-events.ts";
import { rateMeter } from "./rate-meter.ts";
import type { RateMeter } from "./rate-meter.ts";
import { checkPath } from "./safe-path.ts";

export interface PullOptions {
  readonly repository: HubRepository;
  readonly choice: FileChoice;
  /** A folder of plain files; the cache of the Hugging Face tools when absent. */
  readonly folder?: string | undefined;
  /** The cache; where the environment says when absent. */
  readonly cache?: string | undefined;
  /** At once, over all files; 8 when absent. */
  readonly connections?: number | undefined;
  /** Bytes a second over all connections; no bound when absent. */
  readonly bandwidth?: number | undefined;
  /** Only tell what would be fetched. */
  readonly dryRun?: boolean | undefined;
  /** Bytes that are asked for at once; 8 MiB, and 16 MiB for files above 8 GiB, when absent. */
  readonly chunkBytes?: number | undefined;
  /** First wait before a fruitless request is sent again, in milliseconds; 300 when absent. */
  readonly retryDelay?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly tell?: ((event: PullEvent) => void) | undefined;
}

export interface Pulled {
  readonly repository: string;
  readonly commit: string;
  /** Folder in which the files are found by their names. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
  /** Bytes that came over the line, those that were fetched twice included. */
  readonly fetched: number;
}

const CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 15_000;
/** Small files are fetched beside each other. */
const FILES_AT_ONCE = 4;
const PROGRESS_MS = 200;

/**
 * Fetches what is missing of a model and verifies all that it fetches. Safe to run any number of times, also by several
 * processes at once; cut off anywhere, the next run goes on. Throws `OmniError` `hub.*` or `pull.*`, or the signal's reason.
 */
export async function pullModel(options: PullOptions): Promise<Pulled> {
  const { tell = () => {} } = options;
  const listing = await listHub(options.repository);
  const { wanted, leftOut } = chooseFiles(listing.files, options.choice, listing.repo);
  checkListing(listing, wanted);
  const place =
    options.folder === undefined
      ? cachePlace(listing, options.cache)
      : await folderPlace(listing, options.folder, options.cache);
  const work = await Promise.all(wanted.map(async (file) => plannedFile(file, place)));
  const { repo: repository, revision, commit } = listing;
  const bytes = wanted.reduce((sum, { size }) => sum + size, 0);
  const missing = work.reduce((sum, one) => sum + one.missing, 0);
  const files = work.map(({ file, there }): PlannedFile => ({ path: file.path, bytes: file.size, there }));
  tell({ kind: "plan", repository, revision, commit, folder: place.found, files, bytes, missing, leftOut });
  const result = { repository, commit, folder: place.found, files: wanted.map(({ path }) => path), bytes };
  await checkSpace(place.root, missing);
  if (options.dryRun === true) return { ...result, fetched: 0 };
  const fetched = await pullAll(listing, work, options);
  await place.complete(wanted);
  return { ...result, fetched };
}

function checkListing(listing: HubListing, wanted: readonly HubFile[]): void {
  // Its blobs and snapshots become names of folders.
  if (!/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(listing.commit))
    throw new OmniError("pull.no-checksum", `${listing.endpoint.host} states no commit for ${listing.repo}.`);
  for (const part of listing.revision.split("/")) checkPath(part, listing.repo);
  const seen = new Set<string>();
  for (const { path } of wanted) {
    checkPath(path, listing.repo);
    if (seen.has(path))
      throw new OmniError("pull.unsafe-name", `${listing.repo} lists ${JSON.stringify(path)} twice.`);
    seen.add(path);
  }
}

interface PlannedWork {
  readonly file: HubFile;
  readonly pulled: PulledFile;
  readonly there: boolean;
  readonly missing: number;
}

async function plannedFile(file: HubFile, place: Place): Promise<PlannedWork> {
  const pulled = await place.prepare(file);
  const there = await pulled.isThere();
  const missing = there ? 0 : Math.max(0, file.size - (await allocated(pulled.part)));
  return { file, pulled, there, missing };
}

async function pullAll(
  listing: HubListing,
  work: readonly PlannedWork[],
  options: PullOptions,
): Promise<number> {
  const { connections = CONNECTIONS, tell = () => {} } = options;
  const agent = new Agent({ connections, connect: { timeout: CONNECT_TIMEOUT_MS }, pipelining: 1 });
  const places = connectionPlaces(connections);
  const rates = rateMeter(work.reduce((sum, { file }) => sum + file.size, 0));
  const ticking = setInterval(() => {
    tell({ kind: "progress", progress: { ...rates.now(), connections: places.busy } });
  }, PROGRESS_MS);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const shared = {
    listing,
    options,
    agent,
    places,
    rates,
    signal,
    bandwidth: limitBandwidth(options.bandwidth),
  };
  // Large files first: the small ones fill what is left of the line.
  const waiting = work.toSorted((a, b) => b.file.size - a.file.size);
  const serve = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      try {
        await pullOne(next, shared);
      } catch (thrown) {
        stop.abort(thrown);
        throw thrown;
      }
    }
  };
  try {
    const ended = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, serve));
    options.signal?.throwIfAborted();
    if (stop.signal.aborted) throw stop.signal.reason;
    const failed = ended.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return rates.fetched();
  } finally {
    clearInterval(ticking);
    tell({ kind: "progress", progress: { ...rates.now(), connections: 0 } });
    await agent.destroy();
  }
}

interface SharedWork {
  readonly listing: HubListing;
  readonly options: PullOptions;
  readonly agent: Agent;
  readonly places: Places;
  readonly rates: RateMeter;
  readonly signal: AbortSignal;
  readonly bandwidth: ReturnType<typeof limitBandwidth>;
}

const LARGE_FILE = 8 * 2 ** 30;

async function pullOne({ file, pulled }: PlannedWork, shared: SharedWork): Promise<void> {
  const { listing, options, agent, places, rates, signal, bandwidth } = shared;
  const { tell = () => {} } = options;
  const meter = rates.file(file.size, () => tell({ kind: "repair", path: file.path, bytes: file.size }));
  const origin = openOrigin(resolveUrl(listing, file.path), { agent, headers: listing.headers });
  const outcome = await pullFile(
    pulled,
    {
      origin,
      signal,
      places,
      bandwidth,
      meter,
      retryDelay: options.retryDelay ?? 300,
      connections: options.connections ?? CONNECTIONS,
      chunkBytes: options.chunkBytes ?? (file.size > LARGE_FILE ? 16 << 20 : 8 << 20),
    },
    () => tell({ kind: "waiting", path: file.path }),
  );
  meter.whole();
  tell({ kind: "file", path: file.path, bytes: file.size, fetched: outcome === "fetched" });
}
