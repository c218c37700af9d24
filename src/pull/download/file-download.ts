import type { Bandwidth } from "./bandwidth.ts";
import type { Part } from "./open-part.ts";
import type { Places } from "./places.ts";
import type { Reception } from "./receive.ts";

/** What is told of bytes as they come. */
export interface Meter {
  arrived(bytes: number): void;
  /** Bytes that an earlier run had fetched. */
  had(bytes: number): void;
  /** Bytes that had arrived are wrong and come again. */
  rejected(bytes: number): void;
  /** Bytes that are fetched a second time, to be compared. */
  compared(bytes: number): void;
}

/** All that the download of one file works with. */
export interface FileDownload extends Reception {
  readonly part: Part;
  readonly connections: number;
  readonly chunkBytes: number;
  /** Shared by all files, as the bandwidth is. */
  readonly places: Places;
  readonly bandwidth: Bandwidth;
  readonly meter: Meter;
}
