import type { Fields } from "../../read-fields.ts";
import { fieldsOf, flagIn, listIn, numberIn, parseFields, textIn } from "../../read-fields.ts";
import { expectedAnswer } from "../answer-text.ts";
import type { Engine } from "../engine.ts";
import type { Call, Routes } from "../http.ts";
import { StreamCut, beginEvents, cutOff, fieldsOfBody, sendEvent, sendJson, sendText } from "../http.ts";
import type { Metric } from "../prometheus.ts";
import { vllmMetrics } from "../vllm/vllm-metrics.ts";
import { cachedBy } from "../vllm/vllm-routes.ts";

/** Tokens when nothing is said (vLLM's SamplingParams). */
const DEFAULT_TOKENS = 16;

/** Answers with a status alone. */
const empty =
  (status: () => number) =>
  (call: Call): void => {
    call.response.writeHead(status(), { "content-length": 0 }).end();
  };

/** The endpoints of Triton's generate extension and of the KServe protocol, as far as one model needs them. */
export function tritonRoutes(engine: Engine): Routes {
  const model = `/v2/models/${encodeURIComponent(engine.name)}`;
  return {
    "GET /v2/health/live": empty(() => 200),
    "GET /v2/health/ready": empty(() => 200),
    // The backend takes out a model whose engine died (ENABLE_VLLM_HEALTH_CHECK).
    [`GET ${model}/ready`]: empty(() => (engine.work.dead ? 400 : 200)),
    [`GET ${model}`]: (call) =>
      sendJson(call, 200, { name: engine.name, versions: ["1"], platform: "vllm", inputs: [], outputs: [] }),
    "GET /v2": (call) => sendJson(call, 200, { name: "triton", version: "2.62.0", extensions: ["generate"] }),
    "POST /v2/repository/index": (call) =>
      sendJson(call, 200, [
        { name: engine.name, version: "1", state: engine.work.dead ? "UNAVAILABLE" : "READY" },
      ]),
    [`POST ${model}/generate`]: (call) => generate(engine, call, false),
    [`POST ${model}/generate_stream`]: (call) => generate(engine, call, true),
  };
}

async function generate(engine: Engine, call: Call, streams: boolean): Promise<void> {
  const fields = await fieldsOfBody(call);
  if (typeof fields === "string")
    return sendJson(call, 400, { error: `failed to parse the request JSON buffer: ${fields}` });
  if (engine.work.dead)
    return sendJson(call, 500, {
      error:
        "Error generating stream: EngineCore encountered an issue. See stack trace (above) for the root cause.",
    });
  if (engine.faults.take("garbage") !== undefined) return sendText(call, 200, "\u0000nonsense");
  const wrong = engine.faults.take("wrong");
  if (wrong?.text === "error")
    return sendJson(call, 500, { error: "Error generating stream: unexpected shape of logits" });
  const prompt = textIn(fields, "text_input") ?? "";
  const parameters = samplingOf(fields);
  const answer = expectedAnswer(prompt, {
    maxTokens: numberIn(parameters, "max_tokens") ?? DEFAULT_TOKENS,
    stop: listIn(parameters, "stop").filter((word) => typeof word === "string"),
  });
  const job = { promptTokens: answer.promptTokens, tokens: wrong === undefined ? answer.tokens : [] };
  const output: Output = (text, tokens, over) => ({
    model_name: engine.name,
    model_version: "1",
    text_output: text,
    // Outputs beside the text are there when an input asks for them (vllm_backend, 24.10).
    ...(flagIn(fields, "return_finish_reason") ? { finish_reason: over ? answer.finishReason : "None" } : {}),
    ...(flagIn(fields, "return_num_input_tokens") ? { num_input_tokens: answer.promptTokens } : {}),
    ...(flagIn(fields, "return_num_output_tokens") ? { num_output_tokens: tokens } : {}),
  });
  try {
    if (streams) await stream(engine, call, job, output);
    else {
      await engine.work.run(job, call.signal, () => {});
      const before = excludesInput(fields, parameters) ? "" : prompt;
      sendJson(call, 200, output(before + job.tokens.join(""), job.tokens.length, true));
    }
  } catch (error) {
    if (error instanceof StreamCut) return cutOff(call);
    if (call.response.headersSent || call.signal.aborted) call.response.destroy();
    else sendJson(call, 500, { error: "Error generating stream: EngineCore encountered an issue." });
  }
}

/** One piece of the answer: its text, its tokens, and whether it is the last. */
type Output = (text: string, tokens: number, over: boolean) => Fields;

/** Parameters as Triton's own or, where lists are among them, as one JSON text. */
const samplingOf = (fields: Fields): Fields | undefined =>
  parseFields(textIn(fields, "sampling_parameters") ?? "") ?? fieldsOf(fields["parameters"]);

/** The prompt comes back with the answer unless one asks otherwise. */
const excludesInput = (fields: Fields, parameters: Fields | undefined): boolean =>
  flagIn(fields, "exclude_input_in_output") || flagIn(parameters, "exclude_input_in_output");

async function stream(
  engine: Engine,
  call: Call,
  job: { readonly promptTokens: number; readonly tokens: readonly string[] },
  output: Output,
): Promise<void> {
  const cut = engine.faults.take("cut-stream")?.tokens;
  const malformed = engine.faults.take("malformed")?.tokens;
  let sent = 0;
  await engine.work.run(job, call.signal, async (token) => {
    if (sent === 0) beginEvents(call);
    if (sent === cut) throw new StreamCut();
    if (sent === malformed) await sendEvent(call, JSON.stringify(output("", 0, false)).slice(0, -20));
    sent += 1;
    await sendEvent(call, JSON.stringify(output(token, 1, sent === job.tokens.length)));
  });
  if (sent === 0) beginEvents(call);
  call.response.end();
}

/** Triton's own metrics and those that the backend passes on: no gauge of the KV cache. */
export function tritonMetrics(engine: Engine): readonly Metric[] {
  const labels = { model: engine.name, version: "1" };
  const passed = new Set([
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "vllm:iteration_tokens_total_count",
  ]);
  const { finished } = engine.work.counters;
  return [
    {
      name: "nv_inference_request_success",
      help: "Number of successful inference requests, all batch sizes",
      type: "counter",
      value: finished,
      labels,
    },
    {
      name: "nv_inference_request_failure",
      help: "Number of failed inference requests, all batch sizes",
      type: "counter",
      value: 0,
      labels,
    },
    {
      name: "nv_inference_count",
      help: "Number of inferences performed",
      type: "counter",
      value: finished,
      labels,
    },
    {
      name: "nv_inference_exec_count",
      help: "Number of model executions performed",
      type: "counter",
      value: finished,
      labels,
    },
    {
      name: "nv_inference_pending_request_count",
      help: "Instantaneous number of pending requests awaiting execution per-model.",
      type: "gauge",
      value: engine.work.waiting,
      labels,
    },
    ...vllmMetrics(engine, cachedBy(engine), labels).filter(({ name }) => passed.has(name)),
  ];
}
