/**
 * node-llama-cpp used as its documentation shows it: one context, one `LlamaContextSequence.evaluate` for each request.
 * A process of its own that answers jobs of `bench/embedded.ts`. Argument: model file, threads (0: the library's own
 * choice), sequences.
 */
import { getLlama, TokenBias } from "node-llama-cpp";
import type { Token } from "node-llama-cpp";
import type { BenchJob, BenchResult } from "./embedded-job.ts";
import { CONTEXT_TOKENS, SAMPLING } from "./embedded-job.ts";

const [model = "", threads = "0", sequences = "1"] = process.argv.slice(2);
const llama = await getLlama({
  build: "never",
  gpu: false,
  skipDownload: true,
  progressLogs: false,
  logger: () => {},
});
const loaded = await llama.loadModel({ modelPath: model, gpuLayers: 0 });
const context = await loaded.createContext({
  contextSize: CONTEXT_TOKENS,
  sequences: Number(sequences),
  ...(threads === "0" ? {} : { threads: Number(threads) }),
});
const rows = Array.from({ length: Number(sequences) }, () => context.getSequence());

// The end tokens are forbidden on both sides, so that every answer has its full length.
const bias = new TokenBias(loaded.tokenizer);
for (const token of endTokens()) bias.set(token, "never");

function endTokens(): Token[] {
  return [...loaded.iterateAllTokens()].filter((token) => loaded.isEogToken(token));
}

async function answer(
  row: (typeof rows)[number],
  prompt: string,
  job: BenchJob,
  seed: number,
): Promise<number> {
  await row.clearHistory();
  let produced = 0;
  const tokens = loaded.tokenize(`<|im_start|>user\n${prompt}<|im_end|>\n<|im_start|>assistant\n`, true);
  const { temperature, topK, topP, minP } = SAMPLING;
  for await (const token of row.evaluate(tokens, {
    temperature,
    topK,
    topP,
    minP,
    seed,
    tokenBias: bias,
    yieldEogToken: true,
  })) {
    void token;
    if (++produced >= job.tokens || performance.now() > job.deadline) break;
  }
  return produced;
}

async function run(job: BenchJob): Promise<BenchResult> {
  const began = performance.now();
  const limited = { ...job, deadline: began + job.deadline };
  const counts = await Promise.all(
    job.prompts.map((prompt, i) => {
      const row = rows[i];
      if (row === undefined) throw new Error(`there is no sequence ${i}`);
      return answer(row, prompt, limited, i);
    }),
  );
  return { tokens: counts.reduce((sum, count) => sum + count, 0), milliseconds: performance.now() - began };
}

process.on("message", (job: BenchJob) => {
  void run(job).then((result) => process.send?.(result));
});
process.once("disconnect", () => process.exit(0));
process.send?.({ ready: endTokens() });
