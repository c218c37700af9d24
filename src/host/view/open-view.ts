import type { HostView } from "../doctor/check.ts";

/** A view that has to be put away. */
export interface OpenHostView extends HostView {
  /** Removes what it keeps on this machine. Throws nothing. */
  dispose(): void;
}
