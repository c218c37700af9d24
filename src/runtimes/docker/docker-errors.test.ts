import { describe, expect, test } from "vitest";
import { processExit } from "./container-exit.ts";
import { parseDockerSocket } from "./docker-socket.ts";
import { imageError } from "./image-error.ts";
import { reference } from "./image-pulls.ts";
import { startError } from "./start-error.ts";
import { unreachableError } from "./unreachable-error.ts";

const launch = {
  service: "oracle",
  command: ["vllm"],
  environment: { HF_TOKEN: "hf_abcdef", SHORT: "1", LONGER: "hf_abcdefghi" },
  address: { kind: "tcp", host: "127.0.0.1", port: 1 },
  loadTimeout: 1,
  digest: "",
} as const;

describe("what a start fails for", () => {
  test.each([
    [
      'could not select device driver "" with capabilities: [[gpu]]',
      "engine.no-card",
      "nvidia-ctk runtime configure",
    ],
    ["unknown or invalid runtime name: nvidia", "engine.no-card", "nvidia-ctk runtime configure"],
    [
      "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=0",
      "engine.no-card",
      "nvidia-ctk cdi generate",
    ],
    [
      "nvidia-container-cli: initialization error: nvml error: driver not loaded",
      "engine.no-card",
      "nvidia-smi -L",
    ],
    ["Bind for 127.0.0.1:8000 failed: port is already allocated", "engine.port-busy", "another port"],
    ["write /var/lib/docker/tmp: no space left on device", "engine.no-space", "docker system df"],
    [
      "could not find an available, non-overlapping IPv4 address pool",
      "engine.not-started",
      "docker network prune",
    ],
    ["something nobody has seen", "engine.not-started", "docker info"],
  ])("%s", (message, code, remedy) => {
    const error = startError(launch, { statusCode: 500, json: { message } });
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.hint).toContain(remedy);
  });

  test("values of the environment are left out, the longer first", () => {
    const said = "invalid environment LONGER=hf_abcdefghi HF_TOKEN=hf_abcdef SHORT=1";
    const { message } = startError(launch, new Error(`(HTTP code 400) bad parameter - ${said} `));
    expect(message).toContain("invalid environment LONGER=… HF_TOKEN=… SHORT=1.");
  });
});

test.each([
  [
    "pull access denied for a/b, repository does not exist or may require 'docker login'",
    "docker login docker.io",
  ],
  ["manifest for a/b:9 not found: manifest unknown: manifest unknown", "Check the tag"],
  ["toomanyrequests: You have reached your unauthenticated pull rate limit", "docker login docker.io"],
  ["no matching manifest for linux/arm64/v8 in the manifest list entries", "built for this processor"],
  [
    "Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host",
    "name server",
  ],
  ["Get https://10.0.0.1:5000/v2/: http: server gave HTTP response to HTTPS client", "insecure-registries"],
  ["x509: certificate signed by unknown authority", "certs.d"],
])("a pull that fails: %s", (words, remedy) => {
  const error = imageError("oracle", "a/b:9", words);
  expect(error.code).toBe("engine.no-image");
  expect(error.message).toContain(words);
  expect(error.hint).toContain(remedy);
});

test("a socket that this user may not use is told with the group and its price", () => {
  const socket = parseDockerSocket("unix:///var/run/docker.sock");
  const error = unreachableError(socket, Object.assign(new Error("connect EACCES"), { code: "EACCES" }));
  expect(error.message).toBe(
    "Docker at /var/run/docker.sock cannot be used: this user may not use the socket (EACCES).",
  );
  expect(error.hint).toContain("usermod -aG docker $USER");
  expect(error.hint).toContain("rootless");
});

test("addresses of Docker are read as Docker reads them; nothing becomes an option of ssh", () => {
  expect(parseDockerSocket("unix:///run/user/1000/docker.sock", {})).toEqual({
    kind: "unix",
    path: "/run/user/1000/docker.sock",
  });
  expect(parseDockerSocket("tcp://10.0.0.5:2376", {})).toMatchObject({ port: 2376, secure: true });
  expect(parseDockerSocket("tcp://10.0.0.5", {})).toMatchObject({ port: 2375, secure: false });
  expect(parseDockerSocket("tcp://10.0.0.5", { DOCKER_TLS_VERIFY: "1" })).toMatchObject({ secure: true });
  expect(parseDockerSocket("ssh://omni@gpu.example:2222")).toEqual({
    kind: "ssh",
    host: "gpu.example",
    port: 2222,
    user: "omni",
  });
  for (const wrong of ["http://docker", "unix://", "docker.sock", "ssh://-oProxyCommand=x"])
    expect(() => parseDockerSocket(wrong), wrong).toThrow("is no address of a Docker engine");
});

test("exit codes beyond 128 are signals, as in a shell", () => {
  expect(processExit(0)).toEqual({ code: 0, signal: null });
  expect(processExit(137)).toEqual({ code: null, signal: "SIGKILL" });
  expect(processExit(143)).toEqual({ code: null, signal: "SIGTERM" });
  expect(processExit(128)).toEqual({ code: 128, signal: null });
  expect(processExit(255)).toEqual({ code: 255, signal: null });
});

test("an image without a tag is its latest, never all of them", () => {
  expect(reference("localhost:5000/a/b")).toEqual({ fromImage: "localhost:5000/a/b", tag: "latest" });
  expect(reference("ghcr.io/a/b:v1")).toEqual({ fromImage: "ghcr.io/a/b", tag: "v1" });
  expect(reference("a/b:v1@sha256:ab")).toEqual({ fromImage: "a/b", tag: "sha256:ab" });
});
