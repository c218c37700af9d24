import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { isAlive } from "../fakes/alive.ts";
import type { CountingEngine } from "../fakes/counting-engine.ts";
import { startCountingEngine } from "../fakes/counting-engine.ts";

const PARENT = fileURLToPath(new URL("../fakes/gateway-parent.ts", import.meta.url));

interface State {
  readonly pids: readonly number[];
  readonly load: { readonly running: number; readonly waiting: number };
  readonly leases: number;
  readonly mostLeases: number;
  readonly broken: readonly string[];
  readonly requests: number;
  readonly usage: readonly { readonly requests: number; readonly completionTokens: number }[];
  readonly events: readonly string[];
}

/** A node in a process of its own, with workers. */
class NodeWithWorkers implements AsyncDisposable {
  readonly agent = new Agent({ keepAlive: true });
  readonly child: ChildProcess;
  url = "";

  constructor(enginePort: number, places: number, workers: number, port = 0) {
    const given = [enginePort, places, workers, port].map(String);
    this.child = fork(PARENT, given, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  }

  async start(): Promise<unknown> {
    const [told] = await once(this.child, "message");
    this.url = told.url ?? "";
    return told;
  }

  async order(order: string): Promise<State> {
    const answer = once(this.child, "message");
    this.child.send(order);
    const [state] = await answer;
    return state;
  }

  /** Waits until the node stands as is expected. */
  async until(fits: (state: State) => boolean): Promise<State> {
    for (;;) {
      const state = await this.order("state");
      if (fits(state)) return state;
      await sleep(20);
    }
  }

  async ask(path: string, body?: object, agent = this.agent): Promise<IncomingMessage> {
    const asked = request(this.url + path, { method: body === undefined ? "GET" : "POST", agent });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const [answer] = await once(asked, "response");
    return answer;
  }

  chat(stream = false, agent = this.agent): Promise<IncomingMessage> {
    const messages = [{ role: "user", content: "hello" }];
    return this.ask(
      "/v1/chat/completions",
      { model: "oracle", messages, ...(stream ? { stream } : {}) },
      agent,
    );
  }

  /** All of its processes are gone. */
  async gone(pids: readonly number[]): Promise<void> {
    while (pids.some(isAlive)) await sleep(20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent.destroy();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, "exit");
    if (this.child.connected) this.child.send("close 0");
    await exit;
  }
}

async function startNode(enginePort: number, places: number, workers: number): Promise<NodeWithWorkers> {
  const node = new NodeWithWorkers(enginePort, places, workers);
  await node.start();
  return node;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) text += chunk;
  return text;
}

/** The text of an answer, and whether it broke before its end. */
async function outcomeOf(answer: IncomingMessage): Promise<"whole" | "cut"> {
  try {
    return (await textOf(answer)).includes("[DONE]") ? "whole" : "cut";
  } catch {
    return "cut";
  }
}

