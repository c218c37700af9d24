import type { FuzzCase, SentRequest } from "./fuzz-case.ts";
import { requestIdOf, requestWire } from "./fuzz-case.ts";
import { KEYS } from "./fuzzed-node.ts";
import { garbled, jsonBytes, mutated } from "./mutate.ts";
import { Random } from "./random.ts";
import { formBody, JSON_BODIES, PLAIN_PATHS, SERVICES } from "./request-bodies.ts";

type Header = readonly [name: string, value: string];

const JSON_PATHS = Object.keys(JSON_BODIES);
/** Most of what nodes are asked. */
const MAIN_PATHS = [
  "/v1/chat/completions",
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/messages",
  "/v1/responses",
] as const;
const METHODS = ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"] as const;
const ODD_HEADERS: readonly Header[] = [
  ["content-type", "text/plain"],
  ["content-type", "multipart/form-data"],
  ["content-encoding", "gzip"],
  ["origin", "http://evil.example"],
  ["origin", "http://127.0.0.1"],
  ["host", "evil.example"],
  ["expect", "100-continue"],
  ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
  ["accept-encoding", "gzip"],
  ["x-request-id", "bad id \xff"],
  ["upgrade", "websocket"],
  ["x-session-id", "s1"],
  ["access-control-request-method", "POST"],
  ["cookie", "a=b"],
  ["te", "trailers"],
];

/** The case of a seed and a number; the same for ever. */
export function makeCase(seed: number, index: number): FuzzCase {
  const random = new Random(seed, index);
  const count = random.chance(0.04) ? 2 + random.below(2) : 1;
  const requests = Array.from({ length: count }, (_, k) => makeRequest(random, index, k, k === count - 1));
  const size = requests.reduce((sum, sent) => sum + requestWire(sent).length, 0);
  const hangs = random.chance(0.05);
  const after = random.pick(["sent", "received"] as const);
  return {
    index,
    requests,
    places: random.chance(0.15) ? random.places(4, size) : [],
    ...(hangs
      ? {
          hangUp: {
            after,
            bytes: after === "sent" ? random.below(size) : 1 + random.below(1_500),
            how: random.pick(["end", "reset"] as const),
          },
        }
      : {}),
    scripts: {},
  };
}

function makeRequest(random: Random, index: number, request: number, last: boolean): SentRequest {
  const sent = asked(random);
  const headers: Header[] = [
    ["host", "127.0.0.1"],
    ["x-request-id", requestIdOf(index, request)],
    ...keyHeaders(random),
    ...sent.headers,
    ...(last ? [["connection", "close"] as const] : []),
  ];
  if (random.chance(0.04)) changeHeaders(random, headers);
  const whole: SentRequest = { ...sent, headers };
  if (!random.chance(0.03)) return whole;
  return { ...whole, raw: garbled(random, requestWire(whole)) };
}

function changeHeaders(random: Random, headers: Header[]): void {
  const odd = random.pick(ODD_HEADERS);
  const at = headers.findIndex(([name]) => name === odd[0]);
  if (at >= 0) headers.splice(at, 1, odd);
  else headers.push(odd);
}

function keyHeaders(random: Random): Header[] {
  const share = random.next();
  if (share < 0.02) return [];
  const secret = share < 0.04 ? "sk-wrong" : share < 0.8 ? KEYS[0] : random.pick(KEYS);
  return [random.chance(0.3) ? ["x-api-key", secret] : ["authorization", `Bearer ${secret}`]];
}

function asked(random: Random): SentRequest {
  const kind = random.next();
  if (kind < 0.07) return plain(random);
  if (kind < 0.11) return form(random);
  if (kind < 0.16) return native(random);
  const path = kind < 0.8 ? random.pick(MAIN_PATHS) : random.pick(JSON_PATHS);
  const body = JSON_BODIES[path]?.(random);
  const method = random.chance(0.01) ? random.pick(METHODS) : "POST";
  const target = random.chance(0.01)
    ? `${path}${random.pick(["/", "?a=1", "%00", "/../x", "?key=\xff"])}`
    : path;
  return {
    method,
    target,
    headers: [["content-type", "application/json"]],
    body: jsonBody(random, body),
    framing: random.chance(0.1) ? "chunked" : "length",
  };
}

function jsonBody(random: Random, body: unknown): string {
  const kind = random.next();
  if (kind < 0.7) return jsonBytes(body);
  if (kind < 0.93) return jsonBytes(mutated(random, body));
  return garbled(random, jsonBytes(body));
}

function plain(random: Random): SentRequest {
  const [method = "GET", target = "/"] = random.pick(PLAIN_PATHS).split(" ");
  return { method, target, headers: [], body: "", framing: "none" };
}

function form(random: Random): SentRequest {
  const [target, fields] = random.pick([
    ["/v1/audio/transcriptions", { model: "openai", language: "de" }],
    ["/v1/audio/translations", { model: "vllm" }],
    ["/v1/audio/transcriptions", { model: "any" }],
    ["/v1/files", { purpose: "batch" }],
    ["/v1/images/edits", { model: "openai", prompt: "x" }],
  ] as const);
  const [type, body] = formBody(random, fields);
  const changed = random.chance(0.3) ? garbled(random, body) : body;
  const framing = random.chance(0.3) ? "chunked" : "length";
  return { method: "POST", target, headers: [["content-type", type]], body: changed, framing };
}

const NATIVE_PATHS = [
  "/v1/chat/completions",
  "/health",
  "/v1/models",
  "/tokenize",
  "/../x",
  "/%2e%2e/x",
  "",
  "/a?b=c",
] as const;

function native(random: Random): SentRequest {
  const target = `/upstream/${random.pick([...SERVICES, "none", "%00"])}${random.pick(NATIVE_PATHS)}`;
  const method = random.pick(["GET", "POST", "PUT", "DELETE", "HEAD"]);
  const body =
    method === "POST" || method === "PUT" ? jsonBytes(JSON_BODIES["/v1/chat/completions"]?.(random)) : "";
  const framing = body === "" ? "none" : random.chance(0.3) ? "chunked" : "length";
  return { method, target, headers: [["content-type", "application/json"]], body, framing };
}
