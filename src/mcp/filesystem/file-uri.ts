import { clientPath, pathText } from "./client-path.ts";
import { Refusal, shown } from "./refusal.ts";

const SCHEME = "files://";

/** The address of a file as a resource: `files://root/folder/file`, each name percent-encoded. */
export const fileUri = ({
  root,
  names,
}: {
  readonly root: string;
  readonly names: readonly string[];
}): string => SCHEME + [root, ...names].map(encodeURIComponent).join("/");

/**
 * The client's path that a resource's address stands for. Decoded once and part by part, so that an encoded slash is no
 * separator; what is encoded twice is a name with percent signs. Throws `Refusal`.
 */
export function pathOfUri(uri: string): string {
  if (!uri.startsWith(SCHEME) || /[?#]/.test(uri))
    throw new Refusal(
      `${shown(uri)} is no address of a file here; they have the form ${SCHEME}root/folder/file.`,
    );
  const parts = uri.slice(SCHEME.length).split("/").map(decoded);
  const slash = parts.find((part) => part === undefined || part.includes("/"));
  if (slash !== undefined || parts.includes(undefined))
    throw new Refusal(`${shown(uri)} is not encoded as an address is.`);
  const { root, names } = clientPath(parts.join("/"));
  return pathText(root, names);
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
