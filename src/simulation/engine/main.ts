/**
 * A simulated engine: `main.ts --simulate JSON -- COMMAND…`, where COMMAND is the real engine's own. It speaks the protocol,
 * writes the log and holds the memory of its kind, and fails where it was told to.
 */
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { takePlanted } from "../faults/planted-faults.ts";
import type { Engine, EngineProgram } from "./engine.ts";
import { createEngine } from "./engine.ts";
import { argumentsOf } from "./command-line.ts";
import { EngineEnd } from "./engine-end.ts";
import { readEngineSettings } from "./engine-settings.ts";
import { keepDoors } from "./listening.ts";
import { findProgram } from "./programs.ts";
import { answerBy, listen } from "./serve.ts";
import { beginFault } from "./take-order.ts";

async function run([flag, json, , ...command]: readonly string[]): Promise<void> {
  if (flag !== "--simulate" || json === undefined)
    throw new Error("usage: main.ts --simulate JSON -- COMMAND");
  const settings = readEngineSettings(json);
  const program = await findProgram(settings.kind);
  const engine = createEngine(settings, program.readLine(argumentsOf(command)), program);
  try {
    await start(engine, program);
  } catch (error) {
    if (!(error instanceof EngineEnd)) throw error;
    engine.end(error);
  }
}

async function start(engine: Engine, program: EngineProgram): Promise<void> {
  const { settings, faults } = engine;
  const planted = settings.board === undefined ? [] : takePlanted(settings.board, settings.service);
  const later = [];
  for (const fault of [...(settings.faults ?? []), ...planted]) {
    if (MEETS_START.has(fault.name)) faults.add(fault);
    else later.push(fault);
  }
  engine.loadTime = faults.find("slow-start")?.ms ?? engine.loadTime;
  endOnSigterm(engine, program);
  const wrong = faults.take("wrong-flag");
  const unknown =
    wrong === undefined
      ? engine.line.unknown
      : [wrong.text ?? engine.line.words.find((word) => word.startsWith("--")) ?? "--flag"];
  if (unknown.length > 0) throw program.refuse(engine, unknown);
  if (program.listensAtOnce) await openDoors(engine, program);
  await program.load(engine);
  if (!program.listensAtOnce) await openDoors(engine, program);
  engine.ready = true;
  for (const line of program.readyLines(engine)) engine.say(line);
  for (const fault of later) faults.add(fault, (fault) => beginFault(engine, program, fault));
  const exit = faults.find("exit-after-ready");
  if (exit !== undefined) setTimeout(() => engine.end(new EngineEnd([], exit.code ?? 0)), exit.ms ?? 200);
}

/** Faults that meet the start; all others begin when it is ready. */
const MEETS_START: ReadonlySet<string> = new Set([
  "slow-start",
  "hang-at-load",
  "oom-at-load",
  "port-busy",
  "no-kernel",
  "on-processor",
  "exit-after-ready",
  "no-model",
  "wrong-flag",
  "ignore-term",
]);

async function openDoors(engine: Engine, program: EngineProgram): Promise<void> {
  const { address } = engine.settings;
  if (engine.faults.take("port-busy") !== undefined) throw program.portBusy(engine);
  const busy = (): never => {
    throw program.portBusy(engine);
  };
  const server: Server = await listen(address, answerBy(engine, program, program.routes(engine))).catch(busy);
  server.on("error", () => {});
  const { upgrade } = program;
  if (upgrade !== undefined) server.on("upgrade", (request, socket) => upgrade(engine, request, socket));
  keepDoors(engine, server, (closed) => {
    if (address.kind === "unix") closed.listen(address.path);
    else closed.listen(address.port, address.host);
  });
  const second = program.second?.port(engine);
  if (program.second === undefined || second === undefined || address.kind === "unix") return;
  await listen({ ...address, port: second }, answerBy(engine, program, program.second.routes(engine))).catch(
    busy,
  );
}

/** How often it looks whether the last request is done, ms. */
const LOOK = 20;

function endOnSigterm(engine: Engine, program: EngineProgram): void {
  const { stopLines } = program;
  const ignored = engine.faults.find("ignore-term") !== undefined;
  if (stopLines === undefined && !ignored) return;
  process.on("SIGTERM", () => {
    if (engine.faults.find("ignore-term") !== undefined) return;
    void (async () => {
      while (program.finishesRequests === true && engine.work.running > 0) await sleep(LOOK);
      engine.end(new EngineEnd(stopLines?.(engine) ?? [], 0));
    })();
  });
}

// Whoever read the log is gone: that is no reason to end.
process.stderr.on("error", () => {});
await run(process.argv.slice(2));
