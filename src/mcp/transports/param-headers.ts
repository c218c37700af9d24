import type { IncomingHttpHeaders } from "node:http";

import type { Tool } from "@modelcontextprotocol/server";

import type { Asker, Hub } from "../hub.ts";
import { isMembers, type Refusal } from "./json-rpc.ts";
import { headerOf } from "./mcp-request.ts";
import { decodeHeader, mismatch } from "./standard-headers.ts";

/** A parameter that a client repeats in a header, because the tool's schema says so (`x-mcp-header`). */
interface Declaration {
  readonly path: readonly string[];
  readonly header: string;
  readonly numeric: boolean;
}

type Declared = ReadonlyMap<string, readonly Declaration[]>;

/** How long what a key's tools declare is taken as it was, in milliseconds. */
const FRESH_MS = 10_000;
/** Askers whose declarations are kept. */
const MAX_ASKERS = 256;
const DECIMAL = /^-?\d+(\.\d+)?$/u;

/** The declarations of a schema: only along `properties`, which is where the protocol allows them. */
function declarationsOf(schema: unknown, path: readonly string[] = []): Declaration[] {
  if (!isMembers(schema)) return [];
  const header = schema["x-mcp-header"];
  const type = schema["type"];
  const own: Declaration[] =
    path.length > 0 && typeof header === "string" && header !== ""
      ? [{ path, header: `Mcp-Param-${header}`, numeric: type === "integer" || type === "number" }]
      : [];
  const { properties } = schema;
  if (!isMembers(properties)) return own;
  return [
    ...own,
    ...Object.entries(properties).flatMap(([name, child]) => declarationsOf(child, [...path, name])),
  ];
}

function declaredOf(tools: readonly Tool[]): Declared {
  const declared = new Map<string, readonly Declaration[]>();
  for (const tool of tools) {
    const found = declarationsOf(tool.inputSchema);
    if (found.length > 0) declared.set(tool.name, found);
  }
  return declared;
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const name of path) {
    if (!isMembers(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** How a value is written in a header; undefined for what is not. */
function written(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

function checkOne(
  declaration: Declaration,
  args: unknown,
  headers: IncomingHttpHeaders,
): Refusal | undefined {
  const { header, path, numeric } = declaration;
  const value = valueAt(args, path);
  const expected = written(value);
  if (expected === undefined) return undefined;
  const said = `the body carries ${path.join(".")}=${JSON.stringify(value)}`;
  const given = headerOf(headers, header.toLowerCase());
  if (given === undefined) return mismatch(header, `${said} but the ${header} header is absent`);
  const decoded = decodeHeader(given);
  if (decoded === undefined) {
    return mismatch(header, `the ${header} header carries an invalid Base64 sentinel value`);
  }
  const same =
    numeric && typeof value === "number" && DECIMAL.test(decoded)
      ? Number(decoded) === value
      : decoded === expected;
  return same
    ? undefined
    : mismatch(header, `the ${header} header decodes to ${JSON.stringify(decoded)} but ${said}`);
}

/**
 * The check of `Mcp-Param-*` headers against the body. Which tools declare any is asked of the hub once and then every ten
 * seconds at most, behind the call's back; a hub that cannot list does not keep calls from running.
 */
export class ParamHeaders {
  readonly #hub: Hub;
  readonly #known = new Map<string, { declared: Declared; at: number }>();

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  /** What is wrong with the headers of a call; undefined when nothing is. At once where what the tools declare is known. */
  check(
    headers: IncomingHttpHeaders,
    method: string,
    params: unknown,
    asker: Asker,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    if (method !== "tools/call" || !isMembers(params) || typeof params["name"] !== "string") return undefined;
    const { name, arguments: args } = params;
    const key = `${asker.channel} ${asker.caller.key}`;
    const known = this.#known.get(key);
    const judge = (declared: Declared): Refusal | undefined => {
      for (const declaration of declared.get(name) ?? []) {
        const refusal = checkOne(declaration, args, headers);
        if (refusal !== undefined) return refusal;
      }
      return undefined;
    };
    if (known === undefined) return this.#learn(key, asker).then(judge);
    if (performance.now() - known.at > FRESH_MS) {
      known.at = performance.now();
      void this.#learn(key, asker);
    }
    return judge(known.declared);
  }

  async #learn(key: string, asker: Asker): Promise<Declared> {
    try {
      const declared = declaredOf(await this.#hub.tools(asker, AbortSignal.timeout(FRESH_MS)));
      if (this.#known.size >= MAX_ASKERS) this.#known.clear();
      this.#known.set(key, { declared, at: performance.now() });
      return declared;
    } catch {
      return new Map();
    }
  }
}
