import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDockerRuntime } from "../../src/runtimes/docker/index.ts";
import type { Runtime } from "../../src/runtimes/index.ts";
import { eventually } from "../fakes/alive.ts";
import { ask } from "../fakes/ask.ts";
import type { FakeDockerApi } from "../fakes/docker-api.ts";
import { startDockerApi } from "../fakes/docker-api.ts";
import { containerLaunch } from "./docker-launch.ts";

const CARDS = ["GPU-11111111-2222-3333-4444-555555555555", "GPU-66666666-7777-8888-9999-000000000000"];
const runtimes: Runtime[] = [];
const notes: string[] = [];
let api: FakeDockerApi;

beforeEach(async () => {
  api = await startDockerApi();
});

afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
  await api.close();
  notes.length = 0;
});

function at(socket: string): Runtime {
  const runtime = createDockerRuntime({
    socket,
    node: "node-a",
    dataRoot: "/var/lib/docker",
    labels: { team: "kitchen", "omni.node": "a label of the owner never wins" },
    onNote: (message) => notes.push(message),
  });
  runtimes.push(runtime);
  return runtime;
}

const served = containerLaunch(
  ["vllm", "serve", "/models/oracle"],
  {
    image: "vllm/vllm-openai:v0.12.0",
    networks: [],
    shm: 16 * 2 ** 30,
    mounts: [
      { source: "/data/models", kind: "folder", at: "/models", readOnly: true },
      { source: "cache", kind: "volume", at: "/root/.cache", readOnly: false },
    ],
    labels: { "org.example": "1" },
  },
  {
    environment: { HF_TOKEN: "hf_secret-of-the-owner", VLLM_USE_V1: "1" },
    limits: { memory: 64 * 2 ** 30, cpus: "0-15", numaNode: 1 },
    address: { kind: "tcp", host: "127.0.0.1", port: 18_000 },
  },
);

describe("what Docker is asked for", () => {
  test("an engine's container is whole: command, mounts, limits, port, log bounds, init, labels, no restart", async () => {
    const unit = await at(api.socket).start(served);
    const [body] = api.created;
    expect(body).toMatchObject({
      Image: "vllm/vllm-openai:v0.12.0",
      Entrypoint: ["vllm"],
      Cmd: ["serve", "/models/oracle"],
      ExposedPorts: { "8000/tcp": {} },
      Healthcheck: { Test: ["NONE"] },
      HostConfig: {
        NetworkMode: "omni-node-a",
        PortBindings: { "8000/tcp": [{ HostIp: "127.0.0.1", HostPort: "18000" }] },
        RestartPolicy: { Name: "no" },
        LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "4" } },
        Init: true,
        ShmSize: 16 * 2 ** 30,
        Memory: 64 * 2 ** 30,
        MemorySwap: 64 * 2 ** 30,
        CpusetCpus: "0-15",
        CpusetMems: "1",
        Privileged: false,
        Ulimits: [{ Name: "memlock", Soft: -1, Hard: -1 }, { Name: "stack" }],
        Mounts: [
          { Type: "bind", Source: "/data/models", Target: "/models", ReadOnly: true },
          { Type: "volume", Source: "cache", Target: "/root/.cache", ReadOnly: false },
        ],
      },
      Labels: {
        team: "kitchen",
        "org.example": "1",
        "omni.node": "node-a",
        "omni.service": "oracle",
        "omni.unit": unit.id,
        "omni.digest": "digest of the test",
        "omni.address": "127.0.0.1:18000",
        "omni.port": "8000",
      },
    });
    expect(JSON.stringify(body?.Labels)).not.toContain("secret");
    expect(await unit.stop(0)).toEqual({ code: null, signal: "SIGKILL" });
  });

  test.each([
    [
      "device-requests",
      { DeviceRequests: [{ Driver: "nvidia", DeviceIDs: CARDS, Capabilities: [["gpu"]] }] },
      [],
    ],
    [
      "cdi",
      { DeviceRequests: [{ Driver: "cdi", DeviceIDs: CARDS.map((id) => `nvidia.com/gpu=${id}`) }] },
      [],
    ],
    [
      "environment",
      { Runtime: "nvidia" },
      [`NVIDIA_VISIBLE_DEVICES=${CARDS.join(",")}`, "NVIDIA_DRIVER_CAPABILITIES=compute,utility"],
    ],
  ] as const)("cards are handed over by %s", async (gpuAccess, host, environment) => {
    await (
      await at(api.socket).start(containerLaunch(["/serve"], { networks: [], cards: CARDS, gpuAccess }))
    ).stop(0);
    expect(api.created[0]).toMatchObject({ HostConfig: host, Env: environment });
  });

  test("an engine without cards is told so, because images of CUDA ask for all", async () => {
    await (await at(api.socket).start(containerLaunch(["/serve"], { networks: [] }))).stop(0);
    expect(api.created[0]?.["Env"]).toEqual(["NVIDIA_VISIBLE_DEVICES=void"]);
  });

  test("what NVIDIA's hook says is a matter of the card; the container is removed and no secret is told", async () => {
    api.refuseStart(
      500,
      "OCI runtime create failed: nvidia-container-cli: device error: GPU-11111111: unknown device; env hf_secret-of-the-owner",
    );
    const thrown: unknown = await at(api.socket)
      .start(served)
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "engine.no-card" });
    const { message } = thrown instanceof Error ? thrown : new Error("nothing was thrown");
    expect(message).toContain("GPU-11111111: unknown device");
    expect(message).not.toContain("secret");
    expect(api.requests.some((line) => line.startsWith("DELETE /containers/"))).toBe(true);
  });

  test("what the environment says of another Docker changes nothing", async () => {
    process.env["DOCKER_HOST"] = "tcp://203.0.113.1:2375";
    try {
      expect(await at(api.socket).survivors()).toEqual([]);
    } finally {
      delete process.env["DOCKER_HOST"];
    }
    expect(api.requests).toEqual(["GET /containers/json"]);
  });
});

