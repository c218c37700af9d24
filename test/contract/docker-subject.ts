import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { createDockerRuntime } from "../../src/runtimes/docker/index.ts";
import { EMPTY_IMAGE } from "../fakes/docker-engine.ts";
import { fakeLaunch, fakeService } from "../fakes/fake-driver.ts";
import type { RuntimeSubject } from "./runtime-subject.ts";

/** Socket of the engine that the contract is held against; a host process finds it here too. */
export const SOCKET_VARIABLE = "OMNI_TEST_DOCKER";

/** What a Node.js of this machine needs, at the same paths inside. */
const MOUNTED = ["/usr", "/lib", "/lib64", "/bin", resolve(import.meta.dirname, "../..")];

const OTHER_NUMBERS = "an engine in a container prints the numbers that processes have inside";

/** Containers of a real Docker engine with the same engine that misbehaves as told, in the network of this machine. */
export const subject: RuntimeSubject = {
  name: "docker",
  make: (stateFolder) =>
    createDockerRuntime({
      socket: process.env[SOCKET_VARIABLE] ?? "unix:///nowhere",
      node: createHash("sha256").update(stateFolder).digest("hex").slice(0, 16),
      dataRoot: "/var/lib/docker",
    }),
  async launch(runtime, service, behaviour) {
    const address = await runtime.allocate(service, { socket: false });
    // Its standard input is at its end from the start, as in every container.
    const launch = fakeLaunch(fakeService(service, { ...behaviour, ignoreLifeLine: true }), address);
    return {
      ...launch,
      container: {
        image: EMPTY_IMAGE,
        mounts: MOUNTED.map((path) => ({ source: path, kind: "folder", at: path, readOnly: true })),
        cards: [],
        gpuAccess: "device-requests",
        port: address.kind === "tcp" ? address.port : 0,
        networks: ["host"],
        privileged: false,
        labels: {},
      },
    };
  },
  adoptedStopped: { code: 0, signal: null },
  adoptedForced: { code: null, signal: "SIGKILL" },
  NOT_SUPPORTED: {
    "files before the start": "files are put into the container, not onto this machine",
    "grandchildren gone after a stop": OTHER_NUMBERS,
    "grandchildren gone after a kill": OTHER_NUMBERS,
    "processes are named": OTHER_NUMBERS,
    "an adopted engine's end is noticed": OTHER_NUMBERS,
    "omni killed, nobody adopts": "a container waits for the next Omni without a bound",
  },
};
