import type { Caller } from "../../keys/caller.ts";
import { matches, mayUseServer } from "../../keys/tool-scope.ts";

const known = new WeakMap<Caller, string>();

/** Everything of a key by which what it sees differs, as one text: keys with the same rights share what is built for them. */
export function scopeOf(caller: Caller): string {
  let scope = known.get(caller);
  if (scope === undefined) {
    const { tools, mcp } = caller;
    scope = JSON.stringify([tools ?? 0, mcp?.readOnly ?? false, mcp?.resources ?? 0, mcp?.arguments ?? 0]);
    known.set(caller, scope);
  }
  return scope;
}

/**
 * Whether a key may read resources of a server. One that may use only some of the server's tools reads none by that:
 * its resources would show what the other tools would. It does where `mcp.resources` says so.
 */
export const mayReadFrom = (caller: Caller, server: string): boolean =>
  caller.tools === undefined ||
  (caller.mcp?.resources === undefined
    ? caller.tools.some((scope) => matches(scope, server))
    : mayUseServer(caller, server));

/** Whether it may read a resource of such a server, by its address as clients see it. */
export const mayReadAddress = ({ mcp }: Caller, uri: string): boolean =>
  mcp?.resources === undefined || mcp.resources.some((glob) => readableBy(glob, uri));

/** An address that climbs out of what the glob names matches no glob with a star in it. */
const readableBy = (glob: string, uri: string): boolean =>
  matches(glob, uri) && (glob === uri || !/(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\?#]|%2f|%5c|$)/i.test(uri));
