import { remoteApi } from "./remote-api.ts";

/** A remote API that speaks Anthropic's dialect. */
export const anthropicDriver = remoteApi({
  kind: "anthropic",
  title: "The Anthropic API",
  keyHeader: "x-api-key: KEY",
});
