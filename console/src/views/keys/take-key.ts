import { holdKey, sessionKey } from "../../api/session-key.ts";
import type { Session } from "../../app/session.ts";
import type { Key } from "./key-types.ts";

/**
 * Has this console show a key that was just made where it needs it from now on: the first one of the node, if it may change
 * the node, and another secret of its own key. Tells whether it does.
 */
export function takeKey(session: Session, key: Key, secret: string, first: boolean): boolean {
  const own = sessionKey() !== undefined && session.key === key.name;
  const taken = own || (first && key.may.admin);
  if (taken) holdKey(secret, true);
  return taken;
}
