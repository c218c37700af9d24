import type { Caller } from "./caller.ts";
import { plainName } from "./tool-names.ts";

type Scoped = Pick<Caller, "tools">;

/** Whether a key may use a tool: by its server's name, or by a glob over `server__tool`. */
export const mayUseTool = ({ tools }: Scoped, server: string, tool: string): boolean =>
  tools === undefined ||
  tools.some((scope) => matches(scope, server) || matches(scope, plainName(server, tool)));

/** Whether a key may use anything at all of a server. */
export const mayUseServer = ({ tools }: Scoped, server: string): boolean =>
  tools === undefined || tools.some((scope) => matches(scope, server) || matches(serverPart(scope), server));

/** The part of a glob that speaks of the server. */
function serverPart(scope: string): string {
  const at = scope.indexOf("__");
  return at < 0 ? scope : scope.slice(0, at);
}

/** `*` stands for any characters. In time linear in the text, whatever the glob. */
export function matches(glob: string, text: string): boolean {
  const [head = "", ...parts] = glob.split("*");
  const tail = parts.pop();
  if (tail === undefined) return glob === text;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let at = head.length;
  const end = text.length - tail.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
