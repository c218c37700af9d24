import { remoteApi } from "./remote-api.ts";

/** A remote API that speaks OpenAI's dialect. */
export const openaiDriver = remoteApi({
  kind: "openai",
  title: "The remote API",
  keyHeader: "authorization: Bearer KEY",
});
