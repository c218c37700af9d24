import { spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const checksSchema = z.array(
  z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }),
);

/**
 * How a scenario went by its own checks. The suites call a scenario good that only warned or saw nothing, so that the
 * checks are read here: `warned` has a warning and no failure, `silent` neither a success nor a failure.
 */
export type Outcome = "passed" | "warned" | "silent" | "failed";

export interface ScenarioRun {
  readonly scenario: string;
  readonly outcome: Outcome;
  readonly successes: number;
  /** What failed or warned, each as `check: message`. */
  readonly remarks: readonly string[];
}

/**
 * Runs a conformance suite, the path of its program, with the arguments of `server` or `client`, and reads what every
 * scenario found, in the order of their names. Rejects when the suite wrote no result, with the end of what it printed.
 */
export async function runSuite(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly ScenarioRun[]> {
  const folder = await mkdtemp(join(tmpdir(), "omni-conformance-"));
  try {
    const printed = await finished(program, [...args, "--output-dir", folder], environment);
    const runs = await Promise.all((await resultFolders(folder)).map((path) => scenarioRun(folder, path)));
    if (runs.length === 0) throw new Error(`The suite found nothing: ${printed.slice(-2000)}`);
    return runs.toSorted((a, b) => a.scenario.localeCompare(b.scenario));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function finished(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  child.stdout.on("data", (chunk) => (printed += String(chunk)));
  child.stderr.on("data", (chunk) => (printed += String(chunk)));
  await new Promise((resolve) => child.once("close", resolve));
  return printed;
}

/** Client scenarios of authorization lie one folder deeper, because their names have a slash. */
async function resultFolders(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder, { recursive: true });
  return files
    .filter((file) => file.endsWith("checks.json"))
    .map((file) => file.slice(0, -"/checks.json".length));
}

async function scenarioRun(folder: string, path: string): Promise<ScenarioRun> {
  const checks = checksSchema.parse(JSON.parse(await readFile(join(folder, path, "checks.json"), "utf8")));
  const count = (status: string) => checks.filter((check) => check.status === status).length;
  const bad = checks.filter(({ status }) => status === "FAILURE" || status === "WARNING");
  const successes = count("SUCCESS");
  return {
    scenario: path.replace(/^(server|client)-/, "").replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, ""),
    outcome: outcomeOf(count("FAILURE"), count("WARNING"), successes),
    successes,
    remarks: bad.map((check) => `${check.id}: ${check.errorMessage ?? check.status}`),
  };
}

function outcomeOf(failures: number, warnings: number, successes: number): Outcome {
  if (failures > 0) return "failed";
  if (warnings > 0) return "warned";
  return successes > 0 ? "passed" : "silent";
}
