import type { IncomingHttpHeaders } from "node:http";

import type { JsonObject } from "../dialects/dialect.ts";
import type { Ask, Operation } from "./ask.ts";
import { ROUTED_MEMBERS } from "./routing/routed-members.ts";
import type { Span } from "./top-level-scan.ts";
import { editedBody } from "./edited-body.ts";
import { ScanError, TopLevelScan } from "./top-level-scan.ts";
import { WantedMembers } from "./wanted-members.ts";

/** Members of the outermost object that are looked at without parsing the rest. */
const WANTED = new WantedMembers(["model", "stream", "stream_options", "tool_choice", ...ROUTED_MEMBERS]);
/** Bytes read before the event loop gets its turn: about a millisecond. */
const SLICE = 128 * 1024;

/** What an ask is made of beside its body. */
export type AskFrame = Pick<Ask, "id" | "operation" | "path" | "headers">;

/** A request body of which only what routing needs was read; the rest stays the bytes that came. */
export class RoutedBody implements Ask {
  readonly id: string;
  readonly operation: Operation;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly model: string | undefined;
  readonly stream: boolean;
  readonly spans: ReadonlyMap<string, Span>;
  /** Where a first member could be inserted, and whether the object has none yet. */
  readonly bodyStart: number;
  readonly empty: boolean;
  readonly pictureless: boolean;
  readonly contentType = "application/json";
  #parsed: JsonObject | undefined;

  constructor(frame: AskFrame, bytes: Buffer, scan: TopLevelScan) {
    this.id = frame.id;
    this.operation = frame.operation;
    this.path = frame.path;
    this.headers = frame.headers;
    this.bytes = bytes;
    this.spans = scan.spans;
    this.bodyStart = scan.bodyStart;
    this.empty = scan.empty;
    this.pictureless = !scan.namesPictures;
    const model = scan.spans.get("model");
    const stream = scan.spans.get("stream");
    this.model = model === undefined ? undefined : modelName(bytes, model);
    this.stream = stream !== undefined && bytes[stream.start] === 0x74;
  }

  json(): JsonObject {
    this.#parsed ??= parsedObject(this.bytes);
    return this.#parsed;
  }

  /** The value of a top-level member that the scan looked for, `undefined` when it is not there. */
  member(name: string): unknown {
    const span = this.spans.get(name);
    return span === undefined ? undefined : JSON.parse(this.bytes.toString("utf8", span.start, span.end));
  }

  bodyFor(alias: string, counted: boolean): Buffer {
    return editedBody(this, alias, counted);
  }
}

function parsedObject(bytes: Buffer): JsonObject {
  const value: JsonObject = JSON.parse(bytes.toString("utf8"));
  // The scan has seen that it is an object.
  return value;
}

/** Reads what routing needs. Throws ScanError when the body is no JSON object or its `model` is no string. */
export function readRoutedBody(frame: AskFrame, bytes: Buffer): RoutedBody | Promise<RoutedBody> {
  const scan = new TopLevelScan(bytes, WANTED);
  if (scan.advance(SLICE)) return new RoutedBody(frame, bytes, scan);
  return advanceInSlices(frame, bytes, scan);
}

async function advanceInSlices(frame: AskFrame, bytes: Buffer, scan: TopLevelScan): Promise<RoutedBody> {
  let limit = SLICE;
  do {
    await new Promise<void>((resolve) => setImmediate(resolve));
    limit += SLICE;
  } while (!scan.advance(limit));
  return new RoutedBody(frame, bytes, scan);
}

function modelName(bytes: Buffer, span: Span): string {
  const { start, end } = span;
  if (isPlainString(bytes, start, end)) return bytes.toString("latin1", start + 1, end - 1);
  const value: unknown = JSON.parse(bytes.toString("utf8", span.start, span.end));
  if (typeof value !== "string") throw new ScanError('"model" must be a string', span.start);
  return value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether a JSON value is a string that stands there letter by letter. */
function isPlainString(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== QUOTE) return false;
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return false;
  }
  return true;
}
