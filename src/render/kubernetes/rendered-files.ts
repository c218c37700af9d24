import type { Diagnostic } from "../../core/index.ts";
import type { KubernetesFile } from "./kubernetes-file.ts";

/** Files of one concern, and what their owner should know, also where no file came of it. */
export interface RenderedFiles {
  readonly files: readonly KubernetesFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Several concerns as one, in their order. */
export const together = (...all: readonly RenderedFiles[]): RenderedFiles => ({
  files: all.flatMap(({ files }) => files),
  diagnostics: all.flatMap(({ diagnostics }) => diagnostics),
});
