import type { IncomingMessage } from "node:http";
import { z } from "zod";

import { messageOf, OmniError } from "../../../core/index.ts";
import { sendJson } from "../../../gateway/call.ts";
import type { Call } from "../../../gateway/call.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import type { HostedTool, ToolCallContext, ToolHost, ToolOutcome } from "../../../gateway/tools/tool-host.ts";
import type { Caller } from "../../../keys/index.ts";
import { mayUseServer } from "../../../keys/tool-scope.ts";
import type { JsonObject } from "../../../dialects/dialect.ts";
import type { InsideClient } from "./inside-client.ts";

const LIST = "/inside/tools/list";
const CALL = "/inside/tools/call";
/** Bytes of arguments and of answers between the processes of one node. */
const MOST = 64 * 1024 * 1024;

const JSON_OBJECT = z.record(z.string(), z.unknown());
const LISTED = z.array(
  z.object({
    name: z.string(),
    description: z.string().exactOptional(),
    inputSchema: JSON_OBJECT,
    needsApproval: z.boolean(),
  }),
);
const OUTCOME = z.object({ text: z.string(), isError: z.boolean() });
const LIST_ASKED = z.object({ server: z.string() });
const CALL_ASKED = z.object({
  server: z.string(),
  tool: z.string(),
  args: JSON_OBJECT,
  maxBytes: z.number(),
  approved: z.boolean(),
  depth: z.number().exactOptional(),
});
const FAILED = z.object({ error: z.string() });

/** The tools of the node for requests that a worker of its gateway serves: they are called in the node's own process. */
export function insideTools(client: InsideClient, servers: () => readonly string[]): ToolHost {
  const ask = async <T>(
    url: string,
    what: unknown,
    { caller, request, signal }: Pick<ToolCallContext, "caller" | "request" | "signal">,
    shape: z.ZodType<T>,
  ): Promise<T> => {
    const answer = await client.ask({
      method: "POST",
      url,
      headers: { "content-type": "application/json" },
      caller,
      id: request,
      body: Buffer.from(JSON.stringify(what)),
      signal,
    });
    const body = await readJson(answer);
    const failed = FAILED.safeParse(body);
    if (failed.success) throw new OmniError("mcp.unreachable", failed.data.error);
    return shape.parse(body);
  };
  return {
    servers: (caller: Caller) => servers().filter((name) => mayUseServer(caller, name)),
    list: (server, caller, signal): Promise<readonly HostedTool[]> =>
      ask(LIST, { server }, { caller, request: "", signal }, LISTED),
    call: (server, tool, args: JsonObject, context): Promise<ToolOutcome> =>
      ask(
        CALL,
        {
          server,
          tool,
          args,
          maxBytes: context.maxBytes,
          approved: context.approved ?? false,
          ...(context.depth === undefined ? {} : { depth: context.depth }),
        },
        context,
        OUTCOME,
      ),
  };
}

/** The same at the node's side. */
export const insideToolEndpoints = (host: ToolHost): Readonly<Record<string, Endpoint>> => ({
  [LIST]: {
    whole: (call) =>
      serve(call, LIST_ASKED, ({ server }, caller, signal) => host.list(server, caller, signal)),
  },
  [CALL]: {
    whole: (call) =>
      serve(call, CALL_ASKED, ({ server, tool, args, ...rest }, caller, signal) =>
        host.call(server, tool, args, { caller, request: call.id, signal, ...rest }),
      ),
  },
});

function serve<T>(
  call: Call,
  shape: z.ZodType<T>,
  act: (asked: T, caller: Caller, signal: AbortSignal) => Promise<unknown>,
): void {
  const gone = new AbortController();
  call.res.once("close", () => gone.abort());
  const run = async (body: Buffer): Promise<void> => {
    const { caller } = call;
    try {
      if (caller === undefined) throw new Error("Nobody asks.");
      sendJson(call, 200, await act(shape.parse(JSON.parse(body.toString())), caller, gone.signal));
    } catch (thrown) {
      if (!call.res.destroyed) sendJson(call, 200, { error: messageOf(thrown) });
    }
  };
  call.body.read(
    MOST,
    (body) => void run(body),
    () => call.res.destroy(),
  );
}

async function readJson(answer: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.length;
    if (size > MOST) throw new OmniError("mcp.unreachable", "The answer of a tool is too large.");
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString());
}
