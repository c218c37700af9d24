import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";

const address = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("unix"), path: z.string() }),
  z.object({ kind: z.literal("tcp"), host: z.string(), port: z.int() }),
]);

const record = z.object({
  unit: z.string(),
  service: z.string(),
  pid: z.int().positive(),
  /** What `processIdentity` said right after the start. */
  identity: z.string(),
  digest: z.string(),
  address,
  startedAt: z.number(),
  /** Absolute path of the file that its output goes to; absent where none could be opened. */
  log: z.string().optional(),
  /** Absolute path of its cgroup. */
  cgroup: z.string().optional(),
  /** The shell that ends it when nobody adopts it. */
  guard: z.object({ pid: z.int().positive(), identity: z.string() }).optional(),
});

/** What the next Omni needs to take an engine over. Neither its command nor its environment: those may hold secrets. */
export type UnitRecord = z.infer<typeof record>;

const CLAIM = ".claim-";

/**
 * Files that say which engines this state folder started, and who may decide about them. Of a unit `U` there are
 * `U.json` (the record), `U.stdin` (the pipe that its standard input is) and `U.claim-N`: whoever renames the claim may
 * decide about the engine. A rename has one winner, so that a guard never kills what a new Omni has just adopted.
 */
export class UnitRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = resolve(folder);
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Writes the record whole or not at all. Throws when the disk refuses. */
  write(unit: UnitRecord): void {
    const path = this.#path(`${unit.unit}.json`);
    writeFileSync(`${path}.new`, JSON.stringify(unit), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** All records that can be read; what cannot is removed. */
  list(): readonly UnitRecord[] {
    return this.#names(".json").flatMap((name) => {
      const found = readRecord(this.#path(name));
      if (found === undefined) rmSync(this.#path(name), { force: true });
      return found === undefined ? [] : [found];
    });
  }

  /** Units of which there is anything but a record: Omni was killed while it started them. */
  unrecorded(): readonly string[] {
    const recorded = new Set(this.list().map(({ unit }) => unit));
    const found = readdirSync(this.#folder).flatMap(
      (name) => /^(.+?)\.(stdin|claim-.+|ending|json\.new)$/.exec(name)?.[1] ?? [],
    );
    return [...new Set(found)].filter((unit) => !recorded.has(unit));
  }

  /** Removes every file of a unit. */
  remove(unit: string): void {
    for (const name of readdirSync(this.#folder)) {
      if (name.startsWith(`${unit}.`)) rmSync(this.#path(name), { force: true });
    }
  }

  /** Where the unit's standard input lies, if it has one in the file system. */
  stdinPath(unit: string): string {
    return this.#path(`${unit}.stdin`);
  }

  /** Path of the unit's files less what follows the unit's name. */
  prefix(unit: string): string {
    return this.#path(unit);
  }

  #claimPath(unit: string, turn: number): string {
    return this.#path(`${unit}${CLAIM}${turn}`);
  }

  /** Makes the claim of turn 1. Where the disk refuses, nobody adopts the unit: its guard ends it. */
  makeClaim(unit: string): void {
    try {
      closeSync(openSync(this.#claimPath(unit, 1), "wx", 0o600));
    } catch {
      // Without a claim every rename fails, and the guard takes that for: nobody else decides.
    }
  }

  /** Turn of the claim as it is now; `undefined` when somebody has decided to end the unit. */
  claimTurn(unit: string): number | undefined {
    const turns = readdirSync(this.#folder)
      .filter((name) => name.startsWith(`${unit}${CLAIM}`))
      .map((name) => Number(name.slice(unit.length + CLAIM.length)))
      .filter((turn) => Number.isInteger(turn));
    return turns.length === 0 ? undefined : Math.max(...turns);
  }

  /** Takes the claim from whoever had turn `from`, to `to` or for good; false when another was faster. */
  takeClaim(unit: string, from: number, to: number | "ending"): boolean {
    try {
      renameSync(
        this.#claimPath(unit, from),
        this.#path(`${unit}${to === "ending" ? ".ending" : CLAIM + to}`),
      );
      return true;
    } catch {
      return false;
    }
  }

  #names(suffix: string): readonly string[] {
    return readdirSync(this.#folder).filter((name) => name.endsWith(suffix));
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

function readRecord(path: string): UnitRecord | undefined {
  try {
    return record.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
