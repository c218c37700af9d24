import { SUITES } from "../suites.ts";
import type { Exceptions } from "./expect-suite.ts";
import type { ScenarioRun } from "./run-suite.ts";
import { runSuite } from "./run-suite.ts";

/** A set of server scenarios, and how many of them a server without exceptions passes. */
export interface ServerSuite {
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly scenarios: number;
  readonly exceptions: Exceptions;
}

/**
 * The suite sends `MCP-Protocol-Version: 2025-03-26` in this one scenario, whatever was negotiated, and looks for an
 * event without data, which the SDK keeps from clients of that version because theirs fail at it. The suite of
 * 2026 sends what was negotiated, and the same server passes it there.
 */
const polling: Exceptions = {
  "server-sse-polling": { outcome: "warned", reason: "the suite claims a version that gets no empty events" },
};

/** The 30 scenarios of the active set, and two more. */
export const ALL: ServerSuite = {
  title: "conformance 0.1.16, all",
  program: SUITES.conformance,
  args: ["--suite", "all"],
  scenarios: 32,
  exceptions: polling,
};
/** 30 required scenarios and 3 that came after. */
export const REQUIRED_2025: ServerSuite = {
  title: "conformance 0.2.0-alpha.12, requirements of 2025-11-25",
  program: SUITES.conformance2026,
  args: ["--requirements", "2025-11-25"],
  scenarios: 33,
  exceptions: {},
};
/** 37 required scenarios and 3 that are run beside them; those of the tasks extension are not counted. */
export const REQUIRED_2026: ServerSuite = {
  title: "conformance 0.2.0-alpha.12, requirements of 2026-07-28",
  program: SUITES.conformance2026,
  args: ["--requirements", "2026-07-28"],
  scenarios: 40,
  exceptions: {},
};

/** Two to four seconds by itself; the client scenarios start some forty programs at the same time. Milliseconds. */
export const SUITE_TIMEOUT = 200_000;

/** Runs it against the server at `url`, without what belongs to the tasks extension, which nobody here serves. */
export async function runServerSuite(suite: ServerSuite, url: string): Promise<readonly ScenarioRun[]> {
  const runs = await runSuite(suite.program, ["server", "--url", url, ...suite.args]);
  return runs.filter((run) => !run.scenario.startsWith("tasks-"));
}
