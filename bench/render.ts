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

const best = (work: () => number): number => Math.min(...Array.from({ length: ROUNDS }, work));
const ms = (time: number): string => `${time.toFixed(0)} ms`.padStart(8);

const scratch = mkdtempSync(join(tmpdir(), "omni-bench-render-"));
let broken = false;
try {
  run(["--version"]);
  const bare = best(() => run(["--version"]));
  // Without a folder to compare with it ends as soon as everything is loaded.
  const start = best(() => run(["render", "--check"], [2]));
  console.log(
    `best of ${ROUNDS}: start-up of omni --version ${ms(bare)}, with all that rendering loads ${ms(start)}\n`,
  );
  console.log("system                  new folder  unchanged  --check   rendering adds   of start-up");
  for (const system of SYSTEMS) {
    const spec = join(ROOT, "examples", `${system}.yaml`);
    const out = join(scratch, system);
    const fresh = best(() => {
      rmSync(out, { recursive: true, force: true });
      return run(["render", spec, "--out", out]);
    });
    const again = best(() => run(["render", spec, "--out", out]));
    const check = best(() => run(["render", spec, "--out", out, "--check"]));
    const added = fresh - start;
    broken ||= added >= LIMIT;
    console.log(
      `${system.padEnd(22)}  ${ms(fresh)}  ${ms(again)} ${ms(check)}   ${ms(added)}         ${(added / start).toFixed(2)}x${added >= LIMIT ? `   OVER ${LIMIT} ms` : ""}`,
    );
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
process.exitCode = broken ? 1 : 0;
