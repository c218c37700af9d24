import { OTHER } from "./known-names.ts";

/** Operations by the names of the conventions where these have one (`gen_ai.operation.name`), by the API's otherwise. */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ["chat", "chat"],
  ["chat/completions", "chat"],
  ["messages", "chat"],
  ["responses", "chat"],
  ["completions", "text_completion"],
  ["embeddings", "embeddings"],
  ["rerank", "rerank"],
  ["score", "score"],
  ["moderations", "moderations"],
  ["images", "image_generation"],
  ["images/generations", "image_generation"],
  ["images/edits", "image_edit"],
  ["audio/transcriptions", "transcription"],
  ["transcriptions", "transcription"],
  ["audio/translations", "translation"],
  ["audio/speech", "speech"],
  ["speech", "speech"],
  ["count_tokens", "count_tokens"],
  ["messages/count_tokens", "count_tokens"],
  ["upstream", "upstream"],
]);

/** The name of an operation in metrics and traces; `other` for what is not one of a model. */
export const operationName = (operation: string): string => OPERATIONS.get(operation) ?? OTHER;
