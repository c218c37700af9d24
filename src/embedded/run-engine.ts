import { rmSync } from "node:fs";
import type { Server } from "node:http";
import type { LocalAddress } from "../core/index.ts";
import { messageOf, OmniError } from "../core/index.ts";
import type { Failure } from "./api-error.ts";
import { parseArguments } from "./arguments.ts";
import type { EngineArguments } from "./arguments.ts";
import { BatchLoop } from "./batch-loop.ts";
import { Embedder } from "./embedder.ts";
import type { EngineState } from "./engine.ts";
import { loadModel } from "./load-model.ts";
import { createEngineServer } from "./server.ts";

/** Starts to listen, loads the model, serves until a signal. Ends the process by itself in every case. */
export async function runEngine(argv: readonly string[]): Promise<void> {
  let state: EngineState = { state: "loading", progress: 0 };
  try {
    const args = parseArguments(argv);
    const server = createEngineServer(() => state);
    await listen(server, args.address);
    stopOnSignals(server, args, () => {
      if (state.state !== "ready") return false;
      state = { state: "draining", engine: state.engine };
      return true;
    });
    const model = await loadModel(args, (progress) => {
      state = { state: "loading", progress };
    });
    const loop = new BatchLoop(model.context, model, {
      contextTokens: args.contextTokens,
      parallel: args.parallel,
      queue: args.queue,
      batchTokens: model.batchTokens,
    });
    loop.run().catch((error: unknown) => fail(error));
    state = { state: "ready", engine: { model, loop, embeddings: new Embedder(model, loop) } };
    say({ event: "ready", model: model.alias, threads: model.threads });
  } catch (error) {
    state = { state: "failed", failure: failureOf(error) };
    fail(error);
  }
}

async function listen(server: Server, address: LocalAddress): Promise<void> {
  if (address.kind === "unix") rmSync(address.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const done = (): void => {
      server.off("error", reject);
      resolve();
    };
    if (address.kind === "unix") server.listen(address.path, done);
    else server.listen(address.port, address.host, done);
  });
  const bound = server.address();
  say({
    event: "listening",
    address: typeof bound === "object" && bound !== null ? `${bound.address}:${bound.port}` : bound,
  });
}

/** On SIGTERM and SIGINT: answer 503 to new work, finish what runs or let the grace time pass, exit 0. */
function stopOnSignals(server: Server, args: EngineArguments, drain: () => boolean): void {
  let stopping = false;
  let answering = 0;
  const leave = (): void => {
    if (args.address.kind === "unix") rmSync(args.address.path, { force: true });
    process.exit(0);
  };
  server.on("request", (request, response) => {
    if (request.method !== "POST") return;
    answering++;
    response.once("close", () => {
      answering--;
      if (stopping && answering === 0) leave();
    });
  });
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    if (!drain() || answering === 0) leave();
    else setTimeout(leave, args.grace);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

function failureOf(error: unknown): Failure {
  if (error instanceof OmniError) return { code: error.code, message: error.message, hint: error.hint };
  const failed = new OmniError("engine.load-failed", `The embedded engine failed: ${messageOf(error)}`);
  return { code: failed.code, message: failed.message, hint: failed.hint };
}

/** Tells the parent why on stdout and ends: 2 for bad input, 1 otherwise. */
function fail(error: unknown): never {
  say({ event: "failed", ...failureOf(error) });
  process.exit(error instanceof OmniError ? error.exitCode : 1);
}

/** One JSON line to the parent. Stdout is a pipe or file, to which Node writes synchronously on POSIX. */
function say(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
