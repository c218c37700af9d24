import type { ContainerLaunch, LaunchSpec } from "../../src/engines/engine.ts";
import { EMPTY_IMAGE } from "../fakes/docker-engine.ts";

/** A container of the empty image in the network of the machine. */
const plainContainer: ContainerLaunch = {
  image: EMPTY_IMAGE,
  mounts: [],
  cards: [],
  gpuAccess: "device-requests",
  port: 8000,
  networks: ["host"],
  privileged: false,
  labels: {},
};

/** A launch of anything in a container; what it listens on is not asked. */
export const containerLaunch = (
  command: readonly [string, ...string[]],
  container: Partial<ContainerLaunch> = {},
  changes: Partial<LaunchSpec> = {},
): LaunchSpec => ({
  service: "oracle",
  command,
  environment: {},
  address: { kind: "tcp", host: "127.0.0.1", port: 0 },
  loadTimeout: 30_000,
  digest: "digest of the test",
  container: { ...plainContainer, ...container },
  ...changes,
});

/** Folders of this machine that its own programs need, at the same paths inside. */
export const programFolders = (...more: readonly string[]): ContainerLaunch["mounts"] =>
  ["/usr", "/lib", "/lib64", "/bin", ...more].map((path) => ({
    source: path,
    kind: "folder",
    at: path,
    readOnly: true,
  }));
