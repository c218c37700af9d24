import type { EngineDriver, EngineRequest, ProbeTarget } from "../engine.ts";
import { answerFault } from "./answer-fault.ts";

/** One token, one vector, or one document in order, in the dialect that all of these engines speak. */
export const openAiProbe: NonNullable<EngineDriver["probe"]> = { request: openAiRequest, fault: answerFault };

function openAiRequest({ servedName: model, task }: ProbeTarget): EngineRequest {
  if (task === "embeddings") return post("/v1/embeddings", { model, input: "Hello" });
  if (task === "rerank") return post("/v1/rerank", { model, query: "Hello", documents: ["Hello"] });
  return post("/v1/chat/completions", {
    model,
    messages: [{ role: "user", content: "Hello" }],
    max_tokens: 1,
    temperature: 0,
    stream: false,
  });
}

export const post = (path: string, body: object): EngineRequest => ({
  method: "POST",
  path,
  body: JSON.stringify(body),
});
