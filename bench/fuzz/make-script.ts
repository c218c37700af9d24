import type { Shape } from "./engine-answers.ts";
import { streamBytes, wholeAnswer } from "./engine-answers.ts";
import type { EngineScript } from "./fuzz-case.ts";
import { garbled, jsonBytes, mutated } from "./mutate.ts";
import { Random } from "./random.ts";

const STATUSES = [
  "400 Bad",
  "401 No",
  "403 No",
  "404 Not",
  "422 Odd",
  "429 Busy",
  "500 Fault",
  "502 Bad",
  "503 Load",
  "504 Late",
  "529 Much",
  "204 None",
  "302 Gone",
  "304 Same",
  "999 Odd",
  "201 Made",
] as const;
const RAW = [
  "",
  "\0\0\0\0",
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nxx",
  "HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
  "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
  "HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{}",
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nffffffffff\r\ndata: {}\n\n",
  "garbage\r\n\r\n",
] as const;
const TYPES = [
  "application/json; charset=utf-8",
  "text/plain",
  "text/event-stream; charset=utf-8",
  "audio/mpeg",
  "",
  "application/x-ndjson",
  "TEXT/EVENT-STREAM",
] as const;
const ODD_HEADERS = [
  ["content-encoding", "gzip"],
  ["retry-after", "soon"],
  ["x-ratelimit-limit-requests", "\x80"],
  ["cache-control", "no-store"],
  ["set-cookie", "a=b"],
  ["x-request-id", "other"],
  ["openai-processing-ms", "1"],
] as const;
const SHAPES: readonly Shape[] = [
  "chat",
  "completions",
  "messages",
  "triton",
  "embeddings",
  "rerank",
  "count",
];

/** What engines do for the `attempt`-th try of a case, when they are asked in `shape`. */
export function makeScript(
  seed: number,
  index: number,
  attempt: number,
  shape: Shape,
  stream: boolean,
): EngineScript {
  const random = new Random(seed ^ ((attempt + 1) * 7919), index * 8 + SHAPES.indexOf(shape));
  const kind = random.next();
  if (shape !== "count" && kind < 0.04) return rawScript(random);
  if (kind < 0.1) return failing(random, shape);
  const wild = kind < 0.3;
  const asStream = stream !== random.chance(0.02);
  const lane = random.chance(0.02) ? random.pick(SHAPES) : shape;
  return transported(random, {
    status: "200 OK",
    headers: [
      ["content-type", typeOf(random, asStream)],
      ...(random.chance(0.05) ? [random.pick(ODD_HEADERS)] : []),
    ],
    body: bodyOf(random, lane, asStream, wild),
    framing: random.pick(["length", "chunked", "chunked", "close"]),
    places: [],
    leave: "keep",
  });
}

function typeOf(random: Random, stream: boolean): string {
  if (random.chance(0.03)) return random.pick(TYPES);
  return stream ? "text/event-stream" : "application/json";
}

function bodyOf(random: Random, shape: Shape, stream: boolean, wild: boolean): string {
  const answer = stream ? "" : wholeAnswer(random, shape);
  const bytes = stream
    ? streamBytes(random, shape, wild)
    : jsonBytes(wild ? mutated(random, answer) : answer);
  if (wild && random.chance(0.2)) return garbled(random, bytes);
  // Larger than what the gateway holds, or than one event may be.
  if (wild && random.chance(0.02)) return bytes.replace("Hello", "Hello".repeat(40_000));
  return bytes;
}

function rawScript(random: Random): EngineScript {
  const raw = random.chance(0.3) ? garbled(random, random.pick(RAW), 4) : random.pick(RAW);
  const leave = random.chance(0.05) ? "stall" : random.pick(["end", "reset"] as const);
  return {
    status: "",
    headers: [],
    body: "",
    framing: "close",
    raw,
    places: random.places(3, raw.length),
    leave,
  };
}

function failing(random: Random, shape: Shape): EngineScript {
  const told = random.pick([
    { error: { message: "engine says no", type: "invalid_request_error", code: 400 } },
    { type: "error", error: { type: "overloaded_error", message: "much" } },
    { error: "plain text" },
    { object: "error", message: "old vLLM" },
    { detail: [{ msg: "x" }] },
    "text",
  ]);
  const body = random.chance(0.2)
    ? "<html>no</html>"
    : jsonBytes(random.chance(0.3) ? mutated(random, told) : told);
  const status = random.pick(STATUSES);
  return transported(random, {
    status,
    headers: [
      [
        "content-type",
        random.pick(["application/json", "text/html", shape === "chat" ? "text/event-stream" : ""]),
      ],
      ...(random.chance(0.2) ? [["retry-after", random.pick(["1", "x", "-1", "99999999999"])] as const] : []),
    ],
    body: /^(?:204|304)/.test(status) ? "" : body,
    framing: "length",
    places: [],
    leave: "keep",
  });
}

/** Cuts it, divides it, lets it stall, some of the time. */
function transported(random: Random, script: EngineScript): EngineScript {
  const length = script.body.length + 200;
  const places = random.chance(0.3) ? random.places(4, length) : [];
  if (random.chance(0.17)) {
    const leave = random.chance(0.06) ? "stall" : random.pick(["end", "reset"] as const);
    return { ...script, places, cut: random.below(length), leave };
  }
  return { ...script, places, leave: script.framing === "close" ? "end" : "keep" };
}
