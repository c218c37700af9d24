import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openRequests, openStore } from "./index.ts";
import type { RequestRow, Requests, Store } from "./index.ts";
import { databasePath } from "./state-paths.ts";

/** The beginning of a minute. */
const MINUTE = 60_000;
const BEGIN = Math.floor(Date.now() / MINUTE) * MINUTE - 10 * MINUTE;

let folder: string;
let store: Store;
let requests: Requests;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-test-"));
  store = openStore(folder);
  requests = openRequests(folder);
});
afterEach(async () => {
  await requests.close();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

let made = 0;
const record = (started: number, changes: Partial<RequestRow> = {}): void =>
  requests.record({
    id: `req_${made++}`,
    started,
    method: "POST",
    path: "/v1/chat/completions",
    operation: "chat",
    status: 200,
    outcome: "answered",
    key: "alice",
    service: "oracle",
    stream: true,
    attempts: 1,
    continued: 0,
    duration: 1100,
    queued: 0,
    firstToken: 100,
    completionTokens: 11,
    bytesIn: 10,
    bytesOut: 20,
    ...changes,
  });

describe("how a service answered", () => {
  it("is told step by step: counts, tokens, times to the first token, and the pace after it", async () => {
    for (let i = 1; i <= 100; i++) record(BEGIN + i, { firstToken: i, duration: i + 1000 });
    record(BEGIN + 2 * MINUTE, {
      outcome: "failed",
      status: 502,
      firstToken: undefined,
      completionTokens: undefined,
    });
    record(BEGIN + 2 * MINUTE, { outcome: "cut" });
    record(BEGIN + 2 * MINUTE, { status: 500 });
    record(BEGIN + 2 * MINUTE, { status: 400, stream: false, firstToken: undefined });
    record(BEGIN + 2 * MINUTE, { outcome: "abandoned", status: 499 });
    record(BEGIN, { service: "flux" });
    const told = await requests.history({
      service: "oracle",
      from: BEGIN,
      to: BEGIN + 10 * MINUTE,
      step: MINUTE,
    });
    expect(told).toEqual({
      step: MINUTE,
      points: [
        {
          time: BEGIN,
          requests: 100,
          failed: 0,
          ttft: { p50: 50, p95: 95 },
          tokensPerSecond: 10,
          completionTokens: 1100,
        },
        {
          time: BEGIN + 2 * MINUTE,
          requests: 5,
          failed: 3,
          ttft: { p50: 100, p95: 100 },
          tokensPerSecond: 10,
          completionTokens: 44,
        },
      ],
    });
  });

  it("has neither times nor a pace where no answer tells of them", async () => {
    record(BEGIN, { stream: false, firstToken: undefined, completionTokens: 3 });
    record(BEGIN + 1, { outcome: "failed", firstToken: undefined, completionTokens: undefined });
    const { points } = await requests.history({
      service: "oracle",
      from: BEGIN,
      to: BEGIN + MINUTE,
      step: MINUTE,
    });
    expect(points).toEqual([{ time: BEGIN, requests: 2, failed: 1, completionTokens: 3 }]);
  });

  it("ends before the moment it is asked up to, and says nothing of who was never asked", async () => {
    record(BEGIN);
    const asked = { from: BEGIN - MINUTE, to: BEGIN, step: MINUTE };
    expect(await requests.history({ service: "oracle", ...asked })).toEqual({ step: MINUTE, points: [] });
    expect((await requests.history({ service: "nobody", ...asked })).points).toEqual([]);
  });

  it("puts the newest two hundred of a step in order, and makes steps longer rather than more than a thousand", async () => {
    for (let i = 0; i < 300; i++) record(BEGIN + i, { firstToken: i < 100 ? 9000 : 50 });
    const day = 24 * 60 * MINUTE;
    const { step, points } = await requests.history({
      service: "oracle",
      from: BEGIN + MINUTE - day,
      to: BEGIN + MINUTE,
      step: 1000,
    });
    expect([step, points.length]).toEqual([86_400, 1]);
    expect(points[0]).toMatchObject({ requests: 300, ttft: { p50: 50, p95: 50 } });
  });

  it("is found by service and time alone", () => {
    const database = new DatabaseSync(databasePath(folder), { readOnly: true });
    const plan = database
      .prepare(
        "EXPLAIN QUERY PLAN SELECT count(*) FROM requests WHERE service = ? AND time >= ? AND time < ?",
      )
      .all("oracle", 0, 1);
    database.close();
    expect(JSON.stringify(plan)).toContain("requests_by_service (service=? AND time>? AND time<?)");
  });
});
