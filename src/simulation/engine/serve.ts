import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { rmSync } from "node:fs";
import type { LocalAddress } from "../../core/address.ts";
import type { Engine, EngineProgram } from "./engine.ts";
import type { Call, Routes } from "./http.ts";
import { routeOf, sendJson } from "./http.ts";
import { takeOrder } from "./take-order.ts";

/**
 * Not by an import: the names of a built-in module are all read then, and those of `node:http` hold a WebSocket, with which
 * the whole of undici would be loaded at each start of an engine.
 */
const { createServer } = process.getBuiltinModule("node:http");

/** Listens on an address. Rejects with the system's error, such as EADDRINUSE. */
export function listen(address: LocalAddress, answer: RequestListener): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 5000 }, answer);
  if (address.kind === "unix") rmSync(address.path, { force: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const done = (): void => resolve(server);
    if (address.kind === "unix") server.listen(address.path, done);
    else server.listen(address.port, address.host, done);
  });
}

/** Answers requests by routes, and misbehaves where it was told to. */
export function answerBy(engine: Engine, program: EngineProgram, routes: Routes): RequestListener {
  return (request, response) => {
    const call = callOf(request, response);
    if (call.path === "/simulate/fault") return void takeOrder(engine, program, call);
    // Neither an answer nor an end: the client waits.
    if (engine.faults.find("stall") !== undefined) return;
    for (const [name, value] of Object.entries(program.headers)) response.setHeader(name, value);
    const route = routeOf(routes, call.method, call.path);
    if (route === undefined) return sendJson(call, 404, program.notFound);
    settle(route, call).catch(() => response.destroy());
  };
}

function callOf(request: IncomingMessage, response: ServerResponse): Call {
  const url = new URL(request.url ?? "/", "http://engine");
  const left = new AbortController();
  response.once("close", () => left.abort());
  request.on("error", () => {});
  return {
    request,
    response,
    method: request.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    signal: left.signal,
  };
}

/** A handler's end as a promise, also of one that throws at once. */
async function settle(route: (call: Call) => Promise<void> | void, call: Call): Promise<void> {
  await route(call);
}
