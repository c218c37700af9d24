import type { WireError } from "../wire-error.ts";
import { badRequest } from "../wire-error.ts";

/** What routing needs of a form with a file, found without copying it. */
export interface MultipartModel {
  readonly bytes: Buffer;
  /** The value of the field `model`, `undefined` when there is none. */
  readonly model: string | undefined;
  /** The field `stream` says true. */
  readonly stream: boolean;
  /** Where the value of `model` lies; of length 0 before the first part when there is none. */
  readonly span: { readonly start: number; readonly end: number };
  readonly boundary: string;
}

const MOST_PARTS = 256;
const MOST_PART_HEADERS = 8 * 1024;
const LONGEST_VALUE = 512;
const CRLF2 = Buffer.from("\r\n\r\n");

const wrong = (message: string, param?: string): WireError => badRequest("invalid_multipart", message, param);

/** The boundary of a `multipart/form-data` type (RFC 2046, 5.1.1: at most 70 characters of a small set). */
function boundaryOf(contentType: string): string | undefined {
  if (!/^multipart\/form-data\s*;/i.test(contentType)) return undefined;
  const quoted = /;\s*boundary="([^"]{1,70})"/i.exec(contentType)?.[1];
  const boundary = quoted ?? /;\s*boundary=([^\s;"]{1,70})(?:\s*;|\s*$)/i.exec(contentType)?.[1];
  return boundary !== undefined && /^[\w'()+,./:=? -]*[\w'()+,./:=?-]$/.test(boundary) ? boundary : undefined;
}

/** Reads the parts of a form far enough to route it (RFC 7578). Refuses what engines could read in two ways. */
export function readMultipart(contentType: string, bytes: Buffer): MultipartModel | WireError {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined) {
    return wrong("The body is to be multipart/form-data, and its content-type names no usable boundary.");
  }
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const opening = delimiter.subarray(2);
  const first = bytes.subarray(0, opening.length).equals(opening) ? 0 : bytes.indexOf(delimiter) + 2;
  if (first === 1) return wrong("The body holds no part: its boundary does not appear in it.");
  const found: { model?: Field; stream?: Field } = {};
  let at = first + opening.length;
  for (let parts = 0; parts <= MOST_PARTS; parts++) {
    if (isClosing(bytes, at)) return formOf(bytes, boundary, first, found);
    const line = bytes.indexOf("\r\n", at);
    if (line < 0 || line - at > 64 || /[^ \t]/.test(bytes.toString("latin1", at, line))) {
      return wrong("A boundary of the body is followed by something else than the end of its line.");
    }
    const part = readPart(bytes, line + 2, delimiter);
    if ("status" in part) return part;
    const problem = note(found, part, bytes);
    if (problem !== undefined) return problem;
    at = part.end + delimiter.length;
  }
  return wrong(`The body has more than ${MOST_PARTS} parts.`);
}

interface Field {
  readonly start: number;
  readonly end: number;
}

interface Part extends Field {
  readonly name: string | undefined;
  readonly isFile: boolean;
}

const isClosing = (bytes: Buffer, at: number): boolean => bytes[at] === 0x2d && bytes[at + 1] === 0x2d;

/** The part whose headers begin at `from`. */
function readPart(bytes: Buffer, from: number, delimiter: Buffer): Part | WireError {
  const headersEnd = bytes.indexOf(CRLF2, from);
  const end = headersEnd < 0 ? -1 : bytes.indexOf(delimiter, headersEnd + 2);
  if (end < 0) return wrong("The body ends inside a part; it has to end with its boundary and two hyphens.");
  if (headersEnd - from > MOST_PART_HEADERS) return wrong("The headers of a part are too long.");
  const headers = bytes.toString("utf8", from, headersEnd);
  const disposition = /^content-disposition[ \t]*:[ \t]*form-data(.*)$/im.exec(headers)?.[1];
  if (disposition === undefined) return wrong("A part of the body has no content-disposition: form-data.");
  const name =
    /;[ \t]*name="((?:[^"\\]|\\.)*)"/i.exec(disposition) ?? /;[ \t]*name=([^\s;"]+)/i.exec(disposition);
  return {
    name: name?.[1],
    isFile: /;[ \t]*filename\*?=/i.test(disposition),
    start: Math.min(headersEnd + CRLF2.length, end),
    end,
  };
}

function note(found: { model?: Field; stream?: Field }, part: Part, bytes: Buffer): WireError | undefined {
  const { name, isFile, start, end } = part;
  if (name !== "model" && name !== "stream") return undefined;
  if (isFile) return wrong(`The field ${name} is a file; send its value.`, name);
  if (found[name] !== undefined) return wrong(`The field ${name} appears twice.`, name);
  if (end - start > LONGEST_VALUE) {
    return wrong(`The field ${name} has ${end - start} bytes; at most ${LONGEST_VALUE} are read.`, name);
  }
  const value = bytes.toString("utf8", start, end);
  if (/[\r\n\0]/.test(value)) return wrong(`The field ${name} has more than one line.`, name);
  found[name] = { start, end };
  return undefined;
}

function formOf(
  bytes: Buffer,
  boundary: string,
  first: number,
  { model, stream }: { readonly model?: Field; readonly stream?: Field },
): MultipartModel {
  const value = (field: Field | undefined): string | undefined =>
    field === undefined ? undefined : bytes.toString("utf8", field.start, field.end);
  const streams = value(stream)?.trim().toLowerCase();
  return {
    bytes,
    model: value(model),
    stream: streams === "true" || streams === "1",
    span: model ?? { start: first, end: first },
    boundary,
  };
}

/** The same form for an engine that knows its model as `alias`: only the value of `model` is another. */
export function multipartFor(form: MultipartModel, alias: string): Buffer {
  const { bytes, model, span, boundary } = form;
  if (model === alias) return bytes;
  const value =
    model === undefined
      ? `--${boundary}\r\ncontent-disposition: form-data; name="model"\r\n\r\n${alias}\r\n`
      : alias;
  return Buffer.concat([bytes.subarray(0, span.start), Buffer.from(value), bytes.subarray(span.end)]);
}
