import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  childrenOf,
  eventually,
  launch,
  omni,
  processesWith,
  startNode,
  temporaryFolder,
} from "./run-node.ts";
import type { RunningNode } from "./run-node.ts";
import { z } from "zod";
import { isAlive } from "../fakes/alive.ts";

const STATUS = z.object({
  services: z.array(
    z.object({ name: z.string(), state: z.string(), pid: z.number().optional(), restarts: z.number() }),
  ),
});

async function service(node: RunningNode): Promise<z.infer<typeof STATUS>["services"][number]> {
  const [first] = STATUS.parse(await (await fetch(`${node.url}/api/status`)).json()).services;
  if (first === undefined) throw new Error("the node serves nothing");
  return first;
}

/** The service once it is ready again after one more restart. */
async function backAfter(node: RunningNode, restarts: number): ReturnType<typeof service> {
  await eventually(async () => {
    const now = await service(node);
    return now.state === "ready" && now.restarts > restarts;
  });
  return service(node);
}

const ask = (node: RunningNode, body: Record<string, unknown>): Promise<Response> =>
  fetch(`${node.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "omni-demo",
      temperature: 0,
      messages: [{ role: "user", content: "What is Omni?" }],
      ...body,
    }),
  });

/** An answer that takes seconds whatever the model would like to say: the grammar allows no end before. */
const LONG = {
  response_format: {
    type: "json_schema",
    json_schema: { name: "long", schema: { type: "array", items: { type: "integer" }, minItems: 600 } },
  },
};

describe("a node and its engine", () => {
  const folder = temporaryFolder();
  let node: RunningNode;
  beforeAll(async () => {
    node = await startNode([], folder.path);
  });
  afterAll(async () => {
    await node.interrupt();
    folder.remove();
  });

  it("prints the URL, what serves, and a curl line that works", async () => {
    await eventually(() => node.stdout().includes("curl"));
    expect(node.stdout()).toContain(`${node.url}/v1`);
    expect(node.stdout()).toMatch(/omni-demo\s+ready/);
  });

  it("status, events and chat find it by the state folder", async () => {
    const status = await omni(["status", "--json"], folder.path);
    expect(STATUS.parse(JSON.parse(status.stdout)).services[0]).toMatchObject({
      name: "omni-demo",
      state: "ready",
    });
    const events = await omni(["events", "--json"], folder.path);
    const kinds = events.stdout
      .trim()
      .split("\n")
      .map((line) => z.object({ kind: z.string() }).parse(JSON.parse(line)).kind);
    expect(kinds).toEqual(expect.arrayContaining(["node.started", "service.starting", "service.ready"]));
    const chat = await omni(["chat", "What is Omni?"], folder.path);
    expect(chat.code).toBe(0);
    expect(chat.stdout.length).toBeGreaterThan(20);
  });

  it("the engine is killed while requests wait for their answers: all are answered, and the engine is back", async () => {
    const { pid = 0, restarts } = await service(node);
    const answers = Array.from({ length: 8 }, () => ask(node, { max_tokens: 100, ...LONG }));
    await new Promise((wake) => setTimeout(wake, 30));
    process.kill(pid, "SIGKILL");
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
    const after = await backAfter(node, restarts);
    expect(after.pid).not.toBe(pid);
    expect(after.restarts).toBe(restarts + 1);
  });

  it("a stream that had begun when the engine was killed ends with an error event, never as if it were whole", async () => {
    const { pid = 0, restarts } = await service(node);
    const response = await ask(node, { stream: true, max_tokens: 2000, ...LONG });
    let text = "";
    for await (const piece of response.body ?? []) {
      if (text === "") process.kill(pid, "SIGKILL");
      text += Buffer.from(piece).toString();
    }
    const events = text.trim().split("\n\n");
    expect(events.length).toBeGreaterThan(1);
    expect(
      z
        .object({ error: z.object({ message: z.string() }) })
        .parse(JSON.parse(events.at(-1)?.replace(/^data: /, "") ?? "")).error.message,
    ).not.toBe("");
    expect(text).not.toContain("[DONE]");
    expect(await backAfter(node, restarts)).toMatchObject({ state: "ready" });
    await eventually(() => /service\.crashed[\s\S]*service\.ready/.test(node.stderr()));
  });

  it("a second node on the same state folder is refused and leaves the first alone", async () => {
    const second = await omni(["up", "--port", "0"], folder.path);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("node.already-running");
    expect((await service(node)).state).toBe("ready");
  });
});

describe("the end of a node", () => {
  it("Ctrl-C stops everything and exits 0; events stay readable", async () => {
    const folder = temporaryFolder();
    const node = await startNode([], folder.path);
    const { pid = 0 } = await service(node);
    expect(await node.interrupt()).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect(processesWith(folder.path)).toEqual([]);
    const events = await omni(["events"], folder.path);
    expect(events.stdout).toContain("node.stopped");
    folder.remove();
  });

  it("SIGKILL of Omni in the middle of an answer: the next start takes the engine over, and its end is the engine's", async () => {
    const folder = temporaryFolder();
    const node = await startNode([], folder.path);
    const { pid = 0 } = await service(node);
    const response = await ask(node, { stream: true, max_tokens: 2000, ...LONG });
    await response.body?.getReader().read();
    node.child.kill("SIGKILL");
    await once(node.child, "close");
    const again = await startNode([], folder.path);
    expect((await service(again)).pid).toBe(pid);
    expect((await ask(again, { max_tokens: 4, ...LONG })).status).toBe(200);
    expect(await again.interrupt()).toBe(0);
    expect(isAlive(pid)).toBe(false);
    folder.remove();
  });

  it("SIGKILL of Omni while the engine is still starting: the next start finds it, and nothing is left after that", async () => {
    const folder = temporaryFolder();
    const child = launch(["up", "--port", "0"], folder.path);
    let engines: number[] = [];
    await eventually(() => {
      engines = childrenOf(child.pid ?? 0);
      return engines.length > 0;
    });
    child.kill("SIGKILL");
    await once(child, "close");
    const again = await startNode([], folder.path);
    expect(await again.interrupt()).toBe(0);
    await eventually(() => !engines.some(isAlive));
    expect(engines.filter(isAlive)).toEqual([]);
    folder.remove();
  });
});
