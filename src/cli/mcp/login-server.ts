import { EXIT, nearest, OmniError, present } from "../../core/index.ts";
import { locateSpec, readSecretOf } from "../node-spec.ts";
import type { LocatedSpec } from "../node-spec.ts";
import { stateFolder } from "../state-folder.ts";
import { argument } from "./mcp-action.ts";
import type { RunAction } from "./mcp-action.ts";

/**
 * `omni mcp login SERVER`: logs in to an upstream server of the spec and keeps the tokens in the state folder, where the node
 * of this machine finds them. The address where a person logs in goes to standard error.
 */
export const loginServer: RunAction = async (action) => {
  const { invocation, terminal } = action;
  const server = argument(action, 1, "SERVER");
  const located = await locateSpec(invocation.value("spec"), undefined);
  const http = httpOf(located, server);
  if (http.oauth === undefined) {
    throw new OmniError(
      "cli.bad-argument",
      `tools.${server}.http of ${located.origin} has no oauth, so that the node would not use what a login gives.`,
      {
        hint: "Write it as { url: …, oauth: {} }; client id and scopes only where the server asks for them.",
      },
    );
  }
  const { oauth } = http;
  if (invocation.flag("dry-run")) {
    terminal.out(
      `Would log in to ${server} at ${new URL(http.url).origin} and keep the tokens in ${stateFolder()}.`,
    );
    return EXIT.done;
  }
  const [{ loginUpstream }, { openTokenStore }] = await Promise.all([
    import("../../mcp/oauth/login-upstream.ts"),
    import("../../mcp/oauth/token-store.ts"),
  ]);
  const ended = new AbortController();
  const interrupt = (): void => ended.abort(new OmniError("mcp.login-failed", "The login was given up."));
  process.once("SIGINT", interrupt);
  try {
    const clientSecret =
      oauth.clientSecret === undefined ? undefined : await secretOf(located, server, oauth.clientSecret);
    await loginUpstream({
      server,
      url: http.url,
      ...present({ clientId: oauth.clientId, clientSecret, scopes: oauth.scopes }),
      store: openTokenStore(stateFolder()),
      open: (url) => terminal.err(`Log in with a browser on this machine:\n${url}`),
      signal: ended.signal,
    });
  } finally {
    process.off("SIGINT", interrupt);
  }
  if (invocation.flag("json")) terminal.out(JSON.stringify({ server, loggedIn: true }, null, 2));
  else terminal.out(`${server} has tokens now; a running node uses them with its next request.`);
  return EXIT.done;
};

type Http = NonNullable<LocatedSpec["spec"]["tools"][string]["http"]>;

function httpOf({ spec, origin }: LocatedSpec, server: string): Http {
  const tool = spec.tools[server];
  if (tool?.http !== undefined) return tool.http;
  const names = Object.entries(spec.tools).flatMap(([name, { http }]) => (http === undefined ? [] : name));
  const meant = nearest(server, names);
  throw new OmniError(
    "mcp.unknown-server",
    tool === undefined
      ? `${origin} has no MCP server ${server}.`
      : `${server} of ${origin} is no server over HTTP; there is nowhere to log in.`,
    { hint: meant === undefined || meant === server ? undefined : `Did you mean ./omni mcp login ${meant}?` },
  );
}

async function secretOf(
  { folder }: LocatedSpec,
  server: string,
  from: { readonly env?: string | undefined; readonly file?: string | undefined },
): Promise<string> {
  const secret = await readSecretOf(from, folder);
  if (secret !== undefined) return secret;
  const place =
    from.env === undefined ? `the file ${from.file ?? ""}` : `the environment variable ${from.env}`;
  throw new OmniError(
    "key.unset",
    `tools.${server}.http.oauth.clientSecret comes from ${place}, which is not set or empty.`,
  );
}
