import type { ReactNode } from "react";

/** Says that there is nothing, and what would change that. */
export const Empty = ({ children }: { readonly children: ReactNode }) => <p className="empty">{children}</p>;
