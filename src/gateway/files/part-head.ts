/** What is wrong with a form, as the client hears it. */
export class MultipartError extends Error {
  override readonly name = "MultipartError";
  readonly code: string;
  readonly status: 400 | 413 | 415;

  constructor(code: string, message: string, status: 400 | 413 | 415 = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** What the headers of a part say. */
export interface PartHead {
  readonly name: string;
  /** Without folders, as browsers of old sent them. */
  readonly filename?: string;
  readonly type?: string;
}

const MOST_NAME = 512;
/** RFC 2046, 5.1.1: at most 70 characters. */
const BOUNDARY = /^[A-Za-z0-9'()+_,\-./:=? ]{1,70}$/;

/** The boundary in a content type. Throws MultipartError where it is no form or names none. */
export function boundaryOf(contentType: string | undefined): string {
  if (contentType === undefined || !/^multipart\/form-data\s*(?:;|$)/i.test(contentType))
    throw new MultipartError(
      "unsupported_media_type",
      `The body is ${(contentType ?? "of no type").slice(0, 80)}; send multipart/form-data.`,
      415,
    );
  const boundary = parametersOf(contentType).get("boundary")?.trimEnd();
  if (boundary === undefined || !BOUNDARY.test(boundary))
    throw new MultipartError(
      "invalid_multipart",
      "The content-type names no boundary of 1 to 70 allowed characters.",
    );
  return boundary;
}

/** Reads the headers of a part. Throws MultipartError where they name no field. */
export function readPartHead(text: string): PartHead {
  // The text begins with the line end behind the boundary.
  const headers = new Map(
    text
      .split("\r\n")
      .filter((line) => line !== "")
      .map((line) => {
        const colon = line.indexOf(":");
        if (colon <= 0) throw new MultipartError("invalid_multipart", "A part has a header without a colon.");
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
  );
  const disposition = headers.get("content-disposition");
  const parameters = parametersOf(disposition ?? "");
  const name = parameters.get("name");
  if (name === undefined || !/^form-data\s*;/i.test(disposition ?? ""))
    throw new MultipartError("invalid_multipart", 'A part lacks content-disposition: form-data; name="…".');
  const filename = extended(parameters.get("filename*")) ?? parameters.get("filename");
  const type = headers.get("content-type");
  return {
    name: name.slice(0, MOST_NAME),
    ...(filename === undefined ? {} : { filename: plainName(filename) }),
    ...(type === undefined ? {} : { type }),
  };
}

/** `a; b="c"`: the parameters of a header's value, the first of each name. */
function parametersOf(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const match of value.matchAll(/;\s*([a-z*]{1,20})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/gi)) {
    const name = (match[1] ?? "").toLowerCase();
    const text = match[2]?.replaceAll(/\\(["\\])/g, "$1") ?? match[3] ?? "";
    if (!parameters.has(name)) parameters.set(name, text);
  }
  return parameters;
}

/** RFC 5987: `UTF-8''na%C3%AFve.txt`. */
function extended(value: string | undefined): string | undefined {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(value ?? "")?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** A name without folders and control characters: it is shown, and never a path. */
const plainName = (name: string): string =>
  (name.split(/[/\\]/).at(-1) ?? "")
    .replaceAll("%22", '"')
    .replaceAll(/\p{Cc}/gu, "")
    .slice(0, MOST_NAME);
