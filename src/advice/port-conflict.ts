import { findEngineKind } from "../catalog/index.ts";
import type { Spec, SpecPath } from "../spec/index.ts";
import { machineOfService } from "./hardware.ts";
import { atService, rejectionFindings } from "./rejections.ts";
import type { AdviceInput, Finding, Rule } from "./rule.ts";

type Service = Spec["services"][string];

/** A port of a machine's own address, and who listens on it. */
interface Claim {
  readonly machine: string;
  readonly port: number;
  readonly holder: string;
  readonly at: SpecPath;
}

/** The engine shares the host's network, so that its own port is the host's. */
const onHostNetwork = (spec: Spec, service: Service): boolean =>
  service.networks.some((network) => spec.networks[network]?.driver === "host");

function claimsOf(input: AdviceInput, name: string, service: Service): readonly Claim[] {
  const { spec, plan } = input;
  const machine = machineOfService(spec, service) ?? "";
  const claim = (port: number | undefined, key: string): readonly Claim[] =>
    port === undefined ? [] : [{ machine, port, holder: name, at: ["services", name, key] }];
  const planned = plan.services.find((placed) => placed.name === name)?.port;
  const usual = findEngineKind(spec.engines[service.engine[0] ?? ""]?.kind ?? "")?.defaultPort;
  if (service.runtime === "process") return claim(service.port ?? planned, "port");
  const own = onHostNetwork(spec, service) ? claim(service.port ?? planned ?? usual, "port") : [];
  const published = claim(
    service.runtime === "docker" ? service.hostPort : service.nodePort,
    service.runtime === "docker" ? "hostPort" : "nodePort",
  );
  return [...own, ...published];
}

/** The gateway listens on the machine that Omni runs on, which only a spec of one machine names. */
function claimsOfGateway({ gateway, machines, runtime }: Spec): readonly Claim[] {
  const [machine = "", ...others] = Object.keys(machines);
  if (others.length > 0) return [];
  const port = runtime.kind === "kubernetes" ? gateway.nodePort : gateway.port;
  return port === undefined
    ? []
    : [
        {
          machine,
          port,
          holder: "the gateway",
          at: ["gateway", runtime.kind === "kubernetes" ? "nodePort" : "port"],
        },
      ];
}

function sharedPorts(input: AdviceInput): readonly Finding[] {
  const { spec } = input;
  const claims = [
    ...claimsOfGateway(spec),
    ...Object.entries(spec.services).flatMap(([name, service]) => claimsOf(input, name, service)),
  ];
  const groups = Map.groupBy(claims, ({ machine, port }) => `${machine} ${port}`);
  return [...groups.values()].flatMap(([first, ...others]) =>
    others
      .filter((other) => other.holder !== first?.holder)
      .map((other) => ({
        at: other.at,
        message: `${other.holder} and ${first?.holder ?? ""} both listen on port ${other.port}${other.machine === "" ? "" : ` of ${other.machine}`}: the second one fails with "address already in use".`,
        hint: `${String(other.at.at(-1))}: ${freePort(other.port, claims)}`,
      })),
  );
}

function freePort(from: number, claims: readonly Claim[]): number {
  const taken = new Set(claims.map((claim) => claim.port));
  let port = from;
  while (taken.has(port)) port++;
  return port;
}

/** Copies of one service that would all have the port it was given. */
function portOfCopies({ spec }: AdviceInput): readonly Finding[] {
  return Object.entries(spec.services).flatMap(([name, service]) => {
    const key =
      service.runtime === "process" ? "port" : service.runtime === "docker" ? "hostPort" : undefined;
    const port = key === undefined ? undefined : service[key];
    const single = Object.keys(spec.machines).length < 2 || machineOfService(spec, service) !== undefined;
    if (key === undefined || port === undefined || service.replicas < 2 || !single) return [];
    return [
      {
        at: ["services", name, key],
        message: `${service.replicas} copies of ${name} would all listen on port ${port} of one machine; the second fails with "address already in use".`,
        hint: `Remove ${key}; the plan gives each copy a port of its own.`,
      },
    ];
  });
}

/** Two listeners on one port. What the spec says twice in one place is refused when it is read. */
export const portConflict: Rule = {
  code: "port-conflict",
  severity: "error",
  source: "bind(2): EADDRINUSE; Docker and Kubernetes: published ports and node ports are the host's",
  find: (input) => [
    ...rejectionFindings(input, "port-conflict", atService(input)),
    ...sharedPorts(input),
    ...portOfCopies(input),
  ],
};
