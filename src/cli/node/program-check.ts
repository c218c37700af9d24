import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, join } from "node:path";
import { CODES, OmniError } from "../../core/index.ts";
import { findEngineDriver } from "../../engines/index.ts";
import { runBounded } from "../../inventory/run-bounded.ts";
import { wrappedCommand } from "./wrapped-command.ts";

/** What an installed program said of itself. */
interface ProgramFacts {
  readonly version?: string;
  /** Empty where it gave none. */
  readonly help: string;
}

/** Engines over PyTorch import for many seconds before they print their help, ms. */
const PATIENCE = 90_000;

export interface CheckedCommand {
  readonly service: string;
  /** Kind of engine in the catalog. */
  readonly kind: string;
  readonly command: readonly [string, ...string[]];
  /** Where answers are kept from one run to the next. */
  readonly cacheFolder: string;
  /** Longest wait for an answer, ms. */
  readonly patience?: number;
}

/**
 * Asks the program of a command once for its version and flags, and remembers that for as long as its file stays the same.
 * A program that is not found or says nothing is none of this check's business: its start will tell. Throws OmniError
 * `engine.unknown-flag` when the command has flags that the program does not know.
 */
export async function checkProgram(checked: CheckedCommand): Promise<void> {
  const { service, kind, command } = checked;
  const program = findEngineDriver(kind)?.program;
  const [name] = wrappedCommand(command);
  // An owner's own shell is asked nothing: what it would do is not known.
  const path = program === undefined || SHELL.test(basename(name)) ? undefined : programPath(name);
  if (program === undefined || path === undefined) return;
  const facts = await factsOf(path, checked);
  const unknown = program.unknownFlags(facts.help, command);
  if (unknown.length === 0) return;
  const named = unknown
    .map(({ flag, meant }) => (meant === undefined ? flag : `${flag} (it knows ${meant})`))
    .join(", ");
  const version = facts.version === undefined ? "" : ` ${facts.version}`;
  throw new OmniError(
    "engine.unknown-flag",
    `services.${service}: ${path}${version} does not know ${named}.`,
    { hint: CODES["engine.unknown-flag"].remedy },
  );
}

const known = new Map<string, Promise<ProgramFacts>>();

/** What the program at a path says of itself, from memory, from the cache of an earlier run, or by asking. */
function factsOf(
  path: string,
  { kind, cacheFolder, patience = PATIENCE }: CheckedCommand,
): Promise<ProgramFacts> {
  const { size, mtimeMs } = statSync(path);
  const key = createHash("sha256").update(`${kind}\n${path}\n${size}\n${mtimeMs}`).digest("hex").slice(0, 24);
  const before = known.get(key);
  if (before !== undefined) return before;
  // The file of an interpreter stays the same when what it runs is upgraded.
  const cache = INTERPRETER.test(basename(path)) ? undefined : join(cacheFolder, `${key}.json`);
  const cached = cache === undefined ? undefined : readCached(cache);
  const facts = cached === undefined ? ask(path, kind, patience, cache) : Promise.resolve(cached);
  known.set(key, facts);
  return facts;
}

const SHELL = /^(?:ba|da|z)?sh$/;
const INTERPRETER = /^(?:python|node|uv|pypy)[\d.]*$/;

/** A program that does not answer is not asked a second thing, and its silence is not kept: it may be a slow first start. */
async function ask(
  path: string,
  kind: string,
  patience: number,
  cache: string | undefined,
): Promise<ProgramFacts> {
  const program = findEngineDriver(kind)?.program;
  if (program === undefined) return { help: "" };
  const said = async (args: readonly string[]): Promise<string | undefined> => {
    const result = await runBounded(path, args, { timeout: patience });
    return result.ended ? `${result.stdout}\n${result.stderr}` : undefined;
  };
  const versionText = await said(program.versionArguments);
  const help = versionText === undefined ? undefined : await said(program.helpArguments);
  const version = program.readVersion(versionText ?? "");
  const facts = { help: help ?? "", ...(version === undefined ? {} : { version }) };
  if (cache !== undefined && facts.help.trim() !== "") writeCached(cache, facts);
  return facts;
}

function readCached(path: string): ProgramFacts | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof read !== "object" || read === null || !("help" in read) || typeof read.help !== "string")
      return undefined;
    const version = "version" in read && typeof read.version === "string" ? read.version : undefined;
    return { help: read.help, ...(version === undefined ? {} : { version }) };
  } catch {
    return undefined;
  }
}

/** A cache that cannot be written is asked for again next time. */
function writeCached(path: string, facts: ProgramFacts): void {
  try {
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, JSON.stringify(facts), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // A full or read-only disk is told by whoever needs it.
  }
}

/** The file that a program's name stands for, as `execvp` looks for it; `undefined` where there is none. */
function programPath(name: string): string | undefined {
  const places = name.includes("/")
    ? [name]
    : (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, name));
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK);
      if (statSync(place).isFile()) return realpathSync(place);
    } catch {
      // Not there, or not ours to run: the next place of PATH.
    }
  }
  return undefined;
}
