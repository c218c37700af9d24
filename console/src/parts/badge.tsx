import type { ReactNode } from "react";

export type Tone = "good" | "busy" | "quiet" | "warning" | "error";

/** A word for a state. The tone is never all that tells it: the word does. */
export const Badge = ({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) => (
  <span className={`badge badge-${tone}`}>{children}</span>
);
