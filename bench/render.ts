/**
 * Rendering as its user meets it: a whole process that reads, plans, renders and writes every target of a reference system,
 * beside a process of the same program that only starts: one that loads the same modules and finds nothing to do, and one
 * that loads hardly any. Prints all three and what rendering adds to the first, the best of some rounds, for a new folder,
 * for one that is there already, and for --check. Exits 1 when a system adds 300 ms or more. Usage: npm run bench:render [-- ROUNDS]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROUNDS = Number(process.argv[2] ?? 7);
const LIMIT = 300;
const ROOT = resolve(import.meta.dirname, "..");
const SYSTEMS = ["omni-prime", "leviathan", "ai-factory", "concrete-bunker"].flatMap((name) => [
  name,
  `${name}.fixed`,
]);

/** Milliseconds of one run; throws when it ends as no rendering may. */
function run(args: readonly string[], ends: readonly number[] = [0, 2]): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "src/cli/main.ts"), ...args], {
    encoding: "utf8",
  });
  const time = performance.now() - began;
  // 2: the owner's own document has errors, and is rendered as written.
  if (!ends.includes(status ?? -1)) throw new Error(`omni ${args.join(" ")} ended with ${status}: ${stderr}`);
  return time;
}

const ms = (time: number): string => `${time.toFixed(0)} ms`.padStart(8);

/** The best of some rounds for each of several runs, taken in turns: a busy moment of the machine meets them all alike. */
function bestOf<K extends string>(runs: Readonly<Record<K, () => number>>): Record<K, number> {
  const best: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, work] of Object.entries<() => number>(runs))
      best[name] = Math.min(best[name] ?? Infinity, work());
  return best;
}

const scratch = mkdtempSync(join(tmpdir(), "omni-bench-render-"));
let broken = false;
try {
  run(["--version"]);
  console.log(
    `best of ${ROUNDS}   bare start-up   loaded start-up   new folder  unchanged  --check   rendering adds`,
  );
  for (const system of SYSTEMS) {
    const spec = join(ROOT, "examples", `${system}.yaml`);
    const out = join(scratch, system);
    const best = bestOf({
      bare: () => run(["--version"]),
      // Without a folder to compare with it ends as soon as everything is loaded.
      loaded: () => run(["render", "--check"], [2]),
      fresh: () => {
        rmSync(out, { recursive: true, force: true });
        return run(["render", spec, "--out", out]);
      },
      again: () => run(["render", spec, "--out", out]),
      check: () => run(["render", spec, "--out", out, "--check"]),
    });
    const added = best.fresh - best.loaded;
    broken ||= added >= LIMIT;
    console.log(
      `${system.padEnd(22)} ${ms(best.bare)}          ${ms(best.loaded)}     ${ms(best.fresh)}   ${ms(best.again)} ${ms(best.check)}   ${ms(added)}, ${(added / best.loaded).toFixed(2)}x of the start-up${added >= LIMIT ? `   OVER ${LIMIT} ms` : ""}`,
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = broken ? 1 : 0;
