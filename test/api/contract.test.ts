import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { writeFileSync } from "node:fs";

import { OPERATIONS, STREAM_EVENTS } from "../../src/api/contract/index.ts";
import type { Answer } from "../../src/api/contract/index.ts";
import type { Operation } from "../../src/api/contract/operation.ts";
import { eventually, ROOT, startNode, temporaryFolder } from "../e2e/run-node.ts";
import type { RunningNode } from "../e2e/run-node.ts";
import { writeToyRuns } from "./toy-runs.ts";
import type { StreamClient } from "./stream-client.ts";
import { readStream } from "./stream-client.ts";
import { strictShape } from "./strict-shape.ts";

const ADMIN = "sk-of-the-owner-0123456789";
const GETS = Object.entries<Operation>(OPERATIONS).flatMap(([name, operation]) =>
  name.startsWith("GET ") && operation.events === undefined
    ? [{ path: name.slice("GET ".length), answer: operation.answer }]
    : [],
);
const EVENTS = new Map(Object.entries(STREAM_EVENTS));

const TWO_PROCESSES = `omni: 1
name: two-processes
models: { demo: builtin:omni-demo }
services:
  first: { model: demo, engine: embedded, parallel: 2 }
  second: { model: demo, engine: embedded, parallel: 2 }
routes:
  chat: { services: [first, second], retries: 2 }
gateway: { workers: 2 }
keys:
  owner: { env: OMNI_TEST_OWNER, admin: true }
`;

const NODES: readonly { readonly what: string; readonly spec?: string; readonly args: readonly string[] }[] =
  [
    { what: "the demo", args: [] },
    {
      what: "a simulated reference system",
      args: [join(ROOT, "examples/concrete-bunker.fixed.yaml"), "--simulate"],
    },
    { what: "a node of several processes", spec: TWO_PROCESSES, args: [] },
  ];

describe.each(NODES)("$what", ({ args, spec }) => {
  const folder = temporaryFolder();
  const headers = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" };
  let node: RunningNode;
  let stream: StreamClient;

  const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(node.url + path, { ...init, headers });
    return response.json();
  };
  const status = async (): Promise<Answer<"GET /api/status">> => {
    const response = await fetch(`${node.url}/api/status`, { headers });
    const told: Answer<"GET /api/status"> = JSON.parse(await response.text());
    return told;
  };
  const chat = (model: string): Promise<unknown> =>
    ask("/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify({
        model,
        max_tokens: 100,
        messages: [{ role: "user", content: "What is Omni?" }],
      }),
    });

  const has = (text: string): boolean => stream.told.some(({ data }) => JSON.stringify(data).includes(text));
  /** Whether a request was told while it was being answered. */
  const isOpenTold = (): boolean =>
    stream.told.some(({ event, data }) => event === "open" && Object(data).requests.length > 0);

  beforeAll(async () => {
    vi.stubEnv("OMNI_TEST_OWNER", ADMIN);
    if (spec !== undefined) writeFileSync(join(folder.path, "omni.yaml"), spec);
    const state = join(folder.path, "state");
    writeToyRuns(state);
    node = await startNode(spec === undefined ? args : [join(folder.path, "omni.yaml")], state);
    stream = await readStream(`${node.url}/api/stream`, headers);
  }, 120_000);
  afterAll(async () => {
    stream?.leave();
    await node?.interrupt();
    vi.unstubAllEnvs();
    folder.remove();
  });

  it("tells by the stream what changes, while it is asked, loses an engine and is given orders", async () => {
    const { routes, services } = await status();
    const [route] = routes;
    const victim = services.find(({ state, pid }) => state === "ready" && pid !== undefined);
    await chat(route?.name ?? "");
    await chat("no-such-model");
    process.kill(victim?.pid ?? 0, "SIGKILL");
    await eventually(async () => {
      const now = (await status()).services;
      return (
        now.some(({ restarts }) => restarts > 0) &&
        now.every(({ state }) => state === "ready" || state === "unloaded")
      );
    });
    const stepped = await ask(`/api/services/${victim?.name ?? ""}/step-down`, { method: "POST" });
    // Only an engine that has steps takes one.
    await eventually(() => Object(stepped).ok !== true || has('"rung":1'));
    for (let asked = 0; asked < 100 && !isOpenTold(); asked++) await chat(route?.name ?? "");
    expect(isOpenTold()).toBe(true);
    expect(new Set(stream.told.map(({ event }) => event))).toEqual(new Set(EVENTS.keys()));
  });

  it("says in every message of the stream what the contract says, and no more", () => {
    const wrong = stream.told.flatMap(({ event, data }) => {
      const shape = EVENTS.get(event);
      return shape === undefined
        ? [`${event} is no event of the stream`]
        : strictShape(shape)(data).map((fault) => `${event}${fault}`);
    });
    expect([...new Set(wrong)]).toEqual([]);
  });

  it("answers every question as the contract says, and no more", async () => {
    const { services } = await status();
    const hardware = await ask("/api/hardware");
    const uuid = /GPU-[\w-]+/.exec(JSON.stringify(hardware))?.[0] ?? "GPU-none";
    const given: Readonly<Record<string, string>> = {
      uuid,
      name: services[0]?.name ?? "",
      spec: "toy",
      run: "1",
    };
    const wrong: string[] = [];
    for (const { path, answer } of GETS) {
      const asked = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => given[name] ?? "");
      const response = await fetch(node.url + asked, { headers });
      const body: unknown = await response.json();
      if (response.status !== 200)
        wrong.push(`${asked}: ${response.status} ${JSON.stringify(body).slice(0, 300)}`);
      wrong.push(...strictShape(answer)(body).map((fault) => `${asked}: ${fault}`));
    }
    expect([...new Set(wrong)]).toEqual([]);
  });

  it("takes every operation of the table", async () => {
    const missing: string[] = [];
    for (const name of Object.keys(OPERATIONS)) {
      const [method = "", path = ""] = name.split(" ");
      const asked = path.replaceAll(/\{\w+\}/g, "x");
      const allow =
        (await fetch(node.url + asked, { method: "OPTIONS", headers })).headers.get("allow") ?? "";
      if (!allow.split(", ").includes(method)) missing.push(`${name}: ${allow}`);
    }
    expect(missing).toEqual([]);
  });

  it("gives browsers the console, and says of it what may be kept", async () => {
    const asked = { accept: "text/html", "accept-encoding": "br" };
    const page = await fetch(node.url, { headers: asked });
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await page.text()).toMatch(/^<!doctype html>/i);
    const lines = await fetch(node.url);
    expect(await lines.text()).toContain("one endpoint for the models of this node");
    expect((await fetch(`${node.url}/assets/nothing.js`)).status).toBe(404);
  });

  it("ends the stream in good order when it stops", async () => {
    await node.interrupt();
    expect(await stream.ended).toBe(true);
  });
});
