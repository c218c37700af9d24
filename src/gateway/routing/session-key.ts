import type { Ask } from "../ask.ts";
import { hashText } from "./hashing.ts";

/** Members that name a conversation or a user, best first. */
const MEMBERS = ["prompt_cache_key", "conversation", "user"] as const;
/** Characters of a name that are looked at. */
const MOST = 512;

/** Hash of what a request says about the session it belongs to; `undefined` where it says nothing. */
export function sessionKey(ask: Ask): number | undefined {
  const header = ask.headers["x-session-id"];
  if (typeof header === "string" && header !== "") return hashText(header.slice(0, MOST));
  for (const member of MEMBERS) {
    const text = textOf(ask, member);
    if (text !== undefined && text !== "null" && text !== '""') return hashText(text);
  }
  const user = /"user_id"\s*:\s*("(?:[^"\\]|\\.)+")/.exec(textOf(ask, "metadata") ?? "")?.[1];
  return user === undefined ? undefined : hashText(user);
}

function textOf({ spans, bytes }: Ask, member: string): string | undefined {
  const span = spans.get(member);
  return span === undefined
    ? undefined
    : bytes.toString("latin1", span.start, Math.min(span.end, span.start + MOST));
}
