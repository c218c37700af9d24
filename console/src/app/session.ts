import { createContext, use } from "react";
import type { Answer } from "../../../src/api/contract/index.ts";

/** Who looks, and what of the node is for them. */
export type Session = Answer<"GET /api/session">;

export const SessionContext = createContext<Session | undefined>(undefined);

/** Of the key that is shown; views are only drawn with one. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (session === undefined) throw new Error("a view was drawn without a session");
  return session;
}
