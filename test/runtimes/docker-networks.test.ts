import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TestContext } from "vitest";
import { createDockerRuntime } from "../../src/runtimes/docker/index.ts";
import type { Runtime, Unit } from "../../src/runtimes/index.ts";
import type { DockerNode } from "../fakes/docker-node.ts";
import { PROBE_IMAGE, startDockerNode } from "../fakes/docker-node.ts";
import { containerLaunch } from "./docker-launch.ts";

let node: DockerNode | string = "not started";
const notes: string[] = [];
const runtimes: Runtime[] = [];
const PORT = 8000;
const WORLD = { host: "203.0.113.10", port: 80 };

beforeAll(async () => {
  node = await startDockerNode();
}, 60_000);

afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
  notes.length = 0;
});

afterAll(async () => {
  if (typeof node !== "string") await node.stop();
});

function on(context: TestContext): { readonly at: DockerNode; readonly runtime: Runtime } {
  if (typeof node === "string") return context.skip(node);
  const runtime = createDockerRuntime({
    socket: node.socket,
    node: "node-a",
    dataRoot: "/var/lib/docker",
    onNote: (message) => notes.push(message),
  });
  runtimes.push(runtime);
  return { at: node, runtime };
}

const serving = (service: string, networks: readonly string[], port = 0) =>
  containerLaunch(
    ["/probe", "serve", String(PORT), service],
    { image: PROBE_IMAGE, networks, port: PORT },
    { service, address: { kind: "tcp", host: "127.0.0.1", port } },
  );

const containerOf = async (at: DockerNode, service: string): Promise<string> =>
  at.docker("ps", "--quiet", "--filter", `label=omni.service=${service}`);

/** Who answers a dial, asked again for a while: Docker starts what forwards a port a moment after the container. */
async function answer(at: DockerNode, from: Parameters<DockerNode["dial"]>[0], host: string, port: number) {
  for (let turn = 0; turn < 20; turn++) {
    const { code, output } = await at.dial(from, host, port);
    if (code === 0) return output.split("\n").at(-1);
  }
  return "nobody";
}

const reached = (unit: Unit): { readonly host: string; readonly port: number } =>
  unit.address.kind === "tcp" ? unit.address : { host: "not TCP", port: 0 };

describe("the networks of containers", () => {
  test("without a network of its own, an engine is reached on the node's loopback and from nowhere else", async (context) => {
    const { at, runtime } = on(context);
    const [oracle, executor] = [
      await runtime.start(serving("oracle", [], 18_000)),
      await runtime.start(serving("executor", [])),
    ];
    expect(oracle.address).toEqual({ kind: "tcp", host: "127.0.0.1", port: 18_000 });
    expect(reached(executor).port).toBeGreaterThan(0);
    expect(await answer(at, "node", "127.0.0.1", 18_000)).toBe("oracle");
    expect(await answer(at, "node", "127.0.0.1", reached(executor).port)).toBe("executor");
    const container = await containerOf(at, "executor");
    const home = await at.docker(
      "inspect",
      "--format",
      "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
      await containerOf(at, "oracle"),
    );
    expect((await at.dial("world", "203.0.113.1", 18_000)).code).toBe(1);
    expect((await at.dial({ container }, home, PORT)).code).toBe(1);
    await Promise.all([oracle.stop(0), executor.stop(0)]);
    expect(await at.docker("network", "ls", "--format", "{{.Name}}")).toContain("omni-node-a");
    await runtime.close();
    expect(await at.docker("network", "ls", "--format", "{{.Name}}")).not.toContain("omni-node-a");
  });

  test("an engine that only internal networks hold is reached by its own address, and gets no way out", async (context) => {
    const { at, runtime } = on(context);
    await at.docker("network", "create", "--internal", "brain");
    const oracle = await runtime.start(serving("oracle", ["brain"]));
    const { host, port } = reached(oracle);
    expect(port).toBe(PORT);
    expect(host).not.toBe("127.0.0.1");
    expect(await answer(at, "node", host, port)).toBe("oracle");
    const container = await containerOf(at, "oracle");
    expect((await at.dial({ container }, WORLD.host, WORLD.port)).code).toBe(1);
    await oracle.stop(0);
    await at.docker("network", "rm", "brain");
  });

  test("an engine sealed even from the node is refused, because Omni would not reach it", async (context) => {
    const { at, runtime } = on(context);
    const sealed = ["--internal", "--opt", "com.docker.network.bridge.inhibit_ipv4=true", "sealed"];
    await at.docker("network", "create", ...sealed);
    await expect(runtime.start(serving("oracle", ["sealed"]))).rejects.toMatchObject({
      code: "engine.not-started",
      message: "oracle: its networks sealed have no address on this machine: Omni would not reach it.",
    });
    await at.docker("network", "rm", "sealed");
    expect(await at.docker("ps", "--all", "--quiet")).toBe("");
  });

  test("a network that is not there is made and told; services in it know each other by name", async (context) => {
    const { at, runtime } = on(context);
    const launches = [serving("oracle", ["lab"], 18_001), serving("executor", ["lab"])];
    const units = await Promise.all(launches.map((launch) => runtime.start(launch)));
    expect(notes.filter((note) => note.includes("the network lab was not there"))).toHaveLength(1);
    expect(await answer(at, "node", "127.0.0.1", 18_001)).toBe("oracle");
    const container = await containerOf(at, "executor");
    expect(await answer(at, { container }, "oracle", PORT)).toBe("oracle");
    await Promise.all(units.map((unit) => unit.stop(0)));
    await at.docker("network", "rm", "lab");
  });

  test("a port that another program holds is told as such", async (context) => {
    const { at, runtime } = on(context);
    await expect(runtime.start(serving("oracle", [], 9100))).rejects.toMatchObject({
      code: "engine.port-busy",
    });
    expect(await at.docker("ps", "--all", "--quiet")).toBe("");
  });
});
