import { OmniError } from "../../core/index.ts";
import { textOf } from "./bounded-output.ts";
import type { ProgramOutcome } from "./running-program.ts";

/** Bytes of a file that is read where its reader says nothing. */
export const MOST_FILE_BYTES = 16 << 20;

/**
 * Writes standard input to the file $1 with mode $2 if it is $3 bytes long: a connection that is lost looks like the end of
 * the input. Aside, made durable and renamed. Older programs called `sync` know no arguments.
 */
export const WRITER = [
  "set -eu; umask 077; trap '' PIPE",
  '[ ! -d "$1" ] || { echo "it is a folder" >&2; exit 1; }',
  'd=$(dirname -- "$1"); t=$(mktemp "$d/.omni.XXXXXX"); trap \'rm -f -- "$t"\' EXIT',
  'cat >"$t"',
  '[ "$(wc -c <"$t")" -eq "$3" ] || { echo "not all of it arrived" >&2; exit 1; }',
  'chmod -- "$2" "$t"; sync -- "$t" 2>/dev/null || sync',
  'mv -f -- "$t" "$1"; sync -- "$d" 2>/dev/null || sync',
].join("\n");

/** The error of a file that could not be read or written. */
export const refusedFile = (
  name: string,
  path: string,
  verb: "read" | "written",
  { end, stderr }: ProgramOutcome,
): OmniError =>
  fileError(name, path, verb, end.ended ? textOf(stderr).trim() || `exit status ${end.code}` : end.message);

export const fileError = (name: string, path: string, verb: "read" | "written", reason: string): OmniError =>
  new OmniError("host.command-failed", `${path} on ${name} cannot be ${verb}: ${reason}`, {
    hint: "Look at the path, its permissions and the free space on the host.",
  });

/** The bytes that `head` printed of a file; nothing where there is none. Throws `OmniError` `host.command-failed`. */
export function bytesOf(
  outcome: ProgramOutcome,
  { name, path, mostBytes }: { readonly name: string; readonly path: string; readonly mostBytes: number },
): Uint8Array | undefined {
  const { end, stdout, stderr } = outcome;
  if (!end.ended) throw refusedFile(name, path, "read", outcome);
  if (end.code !== 0) {
    if (/No such file or directory|Not a directory/.test(textOf(stderr))) return undefined;
    throw refusedFile(name, path, "read", outcome);
  }
  const bytes = Buffer.concat([stdout.head, stdout.tail]);
  if (bytes.length > mostBytes) throw fileError(name, path, "read", `it has more than ${mostBytes} bytes`);
  return bytes;
}
