import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import { INSTALLED, NEEDS, SUITES } from "../test/mcp/suites.ts";

const reportSchema = z.object({
  result: z.object({
    ok: z.number(),
    errors: z.number(),
    throughput: z.number(),
    latencyMs: z.object({ p50: z.number(), p99: z.number() }),
  }),
});
type Report = z.infer<typeof reportSchema>["result"];

/** A foreign client's own figures: 16 calls in flight for three seconds, direct and through the gateway. */
async function load(url: string, era: "legacy" | "modern"): Promise<Report> {
  const args = ["--cli", "--transport", "http", "--protocol-era", era, "--method", "tools/call"];
  const call = ["--tool-name", "tool_0", "--tool-args-json", JSON.stringify({ text: "hello" })];
  const how = ["--load", "--load-concurrency", "16", "--load-duration", "3", "--format", "json", "-q"];
  const program = [SUITES.inspector, ...args, ...call, ...how, `${url}/mcp`];
  const { stdout } = await promisify(execFile)(process.execPath, program);
  return reportSchema.parse(JSON.parse(stdout)).result;
}

const words = ({ latencyMs, throughput, errors }: Report): string =>
  `p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms, ${throughput.toFixed(0)} calls/s` +
  (errors > 0 ? `, ${errors} ERRORS` : "");

/** What the Inspector's load mode finds, as lines; one that says what is missing where it is not installed. */
export async function inspectorRows(direct: string, proxied: string): Promise<readonly string[]> {
  if (!INSTALLED) return [`\nNo figures of the Inspector ${NEEDS}.`];
  const lines: string[] = [];
  for (const era of ["legacy", "modern"] as const) {
    const [one, other] = [await load(direct, era), await load(proxied, era)];
    lines.push(`The Inspector, ${era}, 16 calls in flight: direct ${words(one)}; proxied ${words(other)}.`);
  }
  return ["", ...lines];
}
