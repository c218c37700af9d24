import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { afterAll, expect, it } from "vitest";
import { omni, ROOT, temporaryFolder } from "../run-node.ts";
import { effectsOf, MODEL, openHouse, openRoom, SERIAL } from "./room.ts";
import type { House, Room } from "./room.ts";

const PRELOAD = pathToFileURL(join(ROOT, "test/fakes/kill-at-journal-write.ts")).href;
/** Rooms at the same time: half of a run is waiting for somebody else. */
const AT_ONCE = 2;

/**
 * Which writes: all of them (`KILL_TESTS=all`, a quarter of an hour on two cores), some by their numbers (`KILL_TESTS=31,35-40`),
 * otherwise every twelfth. What each came to is appended to the file that KILL_LOG names, if any.
 */
const CHOSEN = process.env["KILL_TESTS"] ?? "";
const LOG = process.env["KILL_LOG"];

function isChosen(write: number): boolean {
  if (CHOSEN === "all") return true;
  if (CHOSEN === "") return write % 12 === 0;
  return CHOSEN.split(",").some((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return from <= write && write <= to;
  });
}

const house = await openHouse();
const skipped = typeof house === "string" ? ` (skipped: ${house})` : "";
const counts = temporaryFolder();
afterAll(async () => {
  counts.remove();
  if (typeof house !== "string") await house.close();
});

const apply = (room: Room, variables: Readonly<Record<string, string>> = {}) =>
  omni(["apply", "--yes", "--consent", `format:${SERIAL}`, room.spec], room.state, undefined, {
    env: { ...room.environment, NODE_OPTIONS: `--import ${PRELOAD}`, ...variables },
  });

/** What a room has come to. */
const stateOf = (room: Room): unknown => ({
  effects: effectsOf(room),
  mounted: readFileSync("/proc/self/mountinfo", "utf8").includes(` ${room.mount} `),
  model: statSync(join(room.mount, "models/deepseek/deep-Q4_K_M.gguf")).size,
  objects: ["namespaces", "secrets", "configmaps", "deployments", "services"].map((plural) =>
    room.cluster.store.list(plural).map(({ metadata }) => metadata.name),
  ),
  answers: room.cluster.pods().length,
});

const WANTED = {
  effects: { created: 1, started: 1, formatted: 1 },
  mounted: true,
  model: statSync(MODEL).size,
  objects: [
    ["ai-workloads"],
    ["leviathan-secrets"],
    ["leviathan-gateway-config"],
    ["leviathan", "leviathan-gateway"],
    ["leviathan", "leviathan-gateway", "leviathan-mcp"],
  ],
  answers: 2,
};

/** Kills a run at one write, goes on, and says what is wrong then. `writes` is how many a whole run makes. */
async function faultsOf(place: House, write: number): Promise<readonly string[]> {
  const room = await openRoom(place);
  try {
    const killed = await apply(room, { KILL_AT_WRITE: `${write}`, KILL_WHEN: "after" });
    // Steps run side by side, so runs differ by a few entries: one that was over before was not killed.
    if (killed.code !== null && killed.code !== 0 && killed.code !== 137)
      return [`write ${write}: the killed run ended with ${killed.code}: ${killed.stderr}`];
    const resumed = await apply(room);
    const state = stateOf(room);
    const ended =
      resumed.code === 0 ? [] : [`write ${write}: ${resumed.code}: ${resumed.stdout}${resumed.stderr}`];
    return isDeepStrictEqual(state, WANTED) ? ended : [...ended, `write ${write}: ${JSON.stringify(state)}`];
  } catch (thrown) {
    return [`write ${write}: ${String(thrown)}`];
  } finally {
    await room.close();
  }
}

it.skipIf(skipped !== "")(
  `comes to the same end from a kill at writes of the journal${skipped}`,
  async () => {
    if (typeof house === "string") throw new Error(house);
    const whole = await openRoom(house);
    const count = join(counts.path, "count");
    const first = await apply(whole, { COUNT_WRITES_TO: count });
    expect(first.code).toBe(0);
    expect(stateOf(whole)).toEqual(WANTED);
    await whole.close();
    const writes = Number(readFileSync(count, "utf8"));
    expect(writes).toBeGreaterThan(40);
    const faults: string[] = [];
    const kills = Array.from({ length: writes }, (_, index) => index + 1);
    const queue = kills.filter(isChosen).values();
    const worker = async (): Promise<void> => {
      for (const write of queue) {
        const found = await faultsOf(house, write);
        faults.push(...found);
        if (LOG !== undefined) appendFileSync(LOG, `${write} of ${writes}: ${found.join("; ") || "right"}\n`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(faults).toEqual([]);
  },
  3_600_000,
);
