import type { Option } from "../command.ts";
import { JSON_OPTION } from "../command.ts";
import { URL_OPTION } from "../node-client.ts";
import { KEY_OPTIONS } from "./presented-key.ts";

const value = (placeholder: string, about: string): Option => ({ kind: "value", placeholder, about });

/** Options of `omni mcp`; each names the actions that it is for. */
export const MCP_OPTIONS: Readonly<Record<string, Option>> = {
  url: {
    ...URL_OPTION,
    about:
      "The node to ask, or the whole address of its MCP endpoint; default: the one that runs on this machine.",
  },
  ...KEY_OPTIONS,
  standalone: {
    kind: "flag",
    about: "Serve the spec's own servers over stdio from this process, also while a node runs.",
  },
  spec: value("FILE", "login: the spec that names the server; omni.yaml of this folder when absent."),
  server: value("NAME", "tools, pins, audit: of this server only."),
  limit: value("N", "audit: how many of the newest; default 50."),
  key: value("NAME", "audit: calls of this key only."),
  outcome: value(
    "WORD",
    "audit: only calls that ended so: ok, error, refused, denied, cancelled, timeout, input.",
  ),
  stdio: {
    kind: "flag",
    about: "config: have the client start ./omni mcp instead of asking the node over HTTP.",
  },
  yes: { kind: "flag", about: "accept: yes, without being asked." },
  "dry-run": { kind: "flag", about: "Say what would be changed or called, and change nothing." },
  json: JSON_OPTION,
};
