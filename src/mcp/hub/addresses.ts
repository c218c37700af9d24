/**
 * The scheme that stands before addresses of a server: `docs+file:///a` is `file:///a` of `docs`. A scheme begins with a
 * letter (RFC 3986, 3.1); a name that does not gets `mcp.` before it, which no name can hold.
 */
export const schemeOf = (server: string): string => (/^[a-z]/.test(server) ? `${server}+` : `mcp.${server}+`);

/** The server's scheme, and its own address, of one that a client gave. */
export function splitAddress(uri: string): { readonly scheme: string; readonly own: string } | undefined {
  const at = uri.indexOf("+");
  return at < 1 ? undefined : { scheme: uri.slice(0, at + 1), own: uri.slice(at + 1) };
}
