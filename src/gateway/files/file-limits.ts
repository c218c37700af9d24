import { GIB, MIB } from "../../core/index.ts";

/** Bounds of kept files. Sizes are bytes, times seconds. */
export interface FileLimits {
  readonly fileBytes: number;
  readonly totalBytes: number;
  /** Of one key; so that none can take the room of all. */
  readonly keyBytes: number;
  readonly files: number;
  /** Files without an end of their own are deleted after so long. */
  readonly age: number;
}

export const FILE_LIMITS: FileLimits = {
  // OpenAI takes 512 MB a file.
  fileBytes: 512 * MIB,
  totalBytes: 10 * GIB,
  keyBytes: 5 * GIB,
  files: 2000,
  age: 30 * 86_400,
};
