import { serviceName } from "../service-name.ts";
import { refer } from "./references.ts";
import type { Rule } from "./rule.ts";

/** Services, keys, networks, routes and tools that routes, the gateway and keys name must exist. */
export const routeReferences: Rule = ({ spec, names }, report) => {
  const keys = names("keys");
  const networks = names("networks");
  // Without a section of services, each model is one; and each service can be asked for by its own name or role.
  const services =
    spec.services === undefined && names("services").length === 0
      ? names("models").map(serviceName)
      : names("services");
  const roles = Object.values(spec.services ?? {}).flatMap((service) => service.role ?? []);
  const aliases = Object.values(spec.routes ?? {}).flatMap((route) => route.aliases ?? []);
  const asked = [...new Set([...names("routes"), ...services, ...names("models"), ...roles, ...aliases])];
  const tools = names("tools");

  for (const [name, route] of Object.entries(spec.routes ?? {})) {
    route.services.forEach((candidate, i) => {
      const at = ["routes", name, "services", i];
      refer(
        report,
        [...at, "service"],
        candidate.service,
        services,
        "service",
        `services: { ${candidate.service}: { model: … } }`,
      );
      const wanted = candidate.when?.keys;
      wanted?.forEach((key, k) =>
        refer(report, [...at, "when", "keys", k], key, keys, "key", `keys: { ${key}: { env: … } }`),
      );
    });
  }
  for (const [name, key] of Object.entries(spec.keys ?? {})) {
    key.routes?.forEach((route, i) =>
      refer(
        report,
        ["keys", name, "routes", i],
        route,
        asked,
        "route, service, role or model",
        `routes: { ${route}: … }`,
      ),
    );
    key.tools?.forEach((tool, i) => {
      const server = tool.split("__")[0] ?? tool;
      if (!/[*?]/.test(server))
        refer(report, ["keys", name, "tools", i], server, tools, "tool", `tools: { ${server}: … }`);
    });
  }
  spec.gateway?.networks?.forEach((network, i) =>
    refer(report, ["gateway", "networks", i], network, networks, "network", `networks: { ${network}: {} }`),
  );
};