describe("workers on one port", () => {
  let engine: CountingEngine;
  let node: NodeWithWorkers;

  beforeAll(async () => {
    engine = await startCountingEngine(3);
    node = await startNode(engine.port, 3, 3);
  });
  afterAll(async () => {
    await node[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
  });

  it("never have more requests at an engine than it has places, and answer all of them", async () => {
    const answers = await Promise.all(
      Array.from({ length: 240 }, async () => {
        const answer = await node.chat();
        return [answer.statusCode, (await textOf(answer)).includes('"hi"')];
      }),
    );
    expect(answers.filter(([status, isWhole]) => status === 200 && isWhole === true)).toHaveLength(240);
    expect(engine.most).toBe(3);
    const state = await node.until(
      ({ load, leases, requests }) => load.running === 0 && leases === 0 && requests === 240,
    );
    expect(state.mostLeases).toBe(3);
    expect(state.load.waiting).toBe(0);
    expect(state.pids).toHaveLength(3);
    const { usage } = await node.until(
      (now) => now.usage.reduce((sum, row) => sum + row.requests, 0) === 240,
    );
    expect(usage.reduce((sum, row) => sum + row.completionTokens, 0)).toBe(240);
  });

  it("tell of the whole node, whoever answers", async () => {
    const { pids } = await node.order("state");
    const status = JSON.parse(await textOf(await node.ask("/api/status")));
    expect(status.traffic.oracle).toMatchObject({ attempts: 240, inFlight: 0, completionTokens: 240 });
    expect(status.workers).toEqual(pids);
    const metrics = await textOf(await node.ask("/metrics"));
    expect(metrics).toMatch(/omni_requests_total\{[^}]*code="200"\} 240\n/);
    expect(JSON.parse(await textOf(await node.ask("/api/hardware")))).toEqual({ cards: 0 });
    expect((await node.ask("/api/services/oracle/load", {})).statusCode).toBe(202);
    expect((await node.ask("/api/services/oracle/unload", {})).statusCode).toBe(409);
    expect((await node.ask("/api/services/nobody/load", {})).statusCode).toBe(404);
  });

  it("follow a change of the number of places, and return what they do not use when the service drains", async () => {
    await node.order("places 1");
    const first = await node.chat(true);
    const second = node.chat(true);
    await node.until(({ load }) => load.waiting === 1);
    await node.order("places 2");
    expect((await second).statusCode).toBe(200);
    expect((await node.order("ready no")).leases).toBe(2);
    engine.finish();
    expect(await Promise.all([outcomeOf(first), outcomeOf(await second)])).toEqual(["whole", "whole"]);
    // The engine may stop now: nobody holds a lease, and nobody gets one.
    await node.until(({ leases, load }) => leases === 0 && load.running === 0);
    expect((await node.ask("/readyz")).statusCode).toBe(503);
    await node.order("ready yes");
    expect((await node.chat()).statusCode).toBe(200);
  });

  it("take a request out of the queue when its client leaves", async () => {
    await node.order("places 1");
    const busy = await node.chat(true);
    const leaving = new Agent();
    const waiting = node.chat(true, leaving);
    await node.until(({ load }) => load.waiting === 1);
    leaving.destroy();
    await expect(waiting).rejects.toThrow("socket hang up");
    await node.until(({ load }) => load.waiting === 0);
    engine.finish();
    expect(await outcomeOf(busy)).toBe("whole");
  });

  it("when one dies: its own connections break alone, its places are free, and another one serves in its stead", async () => {
    await node.order("places 12");
    const agents = Array.from({ length: 12 }, () => new Agent());
    const streams = await Promise.all(agents.map((agent) => node.chat(true, agent)));
    const { pids, load } = await node.order("state");
    expect(load.running).toBe(12);
    const outcomes = streams.map(outcomeOf);
    const [victim = 0] = pids;
    process.kill(victim, "SIGKILL");
    const after = await node.until((state) =>
      state.events.some((event) => event.startsWith("gateway.worker-started")),
    );
    const died = after.events.find((event) => event.startsWith("gateway.worker-died"));
    const lost = Number(/its (\d+) places/.exec(died ?? "")?.[1]);
    expect(died).toContain("Worker 1 of the gateway ended (signal SIGKILL)");
    expect(after.load.running).toBe(12 - lost);
    expect(after.leases).toBe(12 - lost);
    expect(after.pids).toHaveLength(3);
    expect(after.pids).not.toContain(victim);
    engine.finish();
    const ends = await Promise.all(outcomes);
    expect(ends.filter((end) => end === "cut")).toHaveLength(lost);
    expect(ends.filter((end) => end === "whole")).toHaveLength(12 - lost);
    const again = await Promise.all(Array.from({ length: 12 }, () => node.chat()));
    expect(again.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 12 }, () => 200));
    for (const agent of agents) agent.destroy();
  });

  it("do not begin where the port is taken", async () => {
    await using other = new NodeWithWorkers(0, 1, 2, Number(new URL(node.url).port));
    expect(await other.start()).toEqual({ failed: "node.port-busy" });
    await once(other.child, "exit");
  });

  it("end when the parent is killed, after what runs had its time, and leave no process", async () => {
    const stream = await node.chat(true);
    const { pids } = await node.order("state");
    const exit = once(node.child, "exit");
    node.child.kill("SIGKILL");
    await exit;
    await untilRefused(node.url);
    engine.finish();
    expect(await outcomeOf(stream)).toBe("whole");
    await node.gone(pids);
  });
});

it("a stop lets running streams finish, takes nothing new and leaves no process", async () => {
  await using engine = await startCountingEngine(1);
  await using node = await startNode(engine.port, 4, 1);
  const streams = await Promise.all([node.chat(true), node.chat(true)]);
  const { pids } = await node.order("close 20000");
  await expect(untilRefused(node.url)).resolves.toBe(true);
  const outcomes = streams.map(outcomeOf);
  engine.finish();
  expect(await Promise.all(outcomes)).toEqual(["whole", "whole"]);
  await once(node.child, "exit");
  await node.gone(pids);
});

/** True once nobody takes connections there. */
async function untilRefused(url: string): Promise<boolean> {
  for (;;) {
    const asked = request(`${url}/healthz`, { agent: new Agent() });
    asked.end();
    try {
      const [answer] = await once(asked, "response");
      answer.resume();
    } catch {
      return true;
    }
    await sleep(20);
  }
}
