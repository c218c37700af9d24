import type { AuthProvider, OAuthClientProvider } from "@modelcontextprotocol/client";

import type { EventLog } from "../../core/index.ts";

interface Common {
  /** Label of the server in the spec. */
  readonly name: string;
  /** Version of Omni, which the server is told. */
  readonly version: string;
  readonly events: EventLog;
  /** Longest start, from the first byte to the end of the handshake, in ms. */
  readonly initTimeout: number;
  /** Longest silence of a call in ms; progress starts it anew, up to ten times as long together. */
  readonly timeout: number;
  /** Processes, or connections of the SSE transport, at most. */
  readonly instances: number;
  /** Most bytes of one message from the server. */
  readonly maxMessage: number;
  /** It may ask clients for their roots. */
  readonly roots?: boolean;
  /** How long a call that the server holds waits for a person, in ms. */
  readonly parkTime?: number;
}

export interface StdioUpstream extends Common {
  readonly kind: "stdio";
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly directory?: string;
  /** All that the program gets beside PATH and HOME. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface HttpUpstream extends Common {
  readonly kind: "http";
  readonly url: string;
  readonly transport: "streamable" | "sse";
  readonly headers: Readonly<Record<string, string>>;
  readonly authProvider?: AuthProvider | OAuthClientProvider;
}

/** An upstream MCP server as the spec has it, with every secret resolved. */
export type UpstreamOptions = StdioUpstream | HttpUpstream;

/** ms. */
export const PARK_TIME = 300_000;
/** Progress may lengthen a call to so many times its timeout. */
export const PROGRESS_FACTOR = 10;

/** Where it is, without what might be secret: no query, no user. */
export function placeOf(options: UpstreamOptions): string {
  if (options.kind === "stdio") return options.command[0] ?? "";
  const url = new URL(options.url);
  return `${url.origin}${url.pathname}`;
}

/** Values that must never be seen in a reason or an error. */
export function secretsOf(options: UpstreamOptions): string[] {
  if (options.kind === "stdio") return Object.values(options.environment);
  const url = new URL(options.url);
  return [
    ...Object.values(options.headers),
    // A header may be `Bearer SECRET`, an error may show the secret alone.
    ...Object.values(options.headers).flatMap((value) => value.split(/[\s=,;]+/)),
    ...url.searchParams.values(),
    url.password,
    decodeURIComponent(url.password),
  ];
}
