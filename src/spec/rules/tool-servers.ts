import { refer } from "./references.ts";
import type { Rule } from "./rule.ts";

/** What the settings of MCP as a whole say about its servers, and the other way round. */
export const toolServers: Rule = ({ spec, names }, report) => {
  const tools = Object.entries(spec.tools ?? {});
  const { prefix, legacySse, oauth } = spec.gateway?.mcp ?? {};
  const enabled = tools.filter(([, { enabled: on }]) => on !== false);
  if (prefix === false && enabled.length > 1) {
    report({
      code: "spec.conflict",
      path: ["gateway", "mcp", "prefix"],
      message: `prefix: false is for one server, and there are ${enabled.length}: a tool of one could take the name of another's`,
      hint: "remove prefix, or set enabled: false for the others",
    });
  }
  for (const [name, tool] of enabled) {
    if (tool.exposure?.every((way) => way === "sse") === true && legacySse !== true) {
      report({
        code: "spec.conflict",
        severity: "warning",
        path: ["tools", name, "exposure"],
        message: "it is offered over the old HTTP+SSE transport alone, which the gateway does not serve",
        hint: "gateway: { mcp: { legacySse: true } }, or exposure: [http, stdio]",
      });
    }
  }
  const { host, publicUrl } = spec.gateway ?? {};
  if (oauth !== undefined && publicUrl === undefined && (host === "0.0.0.0" || host === "::")) {
    report({
      code: "spec.missing-key",
      path: ["gateway", "mcp", "oauth"],
      message: `tokens are for an address, and ${host} is none that clients could type`,
      hint: "gateway: { publicUrl: https://ai.example.com }",
    });
  }
  for (const [scope, key] of Object.entries(oauth?.scopes ?? {})) {
    const path = ["gateway", "mcp", "oauth", "scopes", scope];
    refer(report, path, key, names("keys"), "key", `keys: { ${key}: { env: … } }`);
  }
};
