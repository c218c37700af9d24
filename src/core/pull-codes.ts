/** Codes of fetching models; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const PULL_CODES = {
  "pull.no-space": entry(
    1,
    "There is not enough free disk for a download.",
    "Free the space that the message names, or move the cache: HF_HOME, or store.disk in the spec.",
  ),
  "pull.corrupt": entry(
    1,
    "A downloaded file does not have the checksum that the hub states.",
    "Run the same command again; what was wrong is fetched anew. If it stays, the mirror is at fault.",
  ),
} as const;
