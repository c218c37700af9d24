import type { Span } from "./top-level-scan.ts";
import { ScanError, TopLevelScan } from "./top-level-scan.ts";

/** A request body of which only what routing needs was read; the rest stays the bytes that came. */
export interface RoutedBody {
  readonly bytes: Buffer;
  /** The `model` the caller named, `undefined` when there is none. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** Where the value of `model` lies. */
  readonly modelSpan: Span | undefined;
  /** Where a first member could be inserted, and whether the object has none yet. */
  readonly bodyStart: number;
  readonly empty: boolean;
}

const WANTED = ["model", "stream"] as const;
/** Bytes read before the event loop gets its turn: about a millisecond. */
const SLICE = 128 * 1024;

/** Reads what routing needs. Throws ScanError when the body is no JSON object or its `model` is no string. */
export function readRoutedBody(bytes: Buffer): RoutedBody | Promise<RoutedBody> {
  const scan = new TopLevelScan(bytes, WANTED);
  if (scan.advance(SLICE)) return routed(bytes, scan);
  return advanceInSlices(bytes, scan);
}

async function advanceInSlices(bytes: Buffer, scan: TopLevelScan): Promise<RoutedBody> {
  let limit = SLICE;
  do {
    await new Promise<void>((resolve) => setImmediate(resolve));
    limit += SLICE;
  } while (!scan.advance(limit));
  return routed(bytes, scan);
}

function routed(bytes: Buffer, scan: TopLevelScan): RoutedBody {
  const modelSpan = scan.spans.get("model");
  const streamSpan = scan.spans.get("stream");
  return {
    bytes,
    model: modelSpan === undefined ? undefined : modelName(bytes, modelSpan),
    stream: streamSpan !== undefined && bytes[streamSpan.start] === 0x74,
    modelSpan,
    bodyStart: scan.bodyStart,
    empty: scan.empty,
  };
}

function modelName(bytes: Buffer, span: Span): string {
  const value: unknown = JSON.parse(bytes.toString("utf8", span.start, span.end));
  if (typeof value === "string") return value;
  throw new ScanError('"model" must be a string', span.start);
}

/** The body for an engine that knows its model as `alias`: the same bytes, with only the value of `model` replaced. */
export function bodyFor(body: RoutedBody, alias: string): Buffer {
  if (body.model === alias) return body.bytes;
  const value = Buffer.from(JSON.stringify(alias));
  if (body.modelSpan !== undefined) {
    const { start, end } = body.modelSpan;
    return Buffer.concat([body.bytes.subarray(0, start), value, body.bytes.subarray(end)]);
  }
  const member = Buffer.concat([Buffer.from('"model":'), value, Buffer.from(body.empty ? "" : ",")]);
  return Buffer.concat([body.bytes.subarray(0, body.bodyStart), member, body.bytes.subarray(body.bodyStart)]);
}
