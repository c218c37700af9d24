import type { Finding, Rule } from "./rule.ts";
import { hasWayOut, isIsolated, promiseOf } from "./isolated-networks.ts";

const INTERNAL_ONLY =
  "internal takes the way out from its own network only, and the other network's gateway is still there";

/** A service that shall not reach out, on a network that lets it. */
export const networkNotIsolated: Rule = {
  code: "network-not-isolated",
  severity: "error",
  source: "https://github.com/moby/libnetwork/issues/1141",
  find: ({ spec }) =>
    Object.entries(spec.services).flatMap(([name, { networks, runtime }]): readonly Finding[] => {
      const named = networks.flatMap((network) => {
        const found = spec.networks[network];
        return found === undefined ? [] : [{ name: network, network: found }];
      });
      const inner = named.find(({ network }) => isIsolated(network));
      const outer = named.find(({ network }) => hasWayOut(network));
      if (inner === undefined) return [];
      const promise = `${inner.name} (${promiseOf(inner.network)})`;
      if (runtime === "process")
        return [
          {
            at: ["services", name, "networks"],
            message: `${name} is to be on ${promise}, and as a process of the machine it has the machine's own network with every way out.`,
            hint: "runtime: docker   # or kubernetes; networks hold containers only",
          },
        ];
      if (outer === undefined) return [];
      const way =
        outer.network.driver === "host"
          ? `${outer.name} is the host's own network`
          : `${outer.name} is a ${outer.network.driver} with a way out`;
      return [
        {
          at: ["services", name, "networks"],
          message: `${name} is on ${promise} and on ${outer.name}: ${way}, so it reaches the internet all the same; ${runtime === "kubernetes" ? "policies add up, and the one that allows wins" : INTERNAL_ONLY}.`,
          hint: `networks: ${inner.name}   # and gateway: { networks: [${outer.name}, ${inner.name}] }, the only one on both`,
        },
      ];
    }),
};
