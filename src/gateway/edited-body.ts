import type { Ask } from "./ask.ts";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A JSON object of which the places of some members are known. */
type EditableBody = Pick<Ask, "bytes" | "model" | "spans" | "member"> & {
  /** Where a first member could be inserted, and whether the object has none yet. */
  readonly bodyStart: number;
  readonly empty: boolean;
};

const COUNTED = '"stream_options":{"include_usage":true}';

/** Whether the client itself asked for the usage of its stream. */
export function asksForUsage(body: Pick<Ask, "member">): boolean {
  const options = body.member("stream_options");
  return (
    typeof options === "object" &&
    options !== null &&
    "include_usage" in options &&
    options.include_usage === true
  );
}

/**
 * The body for an engine that knows its model as `alias`: the same bytes, with only the value of `model` replaced and, for
 * `counted`, the wish added that the stream tells its usage.
 */
export function editedBody(body: EditableBody, alias: string, counted: boolean): Buffer {
  const named = body.model === alias ? undefined : namedAs(body, alias);
  if (!counted) return named === undefined ? body.bytes : edited(body.bytes, named);
  const usage = withUsage(body);
  if (named === undefined) return edited(body.bytes, usage);
  // Two first members are one edit.
  if (named.start === usage.start)
    return edited(body.bytes, { ...named, text: `${named.text}${body.empty ? "," : ""}${usage.text}` });
  // The later one first: what stands before it keeps its place.
  return named.start > usage.start
    ? edited(edited(body.bytes, named), usage)
    : edited(edited(body.bytes, usage), named);
}

function namedAs(body: EditableBody, alias: string): Edit {
  const span = body.spans.get("model");
  const value = JSON.stringify(alias);
  return span === undefined
    ? inserted(body, `"model":${value}`)
    : { start: span.start, end: span.end, text: value };
}

function withUsage(body: EditableBody): Edit {
  const span = body.spans.get("stream_options");
  if (span === undefined) return inserted(body, COUNTED);
  const options = body.member("stream_options");
  const text = JSON.stringify({ ...(typeof options === "object" ? options : {}), include_usage: true });
  return { start: span.start, end: span.end, text };
}

/** A first member. */
const inserted = ({ bodyStart, empty }: EditableBody, member: string): Edit => ({
  start: bodyStart,
  end: bodyStart,
  text: empty ? member : `${member},`,
});

function edited(bytes: Buffer, { start, end, text }: Edit): Buffer {
  const length = Buffer.byteLength(text);
  const out = Buffer.allocUnsafe(bytes.length - (end - start) + length);
  bytes.copy(out, 0, 0, start);
  out.write(text, start);
  bytes.copy(out, start + length, end);
  return out;
}
