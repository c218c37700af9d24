import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { until } from "../../fakes/gateway-under-test.ts";
import type { Dialect } from "./client.ts";
import { bodyOf, DIALECTS, PATHS } from "./client.ts";
import type { FaultEngine } from "./matrix-node.ts";
import { MatrixNode, seenAt, startFaultEngine } from "./matrix-node.ts";

/** What a cancel may take, ms, on a machine that does other things: the median, and the slowest. */
const MOST = 250;
const MOST_EVER = 5_000;

let engine: FaultEngine;
let node: MatrixNode;
const took: number[] = [];
let count = 0;

beforeAll(async () => {
  engine = await startFaultEngine();
  const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
  const services = names.flatMap((name) => [name, `${name}b`]);
  node = await new MatrixNode({
    services: services.map((name) => ({ name, port: engine.port })),
    routes: names.map((name) => ({ name: `r${name}`, services: [name, `${name}b`] })),
  }).listen();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await engine.stop();
});

interface Left {
  readonly service: string;
  /** By the clock that this machine's processes share, ns. */
  readonly at: bigint;
}

/** Asks, and hangs up as soon as `enough` says so of what came, or shortly after the service it names was asked. */
function leave(
  dialect: Dialect,
  stream: boolean,
  orders: string,
  enough: RegExp | "first" | "second",
): Promise<Left> {
  const service = `s${count++}`;
  const addressed = orders.replaceAll("$", service);
  const body = JSON.stringify(bodyOf(dialect, `r${service}`, addressed, stream));
  return new Promise((resolve, reject) => {
    const req = request(node.url + PATHS[dialect], {
      method: "POST",
      agent: false,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "x-request-id": service,
        authorization: `Bearer ${service}`,
      },
    });
    const hangUp = (): void => {
      req.off("error", reject).on("error", () => undefined);
      resolve({ service, at: process.hrtime.bigint() });
      req.destroy();
    };
    req.on("error", reject).on("response", (res) => {
      let text = "";
      res
        .on("error", () => undefined)
        .on("data", (chunk: Buffer) => {
          const before = typeof enough !== "string" && enough.test(text);
          text += chunk.toString();
          if (typeof enough !== "string" && !before && enough.test(text)) hangUp();
        });
    });
    req.end(body);
    if (typeof enough === "string") {
      const awaited = enough === "first" ? service : `${service}b`;
      until(async () => (await seenAt(engine.port)).some(({ model }) => model === awaited))
        .then(() => sleep(20))
        .then(hangUp)
        .catch(reject);
    }
  });
}

/** Milliseconds until the engine that was at work knew; what else came of the request is asserted. */
async function check(left: Left, engineOf = left.service): Promise<void> {
  const gone = async (): Promise<string | undefined> =>
    (await seenAt(engine.port)).find(({ model }) => model === engineOf)?.gone;
  await until(async () => (await gone()) !== undefined);
  const time = Number(BigInt((await gone()) ?? 0) - left.at) / 1e6;
  took.push(time);
  expect(time).toBeLessThan(MOST_EVER);
  const record = (): unknown => node.records.find(({ id }) => id === left.service);
  await until(() => record() !== undefined);
  expect(record()).toMatchObject({ outcome: "abandoned", key: left.service });
  expect(node.settled.get(left.service)).toHaveLength(1);
}

describe("a client that hangs up", () => {
  it.each(DIALECTS)("in a stream of %s: the engine knows at once", async (dialect) => {
    for (let i = 0; i < 6; i++) {
      const left = await leave(dialect, true, "[$ gap 40]", /Brücken/);
      await check(left);
      // What was said is charged: three tokens at least.
      const entry = node.usage.find(({ key }) => key === left.service);
      expect(entry?.completionTokens).toBeGreaterThanOrEqual(3);
      expect(entry?.promptTokens).toBeGreaterThan(0);
    }
  });

  it.each(DIALECTS)("before a whole answer in %s: the engine knows, nothing is charged", async (dialect) => {
    for (let i = 0; i < 3; i++) {
      const left = await leave(dialect, false, "[$ slow 9000]", "first");
      await check(left);
      expect(node.settled.get(left.service)).toEqual([0]);
    }
  });

  it("in a stream of which another engine says the rest: that one knows", async () => {
    const left = await leave("chat", true, "[$ cut 3] [$b gap 60]", /mußt/);
    await check(left, `${left.service}b`);
    expect(node.records.find(({ id }) => id === left.service)).toMatchObject({ continued: 1, attempts: 2 });
  });

  it("while the second of two tries is at work: both are free again", async () => {
    const left = await leave("chat", false, "[$ close] [$b slow 9000]", "second");
    await check(left, `${left.service}b`);
    await until(() => node.leased === 0);
  });

  it("has reached the engine within a quarter of a second, mostly", () => {
    const [median = 0] = took.toSorted((a, b) => a - b).slice(took.length / 2);
    process.stdout.write(
      `a cancel reached the engine after ${median.toFixed(1)} ms (median of ${took.length}, most ${Math.max(...took).toFixed(1)})\n`,
    );
    expect(took.length).toBeGreaterThan(30);
    expect(median).toBeLessThan(MOST);
  });
});
