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
  "pull.unsafe-name": entry(
    3,
    "A repository has a file whose name leads out of its folder or is one that Omni keeps for itself.",
    "Do not use this repository; tell whoever runs the hub.",
  ),
  "pull.unsafe-cache": entry(
    3,
    "The cache holds a link or a file where a folder of its own belongs.",
    "Look at who made it and remove it, or choose another cache: HF_HUB_CACHE.",
  ),
  "pull.unwritable": entry(
    1,
    "The cache or the folder for a model cannot be written.",
    "Check its owner and whether its file system is mounted writable, or choose another: HF_HUB_CACHE, --to.",
  ),
  "pull.no-checksum": entry(
    1,
    "The hub states no checksum for a file, so that nothing could tell whether it arrived whole.",
    "Use a hub or mirror that lists checksums (blobs=true), such as https://huggingface.co.",
  ),
  "pull.nothing": entry(
    2,
    "No file of the repository is wanted.",
    "Name a quantization or --include with a glob that fits.",
  ),
  "pull.in-use": entry(
    3,
    "A model is being used or fetched.",
    "Stop the process that the message names, then try again.",
  ),
  "pull.not-agreed": entry(
    3,
    "Something would be removed, and nobody agreed to it.",
    "Look at what the command names; add --yes to remove it.",
  ),
  "pull.not-here": entry(2, "The cache has no such model.", "./omni models list shows what is there."),
} as const;
