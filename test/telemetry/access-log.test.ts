import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { NewEvent } from "../../src/core/index.ts";
import { createTelemetry } from "../../src/telemetry/index.ts";
import type { RequestRecord, Telemetry, TelemetryOptions } from "../../src/telemetry/index.ts";
import { temporaryFolder } from "../e2e/run-node.ts";
import { makeNamedPipe } from "../fakes/named-pipe.ts";
import { NAMES, record } from "./records.ts";

type Logs = NonNullable<TelemetryOptions["logs"]>;

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
let told: NewEvent[];
let opened: Telemetry[];
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "log", "omni.log");
  told = [];
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((telemetry) => telemetry.close(1000)));
  folder.remove();
});

function logging(changes: Partial<Logs> = {}): Telemetry {
  const telemetry = createTelemetry({
    version: "0.1.0",
    names: NAMES,
    metrics: true,
    logs: { access: true, level: "info", format: "text", file, maxSize: 1e6, keep: 3, ...changes },
    tell: (event) => told.push(event),
  });
  opened.push(telemetry);
  return telemetry;
}

/** What is in the log once everything is written. */
async function written(telemetry: Telemetry, ...records: readonly Partial<RequestRecord>[]): Promise<string> {
  for (const changes of records) telemetry.meter.finished(record(changes));
  await telemetry.close(5000);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

describe("a line", () => {
  it("says for a person who asked what, what became of it and how long it took", async () => {
    const text = await written(
      logging(),
      {},
      {
        status: 200,
        outcome: "cut",
        attempts: 2,
        continued: 1,
        error: "engine_cut",
        stream: true,
        queued: 0.2,
      },
    );
    expect(text).toBe(
      "2026-11-22T02:00:00.125Z POST /v1/chat/completions 200 2.5 s key=alice route=assistant service=oracle tokens=1000+45 first=300 ms queued=12 ms id=req-1\n" +
        "2026-11-22T02:00:00.125Z POST /v1/chat/completions 200 cut 2.5 s key=alice route=assistant service=oracle tokens=1000+45 first=300 ms attempts=2 continued=1 error=engine_cut id=req-1\n",
    );
  });

  it("is one object as JSON, with the trace it belongs to and how its tries failed", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const text = await written(logging({ format: "json" }), {
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
      duration: 1234.56789,
      tries: [
        { service: "worker", began: 1, ended: 2, failure: "connect" },
        { service: "oracle", began: 2, ended: 3 },
      ],
    });
    expect(JSON.parse(text)).toEqual({
      time: "2026-11-22T02:00:00.125Z",
      level: "info",
      kind: "request",
      id: "req-1",
      method: "POST",
      path: "/v1/chat/completions",
      operation: "chat",
      status: 200,
      outcome: "answered",
      key: "alice",
      route: "assistant",
      service: "oracle",
      engine: "vllm",
      model: "qwen3-32b",
      stream: true,
      attempts: 1,
      continued: 0,
      duration: 1234.568,
      queued: 12,
      firstToken: 300,
      promptTokens: 1000,
      completionTokens: 45,
      cachedTokens: 800,
      bytesIn: 4096,
      bytesOut: 9000,
      failures: ["worker: connect"],
      trace,
    });
  });

  it.each(["text", "json"] as const)("as %s has no secret of a query and no second line", async (format) => {
    const path = `/v1/models?api%5Fkey=s3cret&Token=s3cret&access_token=s3cret&limit=5&s3cret-without-a-name&x\n2026 forged`;
    const text = await written(logging({ format }), { path, id: "a\r\nb\u001B[31m" });
    expect(text).not.toContain("s3cret");
    expect(text).toContain("limit=5");
    expect(text.split("\n")).toHaveLength(2);
    expect(text).not.toContain("\u001B");
  });

  it.each([
    ["info", 4],
    ["warning", 3],
    ["error", 2],
  ] as const)("of level %s and above is written", async (level, lines) => {
    const text = await written(
      logging({ level }),
      {},
      { status: 404, outcome: "refused" },
      { status: 200, outcome: "cut" },
      { status: 500, outcome: "answered" },
    );
    expect(text.split("\n").length - 1).toBe(lines);
  });

  it("is of the moment its request ended, and lines come in that order, thousands at once and up to the end", async () => {
    const telemetry = logging({ format: "json", maxSize: 1e8 });
    const tries = [{ service: "worker", began: 1, ended: 2, failure: "connect" }];
    telemetry.meter.finished(record({ id: "0", tries }));
    // One that lost a race ends when the answer is whole already.
    tries.push({ service: "oracle", began: 1, ended: 9, failure: "aborted" });
    for (let id = 1; id < 3000; id++) {
      telemetry.meter.finished(record({ id: String(id), key: `key-${id % 7}`, status: 200 + (id % 3) }));
      if (id % 500 === 0) await pause(1);
    }
    await telemetry.close(5000);
    const line = z.object({ id: z.string(), key: z.string(), failures: z.array(z.string()).optional() });
    const lines = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((one) => line.parse(JSON.parse(one)));
    expect(lines.map(({ id }) => Number(id))).toEqual(Array.from({ length: 3000 }, (_, n) => n));
    expect(lines.slice(1).every(({ id, key }) => key === `key-${Number(id) % 7}`)).toBe(true);
    expect(lines[0]?.failures).toEqual(["worker: connect"]);
    expect(told).toEqual([]);
  });

  it("is not written where the spec wants none", async () => {
    expect(await written(logging({ access: false }), {}, {})).toBe("");
    expect(existsSync(file)).toBe(false);
  });
});

