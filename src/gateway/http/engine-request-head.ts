import { EngineError } from "./engine-error.ts";
import type { EngineCall } from "./engine-handler.ts";

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What no value may hold: control characters would end its line, and what is above latin1 has no byte. */
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;
const UNFIT_PATH = /[^\x21-\x7e\x80-\xff]/;

/** What the client itself says of the connection and of the body. */
const OURS: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "keep-alive",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "expect",
  "te",
  "trailer",
]);

/** Names found fit: few are ever sent, and they are looked at once. */
const fit = new Set<string>();
const MOST_KEPT = 256;

/**
 * Head of a request up to where its `connection` is said, latin1. Throws EngineError (`UND_ERR_INVALID_ARG`) for a path, a name or
 * a value that would not stay within its line; the message never holds a value.
 */
export function requestHead({ method, path, headers, body }: EngineCall, host: string): string {
  if (path.charCodeAt(0) !== 0x2f || UNFIT_PATH.test(path)) throw invalid("the path of a request is not one");
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n`;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    const value = headers[i + 1];
    if (name === undefined || value === undefined) throw invalid("a header has a name and no value");
    if (!fit.has(name)) check(name);
    if (UNFIT.test(value)) throw invalid(`the value of header "${name}" holds a character that it must not`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}content-length: ${body.length}\r\n`;
}

function check(name: string): void {
  if (!NAME.test(name)) throw invalid("the name of a header is no token");
  if (OURS.has(name.toLowerCase())) throw invalid(`header "${name}" is the connection's own`);
  if (fit.size < MOST_KEPT) fit.add(name);
}

const invalid = (message: string): EngineError => new EngineError("UND_ERR_INVALID_ARG", message);
