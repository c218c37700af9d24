import type { ErrorFamily } from "../dialects/index.ts";

/** In whose words the clients of a path are told errors. */
export const familyOfPath = (path: string): ErrorFamily =>
  path === "/v1/messages" || path.startsWith("/v1/messages/")
    ? "anthropic"
    : path === "/v1/responses"
      ? "responses"
      : "openai";
