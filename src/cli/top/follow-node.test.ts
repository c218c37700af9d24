import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../../test/fakes/alive.ts";
import { nodeState } from "../../../test/fakes/top-state.ts";
import { askNode } from "./ask-node.ts";
import { followNode } from "./follow-node.ts";
import type { NodeState } from "./node-state.ts";
import type { Link } from "./top-model.ts";

type Answer = (res: ServerResponse, req: IncomingMessage) => void;

const json =
  (status: number, body: unknown): Answer =>
  (res) =>
    void res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
const missing = json(404, { error: { message: "No such path." } });
const refused = json(403, { error: { message: "This is for keys that may change the node (admin: true)." } });
/** A stream that says these and stays open. */
const streaming =
  (...messages: readonly string[]): Answer =>
  (res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(`retry: 1000\n\n: hello\n\n${messages.join("")}`);
  };
const message = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const status = nodeState(["oracle"]).status;

/** A server with these paths and no others; paths without what follows their question mark. */
async function serve(
  paths: Record<string, Answer>,
): Promise<{ url: string; server: Server; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? "");
    (paths[req.url?.split("?")[0] ?? ""] ?? missing)(res, req);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}`, server, asked };
}

/** Follows until the test ends; what was told, newest last. */
function follow(first: NodeState, base: () => string): { state: NodeState; link: Link }[] {
  const told: { state: NodeState; link: Link }[] = [];
  const ending = new AbortController();
  const ended = followNode(first, {
    base,
    tell: (state, link) => told.push({ state, link }),
    signal: ending.signal,
  });
  onTestFinished(async () => {
    ending.abort();
    await ended;
  });
  return told;
}

const asking = new AbortController().signal;

describe("what a node is asked once", () => {
  it("leaves out what is not for this key or not in its version", async () => {
    const { url } = await serve({ "/api/status": json(200, status), "/api/hardware": refused });
    expect(await askNode(url, asking)).toEqual({ status, events: [], untold: [] });
  });

  it("puts requests that ended into the order of their time", async () => {
    const row = {
      started: 0,
      method: "POST",
      path: "/",
      operation: "chat",
      status: 200,
      outcome: "answered",
      key: "k",
    };
    const more = {
      stream: false,
      attempts: 1,
      continued: 0,
      duration: 1,
      queued: 0,
      bytesIn: 0,
      bytesOut: 0,
    };
    const requests = ["new", "old"].map((id) => ({ id, ...row, ...more }));
    const { url } = await serve({
      "/api/status": json(200, status),
      "/api/requests": json(200, { requests }),
    });
    expect((await askNode(url, asking)).requests?.map(({ id }) => id)).toEqual(["old", "new"]);
  });

  it("refuses what is no node", async () => {
    const { url } = await serve({ "/api/status": json(200, { hello: "world" }) });
    await expect(askNode(url, asking)).rejects.toMatchObject({ code: "cli.no-node" });
  });
});

describe("what is followed", () => {
  it("takes over what the stream tells, and asks for what follows the last event", async () => {
    const changes = { services: [{ ...status.services[0], state: "failed" }], gone: [], traffic: {} };
    const { url, asked } = await serve({
      "/api/status": json(200, status),
      "/api/stream": streaming(message("weather", {}), message("services", changes)),
    });
    const told = follow(nodeState(["oracle"]), () => url);
    await eventually("the change", () => told.at(-1)?.state.status.services[0]?.state === "failed");
    expect(told.at(-1)?.link).toEqual({ state: "live" });
    expect(asked[0]).toBe("/api/stream?topics=status,services,hardware,events,requests,open&after=3");
  });

  it("asks for the plan again when routes and findings are others", async () => {
    const { url, asked } = await serve({
      "/api/status": json(200, status),
      "/api/stream": streaming(message("status", status), message("status", status)),
    });
    follow(nodeState([]), () => url);
    await eventually("the question", () => asked.includes("/api/plan"));
    expect(asked.filter((path) => path === "/api/plan")).toHaveLength(1);
  });

  it("a key without admin sees what status tells, and why no more", async () => {
    const { url } = await serve({ "/api/status": json(200, status), "/api/stream": refused });
    const told = follow(nodeState([]), () => url);
    await eventually("a second look", () => told.length > 1);
    expect(told.at(-1)?.state.status.services.map(({ name }) => name)).toEqual(["oracle"]);
    expect(told.at(-1)?.link).toMatchObject({
      state: "polled",
      why: expect.stringContaining("OMNI_KEY"),
    });
  });

  it("a node without a stream is asked, and its version is named", async () => {
    const { url } = await serve({ "/api/status": json(200, status) });
    const told = follow(nodeState([]), () => url);
    await eventually("a look", () => told.length > 0);
    expect(told[0]?.link).toMatchObject({ state: "polled", why: expect.stringContaining("version 0.1.0") });
  });

  it("a node that restarts elsewhere is found again; until then it is lost since one moment", async () => {
    const first = await serve({ "/api/status": json(200, status), "/api/stream": streaming() });
    const second = await serve({
      "/api/status": json(200, { ...status, version: "0.2.0" }),
      "/api/stream": streaming(),
    });
    let url = first.url;
    const told = follow(nodeState([]), () => url);
    await eventually("the stream", () => told.at(-1)?.link.state === "live");
    first.server.close();
    first.server.closeAllConnections();
    const lost = (): Link[] => told.map(({ link }) => link).filter(({ state }) => state === "lost");
    await eventually("two attempts", () => lost().length > 1);
    expect(new Set(lost().map((link) => (link.state === "lost" ? link.since : 0))).size).toBe(1);
    url = second.url;
    await eventually("the other node", () => told.at(-1)?.link.state === "live");
    expect(told.at(-1)?.state.status.version).toBe("0.2.0");
  });
});
