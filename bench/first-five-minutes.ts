/**
 * A new user's first five minutes, timed: a clean clone of this repository, `npm ci` and every block of the README as it stands.
 *
 *   npm run bench:first-five-minutes
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatDuration } from "../src/core/index.ts";
import { ROOT } from "../test/e2e/run-node.ts";
import { firstFiveMinutes } from "../test/readme/readme-blocks.ts";
import { walk } from "../test/readme/walk-readme.ts";

const folder = mkdtempSync(join(tmpdir(), "omni-first-"));
const clone = join(folder, "omni");
try {
  execFileSync("git", ["clone", "--quiet", ROOT, clone]);
  const env = { ...process.env, OMNI_STATE: join(folder, "state") };
  await walk({ folder: clone, env }, firstFiveMinutes(), async (walked) => {
    let sum = 0;
    for (const { step, commands, took } of walked) {
      sum += took;
      const first = commands.trim().split("\n").at(-1) ?? "";
      console.log(`${formatDuration(took).padStart(9)}  ${step}: ${first}`);
    }
    console.log(`${formatDuration(sum).padStart(9)}  altogether, from a clean clone`);
    await Promise.resolve();
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