describe("where Docker cannot be reached", () => {
  test.each([
    ["unix:///nowhere/docker.sock", "there is no such socket", "systemctl start docker"],
    ["tcp://127.0.0.1:1", "nobody listens there", "journalctl -u docker"],
  ])("%s: says why and what to do", async (socket, why, remedy) => {
    const thrown: unknown = await at(socket)
      .start(served)
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "runtime.unreachable", hint: expect.stringContaining(remedy) });
    expect(String(thrown)).toContain(why);
    await expect(at(socket).survivors()).rejects.toMatchObject({ code: "runtime.unreachable" });
  });
});

describe("Docker over SSH", () => {
  let folder = "";
  const path = process.env["PATH"];

  /** An `ssh` that carries to this machine's own fake Docker, and `-L` to this machine's own ports. */
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "omni-ssh-"));
    const script = `
      const net = require("node:net");
      const words = process.argv.slice(2);
      require("node:fs").appendFileSync(${JSON.stringify(join(folder, "asked"))}, words.join(" ") + "\\n");
      if (words.includes("unknown.example")) {
        console.error("ssh: Could not resolve hostname unknown.example");
        process.exit(255);
      } else if (words.includes("-N")) {
        const [host, port, to, toPort] = words[words.indexOf("-L") + 1].split(":");
        net.createServer((client) => {
          const server = net.connect(Number(toPort), to);
          client.pipe(server).pipe(client);
          client.on("error", () => {});
          server.on("error", () => client.destroy());
        }).listen(Number(port), host);
      } else {
        const docker = net.connect(${JSON.stringify(api.socket.slice("unix://".length))});
        process.stdin.pipe(docker).pipe(process.stdout);
        docker.on("close", () => process.exit(0));
      }`;
    writeFileSync(join(folder, "ssh.cjs"), script);
    writeFileSync(
      join(folder, "ssh"),
      `#!/bin/sh\nexec "${process.execPath}" "${join(folder, "ssh.cjs")}" "$@"\n`,
    );
    chmodSync(join(folder, "ssh"), 0o755);
    process.env["PATH"] = `${folder}:${path}`;
  });

  afterEach(async () => {
    for (const runtime of runtimes.splice(0)) await runtime.close();
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true, force: true });
  });

  test("an engine there is reached over a tunnel, which ends with it", async () => {
    const engine = createHttpServer((_request, response) => void response.end("ok"));
    const port = await new Promise<number>((resolve) => {
      engine.listen(0, "127.0.0.1", () => {
        const bound = engine.address();
        resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
      });
    });
    api.publishedOn(port);
    const unit = await at("ssh://omni@gpu.example:2222").start(served);
    expect(api.created[0]).toMatchObject({
      HostConfig: { PortBindings: { "8000/tcp": [{ HostIp: "127.0.0.1", HostPort: "0" }] } },
    });
    expect(unit.address).toMatchObject({ kind: "tcp", host: "127.0.0.1" });
    expect(unit.address).not.toMatchObject({ port });
    let status: number | undefined;
    await eventually("the engine answers over the tunnel", () => {
      if (status === undefined) void ask(unit.address, "/").then((found) => (status ??= found));
      return status === 200;
    });
    engine.closeAllConnections();
    await new Promise((resolve) => engine.close(resolve));
    expect(await unit.stop(0)).toEqual({ code: null, signal: "SIGKILL" });
    await eventually("the tunnel is gone", () => {
      void ask(unit.address, "/").then((found) => (status = found));
      return status === undefined;
    });
  });

  test("what ssh says is the reason", async () => {
    await expect(at("ssh://unknown.example").survivors()).rejects.toMatchObject({
      code: "runtime.unreachable",
      message: expect.stringContaining("Could not resolve hostname unknown.example"),
    });
  });
});
