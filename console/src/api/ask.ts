import type { Answer, Body, OperationName, Query } from "../../../src/api/contract/index.ts";
import { ApiError, apiErrorOf } from "./api-error.ts";
import { sessionKey } from "./session-key.ts";

export interface Asked<Name extends OperationName> {
  /** Values of `{name}` in the path. */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Query<Name>;
  readonly body?: Body<Name>;
  readonly signal?: AbortSignal;
}

/** Asks one operation of the node. Rejects with `ApiError` for whatever is no answer, a node that cannot be reached included. */
export async function ask<Name extends OperationName>(
  name: Name,
  asked: Asked<Name> = {},
): Promise<Answer<Name>> {
  const [method = "GET", path = ""] = name.split(" ");
  const response = await send(addressOf(path, asked), {
    method,
    ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
    ...(asked.signal === undefined ? {} : { signal: asked.signal }),
  });
  if (!response.ok) throw await apiErrorOf(response);
  // The node's own tests hold every answer to the contract.
  const answer: Answer<Name> = await response.json();
  return answer;
}

/** A request with the session's key. Rejects with `ApiError` where the node cannot be reached, and as `fetch` when aborted. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const key = sessionKey();
  const headers = new Headers(init.headers);
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  if (typeof init.body === "string" && !headers.has("content-type"))
    headers.set("content-type", "application/json");
  try {
    return await fetch(path, { ...init, headers, credentials: "omit", cache: "no-store" });
  } catch (thrown) {
    if (init.signal?.aborted === true) throw thrown;
    throw new ApiError(0, "unreachable", "The node does not answer.");
  }
}

function addressOf(
  path: string,
  { params = {}, query }: { params?: Asked<OperationName>["params"]; query?: unknown },
): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) =>
    encodeURIComponent(params[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) search.set(name, String(value));
  // Relative, so that a proxy may serve the node below a path of its own.
  return `.${filled}${search.size === 0 ? "" : `?${search.toString()}`}`;
}
