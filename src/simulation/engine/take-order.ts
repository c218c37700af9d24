import { faultFrom } from "../faults/fault.ts";
import type { Fault } from "../faults/fault.ts";
import type { Engine, EngineProgram } from "./engine.ts";
import { EngineEnd } from "./engine-end.ts";
import type { Call } from "./http.ts";
import { bodyOf, sendJson } from "./http.ts";
import { listening } from "./listening.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);
/** So that the answer to the order leaves before the engine does. */
const LAST_ANSWER = 20;

/** `POST /simulate/fault`: takes an order to fail, from this machine only. */
export async function takeOrder(engine: Engine, program: EngineProgram, call: Call): Promise<void> {
  const from = call.request.socket.remoteAddress;
  if (from !== undefined && !LOOPBACK.has(from)) return sendJson(call, 403, { error: "loopback only" });
  const fault = parsed(await bodyOf(call).catch(() => ""));
  if (fault === undefined) return sendJson(call, 400, { error: "no known fault" });
  if (fault.name === "heal") {
    engine.faults.heal();
    listening(engine).open();
  } else engine.faults.add(fault, (fault) => beginFault(engine, program, fault));
  call.response.writeHead(204, { connection: "close" }).end();
}

function parsed(text: string): Fault | undefined {
  try {
    return faultFrom(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Does what a fault does by itself; all others are met by requests. */
export function beginFault(engine: Engine, program: EngineProgram, fault: Fault): void {
  switch (fault.name) {
    case "die":
      return afterAnswer(() => die(engine, fault));
    case "oom-at-run":
      return afterAnswer(() => program.outOfMemoryAtRun(engine));
    case "core-dead":
      return afterAnswer(() => program.coreDead(engine, fault.ms ?? 5000));
    case "deaf":
      listening(engine).close();
      if (fault.for !== undefined) setTimeout(() => listening(engine).open(), fault.for);
      return;
    case "leak":
      return leak(engine, program, fault);
    default:
  }
}

const afterAnswer = (act: () => void): void => void setTimeout(act, LAST_ANSWER);

/** Codes that shells and containers report for a death by signal; a real one of these two would leave a core file. */
const BY_SIGNAL = { SIGSEGV: 139, SIGABRT: 134 } as const;
const LAST_WORDS = { SIGSEGV: "Segmentation fault (core dumped)", SIGABRT: "Aborted (core dumped)" } as const;

function die(engine: Engine, { signal, code = 1, text }: Fault): void {
  const lines = text === undefined ? [] : text.split("\n");
  if (signal === "SIGSEGV" || signal === "SIGABRT")
    engine.end(new EngineEnd([...lines, LAST_WORDS[signal]], BY_SIGNAL[signal]));
  if (signal === undefined) engine.end(new EngineEnd(lines, code));
  for (const line of lines) engine.say(line);
  // Not the own handler of SIGTERM: the signal itself ends it.
  process.removeAllListeners("SIGTERM");
  process.kill(process.pid, signal);
}

const SECOND = 1000;
const TICK = 250;

function leak(engine: Engine, program: EngineProgram, { bytes = 64 * 1024 * 1024 }: Fault): void {
  const card = engine.cards[0] ?? "cpu";
  const timer = setInterval(() => {
    if (engine.faults.find("leak") === undefined) return clearInterval(timer);
    const more = Math.ceil((bytes * TICK) / SECOND);
    if (engine.board?.hold(card, more, { term: "compute", name: engine.settings.kind }) !== false) return;
    clearInterval(timer);
    program.outOfMemoryAtRun(engine);
  }, TICK);
}
