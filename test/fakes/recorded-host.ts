/** A host as it was recorded: files in a temporary folder, and what its programs said. */
import { mkdirSync, symlinkSync } from "node:fs";
import { posix } from "node:path";
import type { HostView } from "../../src/host/doctor/check.ts";
import { observeMachine } from "../../src/inventory/index.ts";
import type { ProgramResult } from "../../src/inventory/index.ts";
import { fakeMachine } from "./fake-machine.ts";
import type { FakeMachine } from "./fake-machine.ts";

/** What a program said: its standard output, all of how it ended, or why it did not end. */
export type Said =
  | string
  | { readonly code: number; readonly stdout?: string; readonly stderr?: string }
  | Extract<ProgramResult, { readonly ended: false }>;

export interface Recording {
  /** Text by path, with or without the first slash. A link leads to another path, or is kept as it is when it begins with a dot. */
  readonly files?: Readonly<Record<string, string | { readonly link: string }>>;
  /** By the words as typed (`nvidia-smi -L`), or by the program alone as a function of its arguments. All others are absent. */
  readonly commands?: Readonly<Record<string, Said | ((args: readonly string[]) => Said | undefined)>>;
  /** Bytes by mount point. */
  readonly space?: Readonly<Record<string, { readonly size: number; readonly free: number }>>;
  /** Milliseconds since the epoch; 2026-01-01 when absent. */
  readonly now?: number;
}

export interface RecordedView extends HostView, Disposable {
  readonly now: number;
  /** Every command that was asked for, in order. */
  readonly asked: readonly string[];
}

/** A view of a recording; a resource for `using`. */
export async function recordedView(recording: Recording): Promise<RecordedView> {
  const fake = fakeMachine();
  layDown(fake, recording.files ?? {});
  const asked: string[] = [];
  const said = (argv: readonly [string, ...string[]]): Promise<ProgramResult> => {
    asked.push(argv.join(" "));
    return Promise.resolve(answerOf(recording.commands ?? {}, argv));
  };
  const space = (path: string): { readonly size: number; readonly free: number } | undefined =>
    Object.entries(recording.space ?? {})
      .filter(([mount]) => mount === "/" || path === mount || path.startsWith(`${mount}/`))
      .toSorted(([one], [other]) => other.length - one.length)[0]?.[1];
  return {
    name: "recorded host",
    kind: "recorded",
    root: fake.root,
    machine: await observeMachine({
      root: fake.root,
      ask: (program, args) => said([program, ...args]),
      measure: async (path) => space(path) ?? Promise.reject(new Error(`${path} was not recorded`)),
    }),
    said,
    space: (path) => Promise.resolve(space(path)),
    now: recording.now ?? Date.UTC(2026, 0, 1),
    asked,
    [Symbol.dispose]: () => fake.remove(),
  };
}

function layDown(fake: FakeMachine, files: NonNullable<Recording["files"]>): void {
  for (const [path, content] of Object.entries(files)) {
    const below = path.replace(/^\//, "");
    if (typeof content === "string") fake.files({ [below]: content });
    else if (content.link.startsWith(".")) {
      mkdirSync(posix.dirname(fake.root + below), { recursive: true });
      symlinkSync(content.link, fake.root + below);
    } else fake.link(below, content.link.replace(/^\//, ""));
  }
}

function answerOf(
  commands: NonNullable<Recording["commands"]>,
  [program, ...args]: readonly [string, ...string[]],
): ProgramResult {
  const entry = commands[[program, ...args].join(" ")] ?? commands[program];
  const said = typeof entry === "function" ? entry(args) : entry;
  if (said === undefined)
    return { ended: false, why: "absent", message: `${program}: spawn ${program} ENOENT` };
  if (typeof said === "string") return { ended: true, code: 0, stdout: said, stderr: "" };
  return "code" in said ? { ended: true, stdout: "", stderr: "", ...said } : said;
}
