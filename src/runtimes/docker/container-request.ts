import type Dockerode from "dockerode";
import type { ContainerLaunch, ContainerMount, LaunchSpec } from "../../engines/engine.ts";
import { gpuRequest } from "./gpu-request.ts";

/** What the request depends on beside the launch. */
export interface RequestPlace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The network that the container is made in; further ones are connected before it starts. */
  readonly network: string;
  /** Where its port appears; absent where it is reached by its own address. Port 0 lets Docker choose. */
  readonly publish?: { readonly host: string; readonly port: number };
  /** Only internal networks hold it: it asks nobody for names. */
  readonly sealed: boolean;
  /** False where Docker may not: without root, or in an unprivileged LXC container. */
  readonly raiseLimits: boolean;
}

/** Log files of one container are at most 40 MB; without a bound they grow until the disk is full. */
const LOGS = { Type: "json-file", Config: { "max-size": "10m", "max-file": "4" } } as const;
/** NVIDIA's own advice for frameworks that pin memory for their cards (release notes of its PyTorch image). */
const ULIMITS = [
  { Name: "memlock", Soft: -1, Hard: -1 },
  { Name: "stack", Soft: 67_108_864, Hard: 67_108_864 },
];

/**
 * The body of `POST /containers/create`. Docker never restarts it: that is the supervisor's. An init process reaps what
 * the engine leaves, the image's own health check is off because Omni asks for itself.
 */
export function containerRequest(
  launch: LaunchSpec,
  container: ContainerLaunch,
  place: RequestPlace,
): Dockerode.ContainerCreateOptions {
  const gpus = gpuRequest(container);
  const [program, ...words] = launch.command;
  const port = `${container.port}/tcp`;
  const environment = { ...gpus.environment, ...launch.environment };
  return {
    name: place.name,
    Image: container.image,
    Entrypoint: [program],
    Cmd: words,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Labels: { ...container.labels, ...place.labels },
    ExposedPorts: { [port]: {} },
    Healthcheck: { Test: ["NONE"] },
    Tty: false,
    HostConfig: {
      NetworkMode: place.network,
      ...(place.publish === undefined
        ? {}
        : {
            PortBindings: {
              [port]: [{ HostIp: place.publish.host, HostPort: String(place.publish.port) }],
            },
          }),
      RestartPolicy: { Name: "no" },
      LogConfig: LOGS,
      Init: true,
      IpcMode: "private",
      Privileged: container.privileged,
      Mounts: container.mounts.map(mountOf),
      ...(container.shm === undefined ? {} : { ShmSize: container.shm }),
      ...limitsOf(launch),
      // Docker knows the names of its own networks; before 25.0.5 it carried questions for all others out through the
      // node (CVE-2024-29018). At the container's own loopback nobody answers.
      ...(place.sealed ? { Dns: ["127.0.0.1"] } : {}),
      ...(place.raiseLimits ? { Ulimits: ULIMITS } : {}),
      ...(gpus.deviceRequests.length === 0 ? {} : { DeviceRequests: [...gpus.deviceRequests] }),
      ...(gpus.runtime === undefined ? {} : { Runtime: gpus.runtime }),
    },
    NetworkingConfig: { EndpointsConfig: { [place.network]: endpointOf(place.network, launch.service) } },
  };
}

/** Docker's own networks know no names. */
const NAMELESS: ReadonlySet<string> = new Set(["bridge", "host", "none", "default"]);

/** In its networks a service is known by its name. */
export const endpointOf = (network: string, service: string): Dockerode.EndpointSettings =>
  NAMELESS.has(network) ? {} : { Aliases: [service] };

const mountOf = ({ source, kind, at, readOnly }: ContainerMount): Dockerode.MountSettings => ({
  Type: kind === "folder" ? "bind" : "volume",
  Source: source,
  Target: at,
  ReadOnly: readOnly,
});

/** Memory without swap: an engine that swaps answers nobody, and one that dies is seen. */
const limitsOf = ({ limits }: LaunchSpec): Dockerode.HostConfig => ({
  ...(limits?.memory === undefined ? {} : { Memory: limits.memory, MemorySwap: limits.memory }),
  ...(limits?.cpus === undefined ? {} : { CpusetCpus: limits.cpus }),
  ...(limits?.numaNode === undefined ? {} : { CpusetMems: String(limits.numaNode) }),
});

/** A name that says whose container it is. */
export const containerName = (node: string, service: string, unit: string): string =>
  `omni-${plainName(node, 12)}-${plainName(service, 40)}-${unit.slice(0, 6)}`;

/** What Docker takes within names of containers and networks. */
export const plainName = (text: string, length: number): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.-]/g, "-")
    .slice(0, length);
