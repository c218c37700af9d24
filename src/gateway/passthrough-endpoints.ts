import { answering, guarded } from "./answering.ts";
import type { Operation } from "./ask.ts";
import type { Call } from "./call.ts";
import type { ExchangeShared } from "./exchange-shared.ts";
import { FormAsk } from "./form-ask.ts";
import { refuseUnread } from "./lingering-close.ts";
import { countTokens } from "./passthrough/count-tokens-endpoint.ts";
import { readMultipart } from "./passthrough/multipart-model.ts";
import { passToUpstream } from "./passthrough/native-endpoint.ts";
import { readScoring } from "./passthrough/reranking.ts";
import { parseBody, proxyRequest, readJsonBody, serveAsk, serveBytes, tooLarge } from "./proxy-endpoint.ts";
import type { Endpoint } from "./surface.ts";
import { sendError } from "./wire-error.ts";

/** Paths of one meaning: documents are put in order, or scored. */
const SCORING = ["/v1/rerank", "/v1/reranking", "/rerank", "/v2/rerank", "/v1/score", "/score"] as const;
const FORMS = [
  "/v1/audio/transcriptions",
  "/v1/audio/translations",
  // Of services elsewhere; where workflows make images, their own endpoints stand in the place of these.
  "/v1/images/edits",
  "/v1/images/variations",
] as const;
const PLAIN = {
  "/v1/moderations": "moderations",
  "/v1/audio/speech": "speech",
  "/v1/images/generations": "other",
} as const satisfies Record<string, Operation>;

/** What is asked in one piece and goes on to engines as it is, or in the one shape that they share. */
export const passthroughEndpoints = (
  shared: ExchangeShared,
  anthropic: boolean,
): Readonly<Record<string, Endpoint>> => ({
  ...Object.fromEntries(SCORING.map((path) => [path, { whole: (call: Call) => score(shared, call) }])),
  ...Object.fromEntries(FORMS.map((path) => [path, { whole: (call: Call) => form(shared, call) }])),
  ...Object.fromEntries(
    Object.entries(PLAIN).map(([path, operation]) => [
      path,
      { whole: (call: Call) => proxyRequest(shared, call, operation) },
    ]),
  ),
  ...(anthropic ? { "/v1/messages/count_tokens": { whole: (call: Call) => count(shared, call) } } : {}),
  "/upstream/*": { any: (call) => passToUpstream(shared, call) },
});

function score(shared: ExchangeShared, call: Call): void {
  readJsonBody(shared, call, (bytes) => {
    const parsed = parseBody(bytes);
    const scoring = "error" in parsed ? parsed.error : readScoring(call.path, parsed.body);
    if ("status" in scoring) sendError(call, scoring);
    else serveBytes(shared, call, scoring.operation, bytes, { scoring });
  });
}

function form(shared: ExchangeShared, call: Call): void {
  const { req, id, path } = call;
  const limit = shared.limits.bodyBytes;
  call.body.read(
    limit,
    (bytes) =>
      guarded(call, () => {
        const contentType = req.headers["content-type"] ?? "";
        const read = readMultipart(contentType, bytes);
        if ("status" in read) sendError(call, read);
        else serveAsk(shared, call, new FormAsk({ id, path, headers: req.headers, contentType }, read));
      }),
    () => refuseUnread(call, tooLarge(limit), limit),
  );
}

function count(shared: ExchangeShared, call: Call): void {
  const { caller } = call;
  readJsonBody(shared, call, (bytes) => {
    const parsed = parseBody(bytes);
    if ("error" in parsed) sendError(call, parsed.error);
    else if (caller !== undefined) void answering(call, countTokens(shared, call, caller, parsed.body));
  });
}
