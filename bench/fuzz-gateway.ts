/**
 * Fuzzes a gateway in a process of its own: requests of all endpoints and answers of all dialects of engines, changed within
 * their grammar and byte by byte, cut, stalled, pipelined and hung up on. Every answer is judged, and every so often
 * nothing may be left over.
 *
 *   npm run fuzz:gateway -- --seed 7 --runs 200000 --minutes 20
 *   npm run fuzz:gateway -- --seed 7 --only 1234        one case again
 *   npm run fuzz:gateway -- --seed 7 --file case.json   a shrunk case again
 */
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { Finding } from "./fuzz/campaign.ts";
import { Campaign, kindOf } from "./fuzz/campaign.ts";
import { readCase } from "./fuzz/read-case.ts";
import type { FuzzCase } from "./fuzz/fuzz-case.ts";
import { requestWire, scriptWire } from "./fuzz/fuzz-case.ts";
import { investigate } from "./fuzz/investigate.ts";
import { makeCase } from "./fuzz/make-case.ts";
import { slopeOf } from "./fuzz/slope.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "200000" },
    minutes: { type: "string", default: "60" },
    only: { type: "string" },
    file: { type: "string" },
    width: { type: "string", default: "32" },
    block: { type: "string", default: "2500" },
  },
});
const seed = Number(values.seed);
const width = Number(values.width);
const block = Number(values.block);

/** Bytes a case, above which memory is said to grow; bounded tables still fill in the first half of a run. */
const MOST_GROWTH = 100;
/** Below so many cases growth says nothing. */
const ENOUGH = 40_000;

function show(fuzzed: FuzzCase): void {
  for (const sent of fuzzed.requests)
    console.log(`request: ${JSON.stringify(requestWire(sent).slice(0, 4_000))}`);
  for (const [key, script] of Object.entries(fuzzed.scripts)) {
    const { cut, leave, places } = script;
    const how = JSON.stringify({ cut, leave, places });
    console.log(`engine ${key} ${how}: ${JSON.stringify(scriptWire(script).slice(0, 4_000))}`);
  }
  const { hangUp, places } = fuzzed;
  if (hangUp !== undefined || places.length > 0) console.log(`client: ${JSON.stringify({ hangUp, places })}`);
}

async function again(fuzzed: FuzzCase): Promise<void> {
  const campaign = await Campaign.open({ seed, width: 1, block: 1 });
  try {
    const { wrong, filled } = await campaign.play(fuzzed);
    show(filled);
    const found = wrong ?? (await campaign.leftOver());
    console.log(found === undefined ? "nothing is wrong with it" : `wrong: ${found}`);
    process.exitCode = found === undefined ? 0 : 1;
  } finally {
    await campaign.close();
  }
}

async function run(): Promise<void> {
  const began = Date.now();
  const end = began + Number(values.minutes) * 60_000;
  const runs = Number(values.runs);
  const campaign = await Campaign.open({ seed, width, block });
  const heaps: [cases: number, bytes: number][] = [];
  const findings = new Map<string, Finding>();
  let cases = 0;
  let lives = true;
  try {
    while (lives && cases < runs && Date.now() < end) {
      const to = Math.min(cases + block, runs);
      for (const finding of await campaign.block(cases, to)) {
        if (!findings.has(kindOf(finding.what))) {
          console.log(`found: ${finding.what} (case ${finding.suspects[0]?.index ?? "unknown"})`);
        }
        findings.set(kindOf(finding.what), finding);
        lives &&= finding.suspects.length === 1;
      }
      cases = to;
      if (!lives) break;
      const { heap, rss, cpu, sockets, timers, tried, retried, continued } = await campaign.state();
      heaps.push([cases, heap]);
      console.log(
        `${cases} cases in ${Math.round((Date.now() - began) / 1000)} s: heap ${(heap / 1e6).toFixed(1)} MB, resident ${(rss / 1e6).toFixed(0)} MB, ${(cpu / cases).toFixed(2)} ms of CPU a case, ${sockets} sockets, ${timers} timers; ${tried} tries of engines, ${retried} again, ${continued} continued`,
      );
    }
  } finally {
    await campaign.close();
  }
  const statuses = [...campaign.answers]
    .toSorted(([a], [b]) => a - b)
    .map(([status, count]) => `${count}×${status}`);
  console.log(`seed ${seed}: ${cases} cases, ${findings.size} findings, answers ${statuses.join(" ")}`);
  const slope = slopeOf(heaps.slice(Math.floor(heaps.length / 2)));
  console.log(`memory over the second half: ${slope.toFixed(1)} bytes a case`);
  if (cases >= ENOUGH && slope > MOST_GROWTH) process.exitCode = 1;
  for (const finding of findings.values()) await report(finding);
}

async function report(finding: Finding): Promise<void> {
  process.exitCode = 1;
  const indices = finding.suspects.map(({ index }) => index);
  console.log(`found: ${finding.what}\namong ${indices.length} cases: ${indices.slice(0, 40).join(" ")}`);
  const { what, smallest } = await investigate(seed, finding);
  if (smallest === undefined) {
    console.log("No case shows it alone; only together with others.");
    const [only] = finding.suspects;
    if (only !== undefined && finding.suspects.length === 1) show(only);
    return;
  }
  const path = join(tmpdir(), `omni-fuzz-${seed}-${smallest.index}.json`);
  writeFileSync(path, JSON.stringify(smallest));
  console.log(`shown alone by case ${smallest.index}: ${what}`);
  show(smallest);
  console.log(`again: npm run fuzz:gateway -- --seed ${seed} --only ${smallest.index}`);
  console.log(`again, shrunk: npm run fuzz:gateway -- --seed ${seed} --file ${path}`);
}

if (values.file !== undefined) await again(readCase(readFileSync(values.file, "utf8")));
else if (values.only !== undefined) await again(makeCase(seed, Number(values.only)));
else await run();
