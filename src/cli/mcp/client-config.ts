import { resolve } from "node:path";

import { EXIT, nearest, OmniError } from "../../core/index.ts";
import type { Invocation } from "../command.ts";
import { argument } from "./mcp-action.ts";
import type { RunAction } from "./mcp-action.ts";
import { mcpAddress } from "./mcp-address.ts";

/** What a client is given: the text of its settings, and where that goes. */
interface Snippet {
  readonly text: string;
  readonly where: string;
}

interface Place {
  readonly address: string;
  readonly command: Command;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  /** What it has to be told of the environment: clients pass on little of their own. */
  readonly env?: Readonly<Record<string, string>>;
}

interface McpClient {
  /** It can ask a URL with headers whose key comes from the environment or a question. */
  readonly http?: (place: Place) => Snippet;
  readonly stdio?: (place: Place) => Snippet;
}

const LAUNCHER = resolve(import.meta.dirname, "../../../omni");
const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** The shape that Claude Desktop began and most others took over. */
const started =
  (where: string) =>
  ({ command }: Place): Snippet => ({
    text: json({ mcpServers: { omni: command } }),
    where,
  });

const asked = (url: string, key: string) => ({ url, headers: { Authorization: `Bearer ${key}` } });

const CLIENTS: Readonly<Record<string, McpClient>> = {
  "claude-desktop": {
    stdio: started("claude_desktop_config.json (Settings, Developer, Edit Config)"),
  },
  "claude-code": {
    http: ({ address }) => ({
      // Claude Code replaces ${…} of .mcp.json by the environment.
      text: json({ mcpServers: { omni: { type: "http", ...asked(address, "${OMNI_KEY}") } } }),
      where: ".mcp.json of the project; OMNI_KEY is read from the environment of claude",
    }),
    stdio: started(".mcp.json of the project"),
  },
  vscode: {
    http: ({ address }) => ({
      text: json({
        servers: { omni: { type: "http", ...asked(address, "${input:omni-key}") } },
        inputs: [{ id: "omni-key", type: "promptString", description: "Key of the node", password: true }],
      }),
      where: ".vscode/mcp.json of the workspace; the key is asked for once",
    }),
    stdio: ({ command }) => ({
      text: json({ servers: { omni: { type: "stdio", ...command } } }),
      where: ".vscode/mcp.json of the workspace",
    }),
  },
  cursor: {
    http: ({ address }) => ({
      text: json({ mcpServers: { omni: asked(address, "${env:OMNI_KEY}") } }),
      where: "~/.cursor/mcp.json, or .cursor/mcp.json of the project; OMNI_KEY is read from the environment",
    }),
    stdio: started("~/.cursor/mcp.json, or .cursor/mcp.json of the project"),
  },
  "lm-studio": { stdio: started("mcp.json (Program, Install, Edit mcp.json)") },
  "open-webui": {
    http: ({ address }) => ({
      text: json({ type: "mcp", url: address, auth_type: "bearer", key: "the key of OMNI_KEY" }),
      where:
        "Admin Settings, External Tools, +: type MCP (Streamable HTTP), the address as URL, Bearer with the key",
    }),
  },
};

/** `omni mcp config CLIENT`: what a client is told to reach this node; keys come from its environment, none is printed. */
export const clientConfig: RunAction = async (action) => {
  const { invocation, terminal } = action;
  const name = argument(action, 1, `CLIENT: ${Object.keys(CLIENTS).join(", ")}`);
  const client = CLIENTS[name];
  if (client === undefined) {
    const meant = nearest(name, Object.keys(CLIENTS));
    throw new OmniError("cli.bad-argument", `${JSON.stringify(name)} is no client that is known here.`, {
      hint:
        meant === undefined
          ? `One of: ${Object.keys(CLIENTS).join(", ")}.`
          : `Did you mean ./omni mcp config ${meant}?`,
    });
  }
  const snippet = client[wayOf(client, invocation, name)];
  const place = { address: await addressOf(invocation), command: commandOf(invocation) };
  const { text, where } = snippet?.(place) ?? { text: "", where: "" };
  if (invocation.flag("json")) terminal.out(json({ client: name, where, snippet: text }));
  else {
    terminal.err(`Put this into ${where}:`);
    terminal.out(text);
  }
  return EXIT.done;
};

function wayOf({ http, stdio }: McpClient, invocation: Invocation, name: string): "http" | "stdio" {
  if (!invocation.flag("stdio")) return http === undefined ? "stdio" : "http";
  if (stdio !== undefined) return "stdio";
  throw new OmniError("cli.bad-argument", `${name} starts no programs; it asks the node over HTTP.`, {
    hint: `./omni mcp config ${name}`,
  });
}

/** Where no node runs, the address that one will have by default. */
const addressOf = (invocation: Invocation): Promise<string> =>
  mcpAddress(invocation).catch((thrown: unknown) => {
    if (thrown instanceof OmniError && thrown.code === "cli.no-node") return "http://127.0.0.1:4664/mcp";
    throw thrown;
  });

/** The program for clients that start one; a key is named by its place, as programs inherit little of the environment. */
function commandOf(invocation: Invocation): Command {
  const url = invocation.value("url");
  const file = invocation.value("key-file");
  const env = invocation.value("key-env");
  const { OMNI_STATE: state } = process.env;
  return {
    command: LAUNCHER,
    args: [
      "mcp",
      ...(url === undefined ? [] : ["--url", url]),
      ...(file === undefined ? [] : ["--key-file", resolve(file)]),
      ...(env === undefined ? [] : ["--key-env", env]),
    ],
    ...(state === undefined || state === "" ? {} : { env: { OMNI_STATE: resolve(state) } }),
  };
}
