/**
 * A model of two gigabytes from a hub on loopback. First beside curl on the same file in interleaved rounds, as fast as it
 * goes and over a line of 2 Gbit/s; then over 8 connections that are cut 200 times and bring 5 wrong chunks, from a mirror
 * that states checksums of its answers and from one that does not. Usage: npm run bench:pull [-- MEGABYTES]
 */
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatBytes } from "../src/core/index.ts";
import { pullModel } from "../src/pull/index.ts";
import { generatedContent, sha256Of } from "../test/fakes/hub-server/content.ts";
import { COMMIT, startHubServer } from "../test/fakes/hub-server/hub-server.ts";
import type { HubRules } from "../test/fakes/hub-server/hub-rules.ts";

const REPO = "owner/model";
const PATH = "model-Q4_K_M.gguf";
const SIZE = Number(process.argv[2] ?? 2048) * 2 ** 20;
const LINE = 250e6;
const ROUNDS = 3;
const WRONG = 5;
/** 200 in two gigabytes. */
const CUTS = Math.max(WRONG, Math.round((200 * SIZE) / 2 ** 31));

/** The hub has a process of its own: otherwise it would share a thread with what is measured. */
async function serve(): Promise<void> {
  const [sha256 = "", rules = "{}"] = process.argv.slice(4);
  const parsed: HubRules = JSON.parse(rules);
  const hub = await startHubServer(
    REPO,
    [{ path: PATH, content: generatedContent(SIZE), stated: { hex: sha256 } }],
    parsed,
  );
  process.on("message", () => process.send?.({ sent: hub.sent(), cuts: hub.rules.cuts?.length ?? 0 }));
  process.send?.({ url: hub.url });
  process.on("disconnect", () => process.exit());
}

async function withHub<T>(
  sha256: string,
  rules: HubRules,
  use: (url: string, counts: () => Promise<{ readonly sent: number; readonly cuts: number }>) => Promise<T>,
): Promise<T> {
  const child = fork(import.meta.filename, [`${SIZE / 2 ** 20}`, "serve", sha256, JSON.stringify(rules)]);
  try {
    const [{ url }] = await once(child, "message");
    return await use(url, async () => {
      child.send("counts");
      const [counts] = await once(child, "message");
      return counts;
    });
  } finally {
    child.disconnect();
    await once(child, "exit");
  }
}

/** Seconds of one pull into a fresh cache, verified, and what came over the line. */
async function pull(endpoint: string): Promise<{ readonly seconds: number; readonly fetched: number }> {
  const cache = await mkdtemp(join(tmpdir(), "omni-bench-pull-"));
  try {
    const began = performance.now();
    const { fetched } = await pullModel({
      repository: { repo: REPO, endpoint },
      choice: {},
      cache,
      connections: 8,
    });
    return { seconds: (performance.now() - began) / 1000, fetched };
  } finally {
    await rm(cache, { recursive: true });
  }
}

/** Seconds of curl for the same file, then of sha256sum over it, which is what makes it comparable. */
async function curl(endpoint: string): Promise<{ readonly seconds: number; readonly summed: number }> {
  const folder = await mkdtemp(join(tmpdir(), "omni-bench-curl-"));
  const run = async (program: string, ...args: string[]): Promise<void> => {
    const [code] = await once(spawn(program, args, { cwd: folder, stdio: "ignore" }), "exit");
    if (code !== 0) throw new Error(`${program} ended with ${String(code)}`);
  };
  try {
    const began = performance.now();
    await run("curl", "-sfL", "-o", "file", `${endpoint}/${REPO}/resolve/${COMMIT}/${PATH}`);
    await run("sync", "-d", "file");
    const seconds = (performance.now() - began) / 1000;
    await run("sha256sum", "file");
    return { seconds, summed: (performance.now() - began) / 1000 };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const rate = (seconds: number): string => `${formatBytes(SIZE / seconds)}/s`;

async function besideCurl(sha256: string, what: string, rules: HubRules): Promise<void> {
  await withHub(sha256, rules, async (url) => {
    const rounds: { readonly ours: number; readonly curl: number; readonly summed: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const theirs = await curl(url);
      rounds.push({ ours: (await pull(url)).seconds, curl: theirs.seconds, summed: theirs.summed });
    }
    const [ours, alone, summed] = [
      median(rounds.map((round) => round.ours)),
      median(rounds.map((round) => round.curl)),
      median(rounds.map((round) => round.summed)),
    ];
    console.log(
      `${what}: omni ${rate(ours)} verified; curl and sync ${rate(alone)}, with sha256sum ${rate(summed)}`,
    );
    console.log(
      `  omni takes ${(ours / alone).toFixed(2)} times as long as curl, ${(ours / summed).toFixed(2)} times as long as curl and sha256sum`,
    );
  });
}

/** The same places in each run, spread by the golden ratio. */
const spread = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => Math.floor(SIZE * ((0.35 + index * 0.618_034) % 1)));

async function overBadLine(sha256: string, what: string, rules: HubRules): Promise<void> {
  await withHub(sha256, rules, async (url, counts) => {
    const { fetched, seconds } = await pull(url);
    const { sent, cuts } = await counts();
    const more = ((Math.max(fetched, sent) / SIZE - 1) * 100).toFixed(2);
    console.log(
      `${what}: right, ${CUTS - cuts} cuts, ${more} % more than the file over the line, ${seconds.toFixed(1)} s`,
    );
  });
}

async function measure(): Promise<void> {
  const sha256 = sha256Of(generatedContent(SIZE));
  console.log(`${formatBytes(SIZE)} over 8 connections, median of ${ROUNDS} rounds`);
  await besideCurl(sha256, "a line of 2 Gbit/s", { rate: LINE });
  await besideCurl(sha256, "as fast as the hub sends", {});
  const cuts = spread(CUTS).map((offset) => ({ path: PATH, offset }));
  const damage = spread(WRONG).map((offset) => ({ path: PATH, offset: offset + 70_000, length: 1000 }));
  await overBadLine(sha256, `${WRONG} wrong chunks, checksums stated`, { digests: true, cuts, damage });
  await overBadLine(sha256, `${WRONG} wrong chunks beside cuts, none stated`, {
    cuts: cuts.map((cut, index) => (index % Math.ceil(CUTS / WRONG) === 0 ? { ...cut, garbage: 1000 } : cut)),
  });
  await overBadLine(sha256, `${WRONG} wrong chunks anywhere, none stated`, { damage });
}

await (process.argv[3] === "serve" ? serve() : measure());