describe("a file", () => {
  it("is rotated at its size, keeps as many as asked for and loses no line", async () => {
    const telemetry = logging({ maxSize: 2000, keep: 2 });
    for (let batch = 0; batch < 6; batch++) {
      for (let line = 0; line < 5; line++) telemetry.meter.finished(record({ id: `${batch}-${line}` }));
      await pause(260);
    }
    await telemetry.close(5000);
    const names = readdirSync(join(folder.path, "log")).toSorted();
    expect(names).toEqual(["omni.log", "omni.log.1", "omni.log.2"]);
    const ids = names
      .toReversed()
      .map((name) => readFileSync(join(folder.path, "log", name), "utf8"))
      .join("")
      .matchAll(/id=(\S+)/g);
    const kept = [...ids].map(([, id]) => id);
    // Two batches of 750 bytes fit into a file: six batches are three files, none lost, in order.
    expect(kept).toEqual(Array.from({ length: 30 }, (_, n) => `${Math.floor(n / 5)}-${n % 5}`));
    for (const name of names) expect(statSync(join(folder.path, "log", name)).size).toBeLessThanOrEqual(2000);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(told).toEqual([]);
  });

  it("that somebody else moved away is opened anew", async () => {
    const telemetry = logging();
    telemetry.meter.finished(record({ id: "before" }));
    await until(() => existsSync(file) && statSync(file).size > 0);
    renameSync(file, `${file}.moved`);
    telemetry.meter.finished(record({ id: "after" }));
    await telemetry.close(5000);
    expect(readFileSync(`${file}.moved`, "utf8")).toMatch(/id=before\n$/);
    expect(readFileSync(file, "utf8")).toMatch(/^[^\n]*id=after\n$/);
  });

  it("of several processes is rotated by one and followed by the others", async () => {
    const main = logging({ maxSize: 1000 });
    const worker = logging({ maxSize: 1000, rotates: false });
    const all: string[] = [];
    for (let batch = 0; batch < 4; batch++) {
      for (const [name, telemetry] of [["main", main] as const, ["worker", worker] as const]) {
        for (let line = 0; line < 2; line++) {
          all.push(`${name}-${batch}-${line}`);
          telemetry.meter.finished(record({ id: `${name}-${batch}-${line}` }));
        }
        await pause(230);
      }
    }
    await Promise.all([main.close(5000), worker.close(5000)]);
    const texts = readdirSync(join(folder.path, "log")).map((name) =>
      readFileSync(join(folder.path, "log", name), "utf8"),
    );
    expect(texts.length).toBeGreaterThan(1);
    const ids = [...texts.join("").matchAll(/id=(\S+)/g)].map(([, id]) => id);
    expect(ids).toHaveLength(all.length);
    expect(new Set(ids)).toEqual(new Set(all));
  });

  it("that cannot be written costs lines, which are counted and told once", async () => {
    writeFileSync(join(folder.path, "log"), "a file where a folder should be");
    const telemetry = logging();
    for (let line = 0; line < 10; line++) telemetry.meter.finished(record());
    await until(() => told.length > 0);
    for (let line = 0; line < 5; line++) telemetry.meter.finished(record());
    await telemetry.close(5000);
    expect(told.map(({ kind, severity, data }) => [kind, severity, data])).toEqual([
      ["telemetry.lost", "warning", { what: "access_log", count: 10 }],
      ["telemetry.lost", "warning", { what: "access_log", count: 5 }],
    ]);
    expect(told[0]?.message).toMatch(/^Lost lines of the access log: 10; the log cannot be written: E/);
  });
});

