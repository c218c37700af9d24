import { expect, it } from "vitest";
import { cdi, docker, gpuLinux, linux, RTX_4090 } from "./recordings.ts";
import { findingsOf, troubleOf, troubles } from "./situation.ts";

const OPEN = { version: "580.95.05", flavour: "open" } as const;
const SPEC = (
  settings: string,
): string => `metal: { gpus: { card: { model: RTX 4090, uuid: ${RTX_4090.uuid} } } }
runtime: { kind: docker, docker: { ${settings} } }
models:
  small: { source: hf:acme/small-GGUF, family: Llama-3.1-8B-Instruct, quantization: Q4_K_M }
engines:
  llama: { kind: llama.cpp, image: "acme/llama:b7710" }
services:
  chat: { model: small, engine: llama, devices: card }
`;

it("a laptop with Docker and no card", async () => {
  const base = linux();
  const findings = await findingsOf({
    ...base,
    commands: { ...base.commands, docker: docker({ LiveRestoreEnabled: false }) },
  });
  expect(troubles(findings)).toEqual(["note containers.live-restore"]);
  expect(troubleOf(findings, "containers.live-restore").remedy).toContain('"live-restore": true');
});

it("Docker that nobody may speak to is an error where the spec needs it, and a warning where nobody said so", async () => {
  const base = linux();
  const denied = (args: readonly string[]) =>
    args[0] === "info"
      ? {
          code: 1,
          stdout: JSON.stringify({
            ServerErrors: [
              "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            ],
          }),
        }
      : { code: 1, stderr: "permission denied" };
  const commands = { ...base.commands, docker: denied };
  expect(troubles(await findingsOf({ ...base, commands }))).toEqual(["warning containers.docker"]);
  const findings = await findingsOf({
    ...base,
    commands,
    spec: "runtime: docker\nmodels: { small: { source: hf:acme/small-GGUF, family: Llama-3.1-8B-Instruct, quantization: Q4_K_M } }\nservices: { chat: { model: small, engine: llama.cpp, devices: cpu } }\n",
  });
  expect(troubles(findings)).toEqual(["error containers.docker"]);
  expect(troubleOf(findings, "containers.docker").remedy).toBe("usermod -aG docker USER, then log in again");
});

it("without the container toolkit no container sees a card", async () => {
  const { "nvidia-ctk": _absent, ...commands } = gpuLinux(RTX_4090, OPEN).commands;
  const findings = await findingsOf({
    ...gpuLinux(RTX_4090, OPEN),
    commands,
    spec: SPEC("gpus: device-requests"),
  });
  expect(troubles(findings)).toEqual(["error containers.toolkit"]);
  expect(troubleOf(findings, "containers.toolkit")).toMatchObject({
    seen: "nvidia-ctk is not installed",
    why: 'Docker says: could not select device driver "" with capabilities: [[gpu]].',
  });
});

it("cards by the environment need the runtime in Docker; by device requests they do not", async () => {
  const base = gpuLinux(RTX_4090, OPEN);
  const commands = { ...base.commands, docker: docker({ Runtimes: { runc: {} }, CDISpecDirs: [] }) };
  const needed = await findingsOf({ ...base, commands, spec: SPEC("gpus: environment") });
  expect(troubles(needed)).toEqual(["error containers.toolkit"]);
  const spare = await findingsOf({ ...base, commands, spec: SPEC("gpus: device-requests") });
  expect(troubles(spare)).toEqual(["note containers.toolkit"]);
});

it("a description of the cards from before the driver's upgrade is told, and can be made anew", async () => {
  const base = gpuLinux(RTX_4090, OPEN);
  const spec = SPEC("gpus: cdi");
  const stale = await findingsOf({
    ...base,
    spec,
    files: { ...base.files, "/etc/cdi/nvidia.yaml": cdi("570.133.07") },
  });
  expect(troubles(stale)).toEqual(["error containers.cdi /etc/cdi/nvidia.yaml"]);
  expect(troubleOf(stale, "containers.cdi")).toMatchObject({
    seen: "made for driver 570.133.07, while 580.95.05 runs",
    fix: {
      changes: [{ kind: "run", argv: ["nvidia-ctk", "cdi", "generate", "--output=/etc/cdi/nvidia.yaml"] }],
      needsReboot: false,
    },
  });
  const fresh = { ...base.files, "/run/cdi/nvidia.yaml": cdi("580.95.05") };
  expect(troubles(await findingsOf({ ...base, spec, files: fresh }))).toEqual([]);
  const none = await findingsOf({ ...base, spec });
  expect(troubles(none)).toEqual(["error containers.cdi"]);
});

it("a compat library hides the driver's own, on the host and in an image", async () => {
  const base = gpuLinux(RTX_4090, OPEN);
  const inspect = JSON.stringify([
    "PATH=/bin",
    "LD_LIBRARY_PATH=/usr/local/cuda-13.0/compat:/usr/local/cuda/lib64",
  ]);
  const findings = await findingsOf({
    ...base,
    spec: SPEC("gpus: device-requests"),
    commands: {
      ...base.commands,
      docker: (args) => (args[0] === "image" && args[1] === "inspect" ? inspect : docker()(args)),
      ldconfig: "\tlibcuda.so.1 (libc6,x86-64) => /usr/local/cuda-13.0/compat/libcuda.so.1\n",
    },
  });
  expect(troubles(findings)).toEqual([
    "error containers.compat-library this system",
    "warning containers.compat-library service chat",
  ]);
  expect(troubleOf(findings, "containers.compat-library").seen).toBe(
    "libcuda.so.1 => /usr/local/cuda-13.0/compat/libcuda.so.1",
  );
});

it("cgroup v1 and a copying storage driver are told", async () => {
  const base = linux();
  const findings = await findingsOf({
    ...base,
    commands: { ...base.commands, stat: "tmpfs\n", docker: docker({ Driver: "vfs" }) },
  });
  expect(troubles(findings)).toEqual(["warning containers.docker", "warning containers.cgroup"]);
  expect(troubleOf(findings, "containers.cgroup").seen).toBe("/sys/fs/cgroup is of the type tmpfs");
});
