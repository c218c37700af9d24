import type { Diagnostic } from "../../core/index.ts";

/** The largest spec that is read; a spec of a thousand machines is a tenth of it. */
const MAX_SPEC_BYTES = 1024 * 1024;

const UTF16: ReadonlySet<string> = new Set(["fffe", "feff"]);

interface Decoded {
  readonly text?: string;
  readonly diagnostic?: Diagnostic;
}

const refusal = (
  file: string,
  code: Diagnostic["code"],
  message: string,
  hint: string,
  line = 1,
  column = 1,
): Decoded => ({
  diagnostic: { code, severity: "error", message, file, line, column, hint },
});

/** Bytes or text of a file as text without a byte order mark; anything but UTF-8 without NUL bytes is refused. */
export function decodeSpec(input: string | Uint8Array, file: string): Decoded {
  if (input.length > MAX_SPEC_BYTES) {
    return refusal(
      file,
      "spec.too-large",
      `the file has ${input.length} bytes; at most ${MAX_SPEC_BYTES} are read`,
      "split the machines into several specs",
    );
  }
  const decoded = typeof input === "string" ? { text: input } : decodeBytes(input, file);
  if (decoded.text === undefined) return decoded;
  const text = decoded.text.startsWith("\uFEFF") ? decoded.text.slice(1) : decoded.text;
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  const control = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/.exec(text);
  if (control !== null) {
    const { line, column } = positionOf(text, control.index);
    const code = control[0].charCodeAt(0).toString(16).padStart(4, "0");
    return refusal(
      file,
      "spec.encoding",
      `control character U+${code.toUpperCase()} in the file`,
      "remove it; a spec is plain text",
      line,
      column,
    );
  }
  return { text };
}

function decodeBytes(bytes: Uint8Array, file: string): Decoded {
  const mark = Buffer.from(bytes.subarray(0, 2)).toString("hex");
  if (UTF16.has(mark)) {
    return refusal(file, "spec.encoding", "the file is UTF-16", `iconv -f UTF-16 -t UTF-8 ${file}`);
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    const lenient = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const { line, column } = positionOf(lenient, Math.max(0, lenient.indexOf("\uFFFD")));
    return refusal(
      file,
      "spec.encoding",
      "the file is not UTF-8",
      `iconv -f LATIN1 -t UTF-8 ${file}`,
      line,
      column,
    );
  }
}

/** Line and column, both from 1, of an offset into a text. */
function positionOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - start + 1 };
}
