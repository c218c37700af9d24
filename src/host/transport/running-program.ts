import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { messageOf } from "../../core/index.ts";
import { boundedOutput, textOf } from "./bounded-output.ts";
import type { KeptOutput } from "./bounded-output.ts";
import type { CommandResult, HostCommand } from "./transport.ts";

/** Bytes of each stream that are kept where the command says nothing. */
const MOST_BYTES = 256 << 10;
/** What a program leaves running may hold its pipes for ever; milliseconds that are waited for them after its end. */
const GRACE = 1000;
/** Milliseconds for a killed program to be gone: one that hangs in the kernel never is. */
const DYING = 5000;

export type ProgramEnd =
  | { readonly ended: true; readonly code: number }
  | {
      readonly ended: false;
      readonly why: "absent" | "failed" | "disconnected";
      readonly message: string;
    };

/** A started program, whatever carries its pipes. */
export interface RunningProgram {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the program has ended, and never fails. */
  readonly end: Promise<ProgramEnd>;
  /** Settles when its pipes are closed as well, and never fails. */
  readonly closed: Promise<unknown>;
  /** Kills it and all it started. Throws nothing. */
  kill(): void;
  /** Lets go of its pipes. */
  release(): void;
}

type Limit = "timeout" | "aborted";

/** How a program ended, with its output as bytes. */
export interface ProgramOutcome {
  readonly end: ProgramEnd | { readonly ended: false; readonly why: Limit; readonly message: string };
  readonly stdout: KeptOutput;
  readonly stderr: KeptOutput;
  /** Milliseconds. */
  readonly duration: number;
}

/** Feeds a started program, gathers what it says, and kills it at its limits. Throws nothing. */
export async function followProgram(command: HostCommand, program: RunningProgram): Promise<ProgramOutcome> {
  const since = performance.now();
  const stdout = gather("stdout", program.stdout, command);
  const stderr = gather("stderr", program.stderr, command);
  const fed = feed(command.input, program);
  const limit = Promise.withResolvers<Limit>();
  const onAbort = (): void => limit.resolve("aborted");
  const timer = setTimeout(() => limit.resolve("timeout"), command.timeout);
  command.signal?.addEventListener("abort", onAbort, { once: true });
  if (command.signal?.aborted === true) onAbort();
  const first = await Promise.race([program.end, limit.promise, fed]);
  clearTimeout(timer);
  command.signal?.removeEventListener("abort", onAbort);
  if (typeof first !== "string" && first.ended) await atMost(GRACE, program.closed);
  else if (typeof first === "string" || first.why === "failed") {
    program.kill();
    await atMost(DYING, program.closed);
  }
  program.release();
  return {
    end: typeof first === "string" ? stopped(first, command) : first,
    stdout: stdout.kept(),
    stderr: stderr.kept(),
    duration: performance.now() - since,
  };
}

/** An outcome as its caller sees it. */
export function resultOf({ end, stdout, stderr, duration }: ProgramOutcome): CommandResult {
  const said = { stdout: textOf(stdout), stderr: textOf(stderr), duration };
  return end.ended ? { ...end, ...said, leftOut: stdout.leftOut + stderr.leftOut } : { ...end, ...said };
}

/** The result of a program that was never started. */
export const notStarted = (
  why: Extract<CommandResult, { ended: false }>["why"],
  message: string,
): ProgramOutcome => ({
  end: { ended: false, why, message },
  stdout: NOTHING,
  stderr: NOTHING,
  duration: 0,
});

const NOTHING: KeptOutput = { head: Buffer.alloc(0), tail: Buffer.alloc(0), leftOut: 0 };

const stopped = (why: Limit, { argv, timeout }: HostCommand): ProgramOutcome["end"] => ({
  ended: false,
  why,
  message:
    why === "timeout"
      ? `${argv[0]} did not end within ${timeout / 1000} s and was killed`
      : `${argv[0]} was stopped`,
});

function gather(
  name: "stdout" | "stderr",
  stream: Readable,
  { onOutput, mostBytes = MOST_BYTES }: HostCommand,
): { kept(): KeptOutput } {
  const output = boundedOutput(mostBytes);
  const decoder = new StringDecoder("utf8");
  const tell = (text: string): void => {
    if (text !== "") onOutput?.(name, text);
  };
  stream.on("data", (chunk: Buffer) => {
    output.add(chunk);
    tell(decoder.write(chunk));
  });
  stream.on("error", () => {});
  stream.once("end", () => tell(decoder.end()));
  return output;
}

/** Settles only when its source fails: a program need not read all it is given. */
async function feed(input: HostCommand["input"], program: RunningProgram): Promise<ProgramEnd> {
  const { stdin } = program;
  stdin.on("error", () => {});
  if (input === undefined || typeof input === "string" || input instanceof Uint8Array) {
    stdin.end(input);
  } else {
    let fault: Error | undefined;
    input.once("error", (error) => (fault = error));
    await pipeline(input, stdin).catch(() => {});
    if (fault !== undefined)
      return { ended: false, why: "failed", message: `its input broke off: ${messageOf(fault)}` };
  }
  return await new Promise<never>(() => {});
}

/** Waits for a promise that never fails, for so many milliseconds. */
async function atMost(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([promise, over]);
  clearTimeout(timer);
}
