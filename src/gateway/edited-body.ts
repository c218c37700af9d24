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
  const edits: Edit[] = [];
  const added: string[] = [];
  if (body.model !== alias) {
    const span = body.spans.get("model");
    const value = JSON.stringify(alias);
    if (span === undefined) added.push(`"model":${value}`);
    else edits.push({ ...span, text: value });
  }
  if (counted) {
    const span = body.spans.get("stream_options");
    if (span === undefined) added.push(COUNTED);
    else edits.push({ ...span, text: withUsage(body.member("stream_options")) });
  }
  if (added.length > 0) {
    const text = `${added.join(",")}${body.empty ? "" : ","}`;
    edits.push({ start: body.bodyStart, end: body.bodyStart, text });
  }
  return edits.length === 0 ? body.bytes : edited(body.bytes, edits);
}

const withUsage = (options: unknown): string =>
  JSON.stringify({ ...(typeof options === "object" ? options : {}), include_usage: true });

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(bytes.subarray(at, start), Buffer.from(text));
    at = end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}
