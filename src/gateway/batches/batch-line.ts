import { createHash } from "node:crypto";
import { z } from "zod";

import type { JsonObject } from "../../dialects/dialect.ts";
import type { BatchFault } from "./batch-record.ts";
import type { Line } from "./read-lines.ts";

/** One request of a batch. */
export interface BatchLine {
  readonly number: number;
  readonly customId: string;
  readonly body: JsonObject;
  readonly model: string;
}

const line = z.looseObject({
  custom_id: z.string().min(1).max(512),
  method: z.literal("POST"),
  url: z.string(),
  body: z.looseObject({ model: z.string().min(1).max(512), stream: z.literal(false).nullish() }),
});

const WHY: Readonly<Record<string, string>> = {
  custom_id: "custom_id is a text of 1 to 512 characters",
  method: 'method is "POST"',
  url: "url is the batch's endpoint",
  body: "body is the request's JSON object",
  "body.model": "body.model names a model",
  "body.stream": "a batch answers no streams; leave body.stream out",
};

/** Reads a line of an input file, or says what is wrong with it. */
export function readBatchLine(
  { number, text }: Line,
  endpoint: string,
  most: number,
): BatchLine | BatchFault {
  const fault = (code: string, message: string, param: string | null = null): BatchFault => ({
    code,
    message: `Line ${number}: ${message}.`,
    line: number,
    param,
  });
  if (text === undefined) return fault("line_too_large", `it is longer than ${most} bytes`);
  const value = parsed(text);
  if (value === undefined) return fault("invalid_json_line", "it is no JSON");
  const read = line.safeParse(value);
  if (!read.success) {
    const param = read.error.issues[0]?.path.join(".") ?? "";
    return fault(
      "invalid_request",
      WHY[param] ?? "it is no object with custom_id, method, url and body",
      param,
    );
  }
  const { custom_id: customId, url, body } = read.data;
  if (url !== endpoint)
    return fault("invalid_url", `url is ${url.slice(0, 80)}, the batch's endpoint ${endpoint}`, "url");
  return { number, customId, body, model: body.model };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Stands for a custom_id in sets of many thousands: 96 bits of its hash, which nobody hits by chance. */
export const markOf = (customId: string): string =>
  createHash("sha256").update(customId).digest("base64").slice(0, 16);

/** A line of the output or error file, as OpenAI writes them. */
export const answerLine = (
  id: string,
  customId: string,
  response: { readonly status: number; readonly requestId: string; readonly body: unknown } | null,
  error: { readonly code: string; readonly message: string } | null,
): string =>
  `${JSON.stringify({
    id,
    custom_id: customId,
    response:
      response === null
        ? null
        : { status_code: response.status, request_id: response.requestId, body: response.body },
    error,
  })}\n`;
