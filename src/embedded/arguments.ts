import { parseArgs } from "node:util";
import type { LocalAddress } from "../core/index.ts";
import { messageOf, OmniError } from "../core/index.ts";

/** How this engine was started. */
export interface EngineArguments {
  readonly model: string;
  readonly alias: string;
  readonly address: LocalAddress;
  /** Tokens that one request may use, prompt and answer together. */
  readonly contextTokens: number;
  readonly parallel: number;
  readonly queue: number;
  readonly threads: number | "auto";
  readonly gpu: "auto" | false;
  /** Milliseconds that requests in flight get after SIGTERM. */
  readonly grace: number;
}

const OPTIONS = {
  model: { type: "string" },
  alias: { type: "string" },
  socket: { type: "string" },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string" },
  context: { type: "string", default: "2048" },
  parallel: { type: "string", default: "4" },
  queue: { type: "string", default: "64" },
  threads: { type: "string", default: "auto" },
  gpu: { type: "string", default: "false" },
  grace: { type: "string", default: "20000" },
} as const;

const HINT =
  "node src/embedded/main.ts --model FILE --alias NAME (--socket PATH | --host HOST --port N) --context TOKENS --parallel N --queue N --threads N|auto [--gpu false|auto] [--grace MS]";

/** Reads the command line. Throws `OmniError` with `cli.bad-argument`. */
export function parseArguments(argv: readonly string[]): EngineArguments {
  const values = parsed(argv);
  const { model, socket, host, port } = values;
  if (model === undefined) throw refused("--model is missing");
  if ((socket === undefined) === (port === undefined)) throw refused("give either --socket or --port");
  if (values.gpu !== "auto" && values.gpu !== "false")
    throw refused(`--gpu is ${values.gpu}, not auto or false`);
  return {
    model,
    alias: values.alias ?? (model.split("/").at(-1) ?? model).replace(/\.gguf$/i, ""),
    address:
      socket === undefined
        ? { kind: "tcp", host, port: whole("--port", port ?? "", 0, 65_535) }
        : { kind: "unix", path: socket },
    contextTokens: whole("--context", values.context, 16, 16_777_216),
    parallel: whole("--parallel", values.parallel, 1, 256),
    queue: whole("--queue", values.queue, 0, 100_000),
    threads: values.threads === "auto" ? "auto" : whole("--threads", values.threads, 1, 512),
    gpu: values.gpu === "auto" ? "auto" : false,
    grace: whole("--grace", values.grace, 0, 3_600_000),
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw refused(messageOf(error));
  }
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw refused(`${name} is ${text}; it must be a whole number from ${least} to ${most}`);
}

const refused = (why: string): OmniError =>
  new OmniError("cli.bad-argument", `The embedded engine cannot start: ${why}.`, { hint: HINT });
