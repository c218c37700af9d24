import type { EngineDriver, Health, ProbeTarget } from "../engine.ts";
import { TRITON_FAILURES } from "../failures/vllm-failures.ts";
import { asObject, parseJson } from "../json-object.ts";
import { metricsLoad } from "../metrics/engine-load.ts";
import { errorOf, saying } from "../probes/answer-fault.ts";
import { post } from "../probes/openai-probe.ts";
import { vllmTook } from "../took/vllm-took.ts";
import { notReady } from "./http-health.ts";
import { loadingTime } from "./loading-pace.ts";
import { failuresBy, saidOnce } from "./reading.ts";
import { VLLM_ON_PROCESSOR, VLLM_PACE } from "./vllm.ts";

const modelPath = ({ servedName }: ProbeTarget): string => `/v2/models/${encodeURIComponent(servedName)}`;

/**
 * Triton with vLLM as its backend. The server's own health stays good when the backend has taken out a model whose engine
 * died; the model's does not, so that is the one to ask. Metrics are two ports further than HTTP, as its starter says.
 */
export const tritonVllmDriver: EngineDriver = {
  kind: "triton-vllm",
  title: "Triton",
  listensOnSocket: false,
  healthPath: "/v2/health/ready",
  healthPathOf: (target) => `${modelPath(target)}/ready`,
  readHealth,
  probe: {
    request: (target) =>
      post(`${modelPath(target)}/generate`, {
        text_input: PROMPT,
        // Every token shows, also the end of the text, so that an answer without any text is none; the last of a few may
        // be half a character.
        parameters: {
          stream: false,
          max_tokens: 4,
          temperature: 0,
          ignore_eos: true,
          skip_special_tokens: false,
        },
      }),
    fault: generateFault,
  },
  load: metricsLoad("triton-vllm", { method: "GET", path: "/metrics", portOffset: 2 }),
  ...failuresBy(TRITON_FAILURES),
  readTook: vllmTook,
  onProcessorInstead: saidOnce(VLLM_ON_PROCESSOR),
  loadTime: loadingTime({ ...VLLM_PACE, start: VLLM_PACE.start + 10_000 }),
};

/** A model that is not ready answers 400, whether it is still loading or was taken out. */
function readHealth(status: number, body: string): Health {
  return status === 200 ? { state: "ready" } : notReady("Triton's readiness", status, body);
}

const PROMPT = "Hello";

/** The answer of the generate extension repeats the prompt (vllm_backend, `exclude_input_in_output`). */
function generateFault(status: number, body: string): string | undefined {
  if (status === 429) return undefined;
  if (status !== 200) return `it answered ${status}${saying(body)}`;
  const answer = asObject(parseJson(body));
  if (answer === undefined) return "its answer is no JSON object";
  const error = errorOf(answer);
  if (error !== undefined) return `it answered with the error: ${error}`;
  const text = answer["text_output"];
  if (typeof text !== "string") return "its answer has no text_output";
  return text === "" || text === PROMPT ? "its answer holds no token" : undefined;
}
