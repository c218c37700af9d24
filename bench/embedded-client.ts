/**
 * The clients of the benchmark of the embedded engine: streaming chat requests over undici's dispatch, in a process
 * of their own. Arguments: base URL or `unix:PATH`, model name, end tokens to forbid (comma-separated).
 */
import { Pool } from "undici";
import type { BenchJob, BenchResult } from "./embedded-job.ts";
import { SAMPLING } from "./embedded-job.ts";

const [target = "", model = "", ends = ""] = process.argv.slice(2);
const pool = target.startsWith("unix:")
  ? new Pool("http://localhost", { socketPath: target.slice(5), connections: 64 })
  : new Pool(target, { connections: 64 });
const forbidden = Object.fromEntries(ends.split(",").map((token) => [token, -100]));
const USAGE = /"completion_tokens":(\d+)/;

/** Resolves with the number of tokens that the server counted; the text must have come as a stream. */
function ask(prompt: string, tokens: number, seed: number): Promise<number> {
  const body = JSON.stringify({
    model,
    messages: [{ role: "user", content: prompt }],
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: tokens,
    temperature: SAMPLING.temperature,
    top_k: SAMPLING.topK,
    top_p: SAMPLING.topP,
    min_p: SAMPLING.minP,
    seed,
    logit_bias: forbidden,
  });
  return new Promise((resolve, reject) => {
    let status = 0;
    let last = "";
    pool.dispatch(
      { path: "/v1/chat/completions", method: "POST", headers: ["content-type", "application/json"], body },
      {
        onRequestStart() {},
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData(_controller, chunk) {
          last = (last + chunk.toString("latin1")).slice(-1000);
        },
        onResponseEnd() {
          const counted = USAGE.exec(last)?.[1];
          if (status === 200 && counted !== undefined) resolve(Number(counted));
          else reject(new Error(`status ${status}: ${last}`));
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}

async function run(job: BenchJob): Promise<BenchResult> {
  const began = performance.now();
  const counts = await Promise.all(job.prompts.map((prompt, i) => ask(prompt, job.tokens, i)));
  return { tokens: counts.reduce((sum, count) => sum + count, 0), milliseconds: performance.now() - began };
}

process.on("message", (job: BenchJob) => {
  void run(job).then((result) => process.send?.(result));
});
process.once("disconnect", () => process.exit(0));
process.send?.({ ready: [] });
