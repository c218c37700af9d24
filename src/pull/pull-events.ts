import type { LeftOut } from "./choose-files.ts";

/** What is told while a model is fetched; times in milliseconds, sizes in bytes. */
export type PullEvent =
  | {
      readonly kind: "plan";
      readonly repository: string;
      readonly revision: string;
      readonly commit: string;
      readonly folder: string;
      readonly files: readonly PlannedFile[];
      readonly bytes: number;
      /** Of them, what still has to come. */
      readonly missing: number;
      readonly leftOut: readonly LeftOut[];
    }
  | { readonly kind: "waiting"; readonly path: string }
  | { readonly kind: "progress"; readonly progress: PullProgress }
  | { readonly kind: "repair"; readonly path: string; readonly bytes: number }
  | { readonly kind: "file"; readonly path: string; readonly bytes: number; readonly fetched: boolean };

export interface PlannedFile {
  readonly path: string;
  readonly bytes: number;
  /** It is there already. */
  readonly there: boolean;
}

export interface PullProgress {
  readonly done: number;
  readonly total: number;
  /** Bytes a second over the last seconds. */
  readonly rate: number;
  readonly connections: number;
}
