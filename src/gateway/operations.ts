import type { Operation } from "./ask.ts";

/** What each path of the API asks for, of those whose bodies are JSON. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "/v1/chat/completions": "chat",
  "/v1/completions": "completions",
  "/v1/messages": "messages",
  "/v1/responses": "responses",
  "/v1/embeddings": "embeddings",
};
