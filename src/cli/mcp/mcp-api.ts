import { z } from "zod";

import { CODES, messageOf, OmniError } from "../../core/index.ts";
import type { Code } from "../../core/index.ts";
import type { Invocation } from "../command.ts";
import { nodeUrl } from "../node-client.ts";
import { ASKS_FOR_KEY, bearer, presentedKey } from "./presented-key.ts";

const REFUSAL = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) });

/** The node's API of its MCP servers, as the commands ask it. */
export interface McpApi {
  /** Throws `OmniError` with the node's own words. */
  get<T>(path: string, shape: z.ZodType<T>, query?: Readonly<Record<string, string | undefined>>): Promise<T>;
  post<T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<T>;
}

/** The API of the node that the command line names, with the key that it presents. */
export function mcpApi(invocation: Invocation): McpApi {
  // With the address of an MCP endpoint, the node is at its origin.
  const base = new URL(nodeUrl(invocation)).origin;
  const headers = bearer(presentedKey(invocation));
  const ask = async <T>(path: string, shape: z.ZodType<T>, init: RequestInit): Promise<T> => {
    const response = await fetched(`${base}/api/mcp/${path}`, init);
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw refusalOf(base, response.status, body);
    const read = shape.safeParse(body);
    if (read.success) return read.data;
    throw new OmniError("cli.no-node", `${base} answers, but not as a node of Omni with MCP does.`);
  };
  return {
    get: (path, shape, query = {}) => {
      const given = Object.entries(query).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      );
      const search = new URLSearchParams(given).toString();
      return ask(search === "" ? path : `${path}?${search}`, shape, { headers });
    },
    post: (path, body, shape) =>
      ask(path, shape, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
  };
}

async function fetched(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
    throw new OmniError("cli.no-node", `Nothing answers at ${new URL(url).origin}: ${messageOf(cause)}`, {
      cause: thrown,
    });
  }
}

const isCode = (text: string): text is Code => Object.hasOwn(CODES, text);

/** `mcp_unknown_pin` of the wire is `mcp.unknown-pin` here, so that exit codes are those of the registry. */
function refusalOf(base: string, status: number, body: unknown): OmniError {
  const read = REFUSAL.safeParse(body);
  const said = read.success ? read.data.error.message : "it did not say why";
  const code = (read.success ? (read.data.error.code ?? "") : "").replace("_", ".").replaceAll("_", "-");
  if (isCode(code)) return new OmniError(code, said);
  if (status === 401)
    return new OmniError("cli.no-node", `${base} asks for a key: ${said}`, {
      hint: `${ASKS_FOR_KEY} It needs admin.`,
    });
  if (status === 403)
    return new OmniError("mcp.node-refused", `${base}: ${said}`, {
      hint: "These commands need a key with admin; ./omni keys create NAME --admin makes one.",
    });
  const kind: Code = status < 500 && status !== 404 ? "cli.bad-argument" : "mcp.node-refused";
  return new OmniError(kind, `${base} answered ${status}: ${said}`);
}
