import { RPC, type Refusal } from "./json-rpc.ts";

/** How deep values may nest, and how many there may be, in one message: what a parser and a schema can take without harm. */
export const MAX_DEPTH = 64;
const MAX_ELEMENTS = 100_000;

type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly refusal: Refusal };

const refused = (status: number, code: number, message: string): Parsed => ({
  ok: false,
  refusal: { status, code, message },
});

/** Depth and number of values of a JSON text, by its bytes: nothing is built before it is known to be small enough. */
function measure(body: Buffer): { readonly depth: number; readonly elements: number } {
  let depth = 0;
  let deepest = 0;
  let elements = 1;
  for (let at = 0; at < body.length; at += 1) {
    switch (body[at]) {
      case 0x22: // A string: to its end, past what is escaped.
        for (at += 1; at < body.length && body[at] !== 0x22; at += 1) if (body[at] === 0x5c) at += 1;
        break;
      case 0x5b:
      case 0x7b:
        depth += 1;
        if (depth > deepest) deepest = depth;
        elements += 1;
        break;
      case 0x5d:
      case 0x7d:
        depth -= 1;
        break;
      case 0x2c:
        elements += 1;
        break;
      default:
        break;
    }
  }
  return { depth: deepest, elements };
}

/** Reads a body as JSON. Refuses what is larger, deeper or of more values than the bounds, and what is no JSON. */
export function parseBody(body: Buffer | undefined, limit: number): Parsed {
  if (body === undefined || body.length === 0) {
    return refused(400, RPC.parse, "Parse error: the request has no body");
  }
  if (body.length > limit) {
    return refused(
      413,
      RPC.transport,
      `Payload Too Large: the body has ${body.length} bytes, the bound is ${limit}. Send less at once.`,
    );
  }
  const { depth, elements } = measure(body);
  if (depth > MAX_DEPTH) {
    return refused(
      400,
      RPC.invalidRequest,
      `Invalid Request: values nest ${depth} deep, the bound is ${MAX_DEPTH}`,
    );
  }
  if (elements > MAX_ELEMENTS) {
    return refused(
      400,
      RPC.invalidRequest,
      `Invalid Request: the message has ${elements} values, the bound is ${MAX_ELEMENTS}`,
    );
  }
  try {
    const bom = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
    const value: unknown = JSON.parse(body.toString("utf8", bom ? 3 : 0));
    return { ok: true, value };
  } catch {
    return refused(400, RPC.parse, "Parse error: the request body is not valid JSON");
  }
}
