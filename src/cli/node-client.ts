import { z } from "zod";
import { messageOf, OmniError } from "../core/index.ts";
import { readNodeRecord } from "../store/index.ts";
import type { Invocation, Option } from "./command.ts";
import { stateFolder } from "./state-folder.ts";
import { usualKey } from "./usual-key.ts";

export const URL_OPTION: Option = {
  kind: "value",
  placeholder: "URL",
  about: "The node to ask; default: the one that runs on this machine.",
};

/** The base URL of the node a command talks to: `--url`, `OMNI_URL`, or the record a running node leaves in the state folder. */
export function nodeUrl(invocation: Invocation): string {
  const given = invocation.value("url") ?? process.env["OMNI_URL"];
  if (given !== undefined) {
    if (!URL.canParse(given))
      throw new OmniError("cli.bad-argument", `${JSON.stringify(given)} is no URL.`, {
        hint: "For example: --url http://127.0.0.1:4664",
      });
    return given.replace(/\/(?:v1\/?)?$/, "");
  }
  const record = readNodeRecord(stateFolder());
  if (record === undefined) throw new OmniError("cli.no-node", "No node runs on this machine.");
  return record.url;
}

/** The key to present, when the node asks for one. */
export function authorization(): Record<string, string> {
  const key = usualKey();
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** GETs JSON of a known shape from the node. Throws `OmniError` `cli.no-node` when nothing answers or the answer is another. */
export const getJson = async <T>(base: string, path: string, shape: z.ZodType<T>): Promise<T> =>
  readJson(await request(`${base}${path}`, { headers: authorization() }), shape);

/** An answer's JSON of a known shape. Throws `OmniError` `cli.no-node` when it is another. */
export async function readJson<T>(response: Response, shape: z.ZodType<T>): Promise<T> {
  const parsed = shape.safeParse(await response.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  throw new OmniError(
    "cli.no-node",
    `${new URL(response.url).origin} answers, but not as a node of Omni does.`,
    {
      hint: "Check --url; another program may hold that port.",
    },
  );
}

/** A request to the node; an error answer is thrown with the node's own message, unless its status is `expected`. */
export async function request(
  url: string,
  init: RequestInit,
  expected: readonly number[] = [],
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (thrown) {
    if (init.signal?.aborted === true) throw thrown;
    const cause =
      thrown instanceof Error && thrown.cause !== undefined ? messageOf(thrown.cause) : messageOf(thrown);
    throw new OmniError("cli.no-node", `Nothing answers at ${new URL(url).origin}: ${cause}`, {
      cause: thrown,
    });
  }
  if (response.ok || expected.includes(response.status)) return response;
  throw new OmniError(
    "cli.no-node",
    `${new URL(url).origin} answered ${response.status}: ${await errorText(response)}`,
    {
      hint: response.status === 401 ? "Set OMNI_KEY to one of the node's keys." : undefined,
    },
  );
}

const ENVELOPE = z.object({ error: z.object({ message: z.string() }) });

async function errorText(response: Response): Promise<string> {
  const body = await response.text();
  const parsed = ENVELOPE.safeParse(jsonOf(body));
  return parsed.success ? parsed.data.error.message : body.slice(0, 500);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