describe("a disk that stands still", () => {
  it("stops nobody: lines wait up to their bound, the rest is dropped and counted", async () => {
    const fifo = join(folder.path, "slow");
    makeNamedPipe(fifo);
    // A pipe that nobody reads takes 64 KiB and then nothing more: as near to a dead disk as a test comes without being root.
    const holder = await open(fifo, "r+");
    try {
      const telemetry = logging({ file: fifo });
      let slowest = 0;
      for (let turn = 0; turn < 40; turn++) {
        const began = performance.now();
        for (let line = 0; line < 1000; line++) telemetry.meter.finished(record());
        await pause(1);
        slowest = Math.max(slowest, performance.now() - began);
      }
      // 40 000 lines of 150 bytes are 6 MB, of which 4 MiB may wait.
      expect(slowest).toBeLessThan(2000);
      const began = performance.now();
      await telemetry.close(200);
      expect(performance.now() - began).toBeLessThan(3000);
      const lost = told.reduce((sum, { data }) => sum + Number(data?.["count"]), 0);
      expect(lost).toBeGreaterThan(10_000);
      expect(lost).toBeLessThanOrEqual(40_000);
      await drained(holder);
    } finally {
      await holder.close();
    }
  });

  it("and a standard error that nobody reads either", async () => {
    const child = spawn(process.execPath, [resolve(import.meta.dirname, "../fakes/log-to-stderr.ts")], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      const [said] = z.tuple([z.instanceof(Buffer)]).parse(await once(child.stdout, "data"));
      const { turns, slowest } = z
        .object({ turns: z.number(), slowest: z.number() })
        .parse(JSON.parse(said.toString()));
      expect(turns).toBe(20);
      expect(slowest).toBeLessThan(3000);
      let bytes = 0;
      child.stderr.on("data", (chunk: Buffer) => (bytes += chunk.length));
      const [code] = z.tuple([z.number(), z.null()]).parse(await once(child, "exit"));
      expect(code).toBe(0);
      expect(bytes).toBeGreaterThan(100_000);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

/** Reads what is stuck in a pipe, so that whoever writes into it comes to an end. */
async function drained(pipe: Awaited<ReturnType<typeof open>>): Promise<void> {
  const buffer = Buffer.alloc(1 << 20);
  for (let quiet = 0; quiet < 1;) {
    const got = await Promise.race([pipe.read(buffer, 0, buffer.length, null), pause(300, undefined)]);
    if (got === undefined) quiet++;
  }
  // A read may wait still: a byte ends it.
  await pipe.write("\n");
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += 20) {
    if (waited > 10_000) throw new Error("it did not come to be so within ten seconds");
    await pause(20);
  }
}
