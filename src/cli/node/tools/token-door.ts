import { wireErrorType } from "../../../dialects/index.ts";
import { presentedKey } from "../../../gateway/access.ts";
import type { Call } from "../../../gateway/call.ts";
import { sendJson } from "../../../gateway/call.ts";
import { sendError } from "../../../gateway/wire-error.ts";
import type { Caller } from "../../../keys/index.ts";
import type { TokenGate } from "../../../mcp/oauth/token-gate.ts";
import type { TokenRefusal } from "../../../mcp/oauth/token-refusal.ts";
import type { Spec } from "../../../spec/index.ts";
import type { TokenDoor } from "./mcp-surface.ts";

export interface TokenDoorOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** A key of the node by its name. */
  readonly callerOf: (key: string) => Caller | undefined;
  /** Told why the issuer can no longer be asked for its keys, and once it can be again (`undefined`). */
  readonly onTrouble: (reason: string | undefined) => void;
}

/** How access tokens of the owner's issuer are let in; `undefined` where there is none. */
export function tokenDoor(gateway: Spec["gateway"], options: TokenDoorOptions): TokenDoor | undefined {
  const { mcp, publicUrl } = gateway;
  const { oauth } = mcp;
  if (oauth === undefined) return undefined;
  const base = publicUrl ?? `${options.tls ? "https" : "http"}://${authority(options)}`;
  // A proxy may serve the node below a path of its own.
  const resourceUrl = `${base.replace(/\/+$/, "")}${mcp.path}`;
  let made: Promise<TokenGate> | undefined;
  // Nothing of OAuth is loaded before the first token.
  const gate = (): Promise<TokenGate> =>
    (made ??= import("../../../mcp/oauth/token-gate.ts").then(({ createTokenGate }) =>
      createTokenGate({
        issuer: oauth.issuer,
        audience: oauth.audience ?? resourceUrl,
        ...(oauth.jwks === undefined ? {} : { jwks: oauth.jwks }),
        scopes: oauth.scopes,
        callerOf: options.callerOf,
        resourceUrl,
        onTrouble: options.onTrouble,
      }),
    ));
  const tell = (call: Call): void =>
    void gate().then(
      (found) => sendJson(call, 200, found.metadata()),
      () => call.res.destroy(),
    );
  const WELL_KNOWN = "/.well-known/oauth-protected-resource";
  return {
    async admit(call) {
      const found = await gate();
      const bearer = presentedKey(call.req.headers);
      const caller = bearer === undefined ? undefined : await found.identify(bearer);
      if (caller !== undefined && !("status" in caller)) return caller;
      turnAway(call, found, caller);
      return undefined;
    },
    endpoints: {
      [WELL_KNOWN]: { open: true, GET: tell },
      [`${WELL_KNOWN}${mcp.path}`]: { open: true, GET: tell },
    },
  };
}

const authority = ({ host, port }: TokenDoorOptions): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

const NOTHING_SHOWN = {
  status: 401,
  code: "missing_key",
  message: "Show a key of this node, or an access token of its issuer.",
  retryAfter: undefined,
} as const;

function turnAway(call: Call, gate: TokenGate, refusal: TokenRefusal | undefined): void {
  const { status, code, message, retryAfter } = refusal ?? NOTHING_SHOWN;
  const challenge = ["www-authenticate", gate.challenge(refusal)];
  sendError(
    call,
    {
      status,
      type: wireErrorType(status),
      code,
      message,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    },
    status === 503 ? [] : challenge,
  );
}
