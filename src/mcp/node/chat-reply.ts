import { z } from "zod";

import type { ChatReply } from "./node-access.ts";

const USAGE = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
});

const COMPLETION = z.object({
  model: z.string().optional(),
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: USAGE.optional(),
});

const ERROR = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) });

/** What came of a chat; `tokens` that it took, where it is known. */
export type ReadReply =
  | {
      readonly kind: "answer";
      readonly text: string;
      readonly model?: string | undefined;
      readonly finish: string;
      readonly usage?: z.output<typeof USAGE> | undefined;
      readonly tokens?: number;
    }
  | { readonly kind: "error"; readonly message: string; readonly tokens?: number };

/** Reads an answer of `/v1/chat/completions`, or its error in the gateway's words. */
export function readReply({ status, body }: ChatReply): ReadReply {
  const sent = jsonOf(body);
  if (status >= 400) {
    const told = ERROR.safeParse(sent);
    const message = told.success ? told.data.error.message : "The node did not say why.";
    return { kind: "error", message: `The model was not asked, or did not answer (${status}): ${message}` };
  }
  const read = COMPLETION.safeParse(sent);
  const choice = read.data?.choices[0];
  if (!read.success || choice === undefined)
    return { kind: "error", message: `The answer (${status}) is none of a chat; nothing of it is shown.` };
  const { usage, model } = read.data;
  return {
    kind: "answer",
    text: choice.message.content ?? "",
    model,
    finish: choice.finish_reason ?? "stop",
    usage,
    ...(usage === undefined ? {} : { tokens: usage.prompt_tokens + usage.completion_tokens }),
  };
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}
