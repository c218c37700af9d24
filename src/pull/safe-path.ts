import { OmniError } from "../core/index.ts";

/** Names that Omni and git keep for themselves, on any level. */
const RESERVED = /^(?:\.omni(?:[-.].*)?|\.git|\.locks)$/i;
const LONGEST_NAME = 240;

/**
 * Throws `OmniError` `pull.unsafe-name` for a path of a hub's listing that is no plain relative one: a listing is not
 * believed where files are written.
 */
export function checkPath(path: string, repo: string): void {
  const parts = path.split("/");
  const unsafe =
    path === "" ||
    /[\p{Cc}\\]/u.test(path) ||
    parts.some(
      (part) =>
        part === "" ||
        part === "." ||
        part === ".." ||
        RESERVED.test(part) ||
        Buffer.byteLength(part) > LONGEST_NAME,
    );
  if (!unsafe) return;
  throw new OmniError(
    "pull.unsafe-name",
    `${repo} lists a file ${JSON.stringify(path.slice(0, 200))}, which cannot be written safely. Nothing was fetched.`,
  );
}
