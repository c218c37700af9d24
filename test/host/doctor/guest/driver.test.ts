import { expect, it } from "vitest";
import { cardFiles, docker, gpuLinux, linux, RTX_4090, RTX_5090, smi } from "./recordings.ts";
import { findingsOf, troubleOf, troubles } from "./situation.ts";

const OPEN = { version: "580.95.05", flavour: "open" } as const;

it("a card with a driver that fits is no word worth", async () => {
  const findings = await findingsOf(gpuLinux(RTX_5090, OPEN));
  expect(troubles(findings)).toEqual(["note containers.cdi"]);
  expect(findings.find(({ check }) => check === "driver.answers")?.seen).toBe(
    "1 of 1 cards, driver 580.95.05",
  );
});

it("a driver that was upgraded under its module is told with both versions", async () => {
  const base = gpuLinux(RTX_4090, { version: "570.133.07", flavour: "open" });
  const findings = await findingsOf({
    ...base,
    commands: {
      ...base.commands,
      "nvidia-smi": {
        code: 18,
        stdout: "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.211\n",
      },
    },
  });
  expect(troubles(findings)).toEqual(["error driver.answers RTX 4090 (0000:01:00.0)", "note containers.cdi"]);
  expect(troubleOf(findings, "driver.answers")).toMatchObject({
    seen: "module 570.133.07 is loaded, the library is 570.211",
    why: "An upgrade replaced the library under the running module: engines that start now fail, those that run go on.",
  });
});

it("a card that the driver did not start is named, and so are all that nobody can ask about", async () => {
  const second = { ...RTX_4090, pci: "0000:41:00.0" };
  const base = gpuLinux(RTX_4090, OPEN);
  const files = { ...base.files, ...cardFiles(second, "nvidia") };
  const lost = troubleOf(await findingsOf({ ...base, files }), "driver.answers");
  expect(lost).toMatchObject({
    subject: "NVIDIA GeForce RTX 4090 (0000:01:00.0), RTX 4090 (0000:41:00.0)",
    state: "error",
    seen: "nvidia-smi lists 1 of 2 cards, not RTX 4090 (0000:41:00.0)",
  });
  const { "nvidia-smi": _absent, ...commands } = base.commands;
  const unasked = troubleOf(await findingsOf({ ...base, commands }), "driver.answers");
  expect(unasked).toMatchObject({ subject: "RTX 4090 (0000:01:00.0)", state: "unknown" });
});

it("proprietary modules with a Blackwell card: they load, and no card is there", async () => {
  const base = gpuLinux(RTX_5090, { version: "570.195.03", flavour: "proprietary" });
  const findings = await findingsOf({
    ...base,
    commands: {
      ...base.commands,
      "nvidia-smi": { code: 6, stdout: "No devices were found\n" },
      dmesg:
        "[    9.1] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  570.195.03\n" +
        "[    9.2] NVRM: The NVIDIA GPU 0000:01:00.0 (PCI ID: 10de:2b85) installed in this system requires use of the NVIDIA open kernel modules.\n" +
        "[    9.3] NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x22:0x56:897)\n",
    },
  });
  expect(troubles(findings)).toEqual([
    "error driver.answers RTX 5090 (0000:01:00.0)",
    "error driver.open-modules RTX 5090 (0000:01:00.0)",
    "error driver.kernel-log",
    "error driver.kernel-log",
    "note containers.cdi",
  ]);
  expect(troubleOf(findings, "driver.open-modules")).toMatchObject({
    seen: "the proprietary kernel modules 570.195.03",
    wanted: "the open kernel modules",
    source: expect.stringContaining("only supported by the open kernel modules"),
  });
});

it("nouveau holds the card: the remedy is a fix only where NVIDIA's module is installed", async () => {
  const base = linux();
  const files = {
    ...base.files,
    ...cardFiles(RTX_4090, "nouveau"),
    "/proc/modules": "nouveau 2400256 1 - Live 0x0\n",
  };
  const commands = {
    ...base.commands,
    docker: docker(),
    "nvidia-smi": { code: 9, stderr: "couldn't communicate" },
  };
  const without = await findingsOf({ ...base, files, commands });
  expect(troubles(without)).toEqual([
    "error driver.answers RTX 4090 (0000:01:00.0)",
    "error driver.nouveau RTX 4090 (0000:01:00.0)",
    "error containers.toolkit",
  ]);
  expect(troubleOf(without, "driver.nouveau").fix).toBeUndefined();
  const installed = await findingsOf({
    ...base,
    files,
    commands: { ...commands, modinfo: "570.211.01\n", "update-initramfs": { code: 1, stderr: "usage" } },
  });
  expect(troubleOf(installed, "driver.nouveau")).toMatchObject({
    seen: "bound to nouveau; NVIDIA's driver is installed (570.211.01)",
    fix: {
      needsReboot: true,
      changes: [
        {
          kind: "write",
          path: "/etc/modprobe.d/omni-nouveau.conf",
          content: "blacklist nouveau\noptions nouveau modeset=0\n",
          mode: 0o644,
        },
        { kind: "run", argv: ["update-initramfs", "-u"], timeout: 300_000 },
      ],
    },
  });
});

it("CUDA's device file is missing, and can be made without harm", async () => {
  const base = gpuLinux(RTX_4090, OPEN);
  const findings = await findingsOf({
    ...base,
    files: { ...base.files, "/proc/modules": "nvidia 4096 0 - Live 0x0\n" },
    commands: { ...base.commands, ls: "nvidia0\nnvidiactl\n" },
  });
  expect(troubles(findings)).toEqual(["error driver.device-nodes", "note containers.cdi"]);
  expect(troubleOf(findings, "driver.device-nodes").seen).toBe(
    "/dev/nvidia-uvm missing; nvidia_uvm is not loaded",
  );
  expect(troubleOf(findings, "driver.device-nodes").fix?.needsReboot).toBe(false);
});

it("Secure Boot keeps an unsigned module out", async () => {
  const base = linux();
  const findings = await findingsOf({
    ...base,
    files: { ...base.files, ...cardFiles(RTX_4090, "none") },
    commands: {
      ...base.commands,
      mokutil: "SecureBoot enabled\n",
      modinfo: "\n",
      dmesg:
        "[   4.2] Loading of module with unavailable key is rejected\n[   4.3] modprobe: ERROR: could not insert 'nvidia': Key was rejected by service\n",
    },
  });
  expect(troubles(findings)).toEqual([
    "error driver.answers RTX 4090 (0000:01:00.0)",
    "error driver.secure-boot",
    "error driver.kernel-log",
    "note containers.docker",
  ]);
  expect(troubleOf(findings, "driver.secure-boot").seen).toBe(
    "Secure Boot is on, and NVIDIA's module is not signed but not loaded",
  );
});

it("the driver of the spec is compared by branch or release, flavour and CUDA", async () => {
  const base = gpuLinux(RTX_4090, { version: "570.133.07", flavour: "proprietary" });
  const spec = (driver: string): string => `metal: { driver: { ${driver} } }\nruntime: process\n`;
  expect(troubles(await findingsOf({ ...base, spec: spec('version: "570", flavour: proprietary') }))).toEqual(
    [],
  );
  const findings = await findingsOf({
    ...base,
    spec: spec('version: "580.95.05", flavour: open, cuda: "13.0"'),
  });
  expect(troubles(findings)).toEqual(["warning driver.version version", "error driver.version flavour"]);
  expect(troubleOf(findings, "driver.version")).toMatchObject({
    seen: "570.133.07",
    wanted: "580.95.05",
    path: "machines.omni.driver.version",
  });
});

it("an image with CUDA 13 needs driver 580", async () => {
  const findings = await findingsOf({
    ...gpuLinux(RTX_4090, { version: "570.133.07", flavour: "open" }),
    spec: `metal: { gpus: { card: { model: RTX 4090, pci: "0000:01:00", uuid: ${RTX_4090.uuid} } } }
runtime: docker
models:
  small: { source: hf:acme/small-GGUF, family: Llama-3.1-8B-Instruct, quantization: Q4_K_M }
engines:
  llama: { kind: llama.cpp, image: "acme/llama:b7710-cu130" }
services:
  chat: { model: small, engine: llama, devices: card }
`,
  });
  expect(troubles(findings)).toEqual(["error driver.cuda service chat"]);
  expect(troubleOf(findings, "driver.cuda")).toMatchObject({
    seen: "driver 570.133.07",
    wanted: "580 or newer for CUDA 13 (acme/llama:b7710-cu130)",
  });
});

it("NVSwitches need the fabric manager, and other machines do not", async () => {
  const base = gpuLinux(RTX_4090, OPEN);
  const bridge = "/sys/bus/pci/devices/0000:07:00.0";
  const files = {
    ...base.files,
    [`${bridge}/vendor`]: "0x10de\n",
    [`${bridge}/device`]: "0x22a3\n",
    [`${bridge}/class`]: "0x068000\n",
  };
  const findings = await findingsOf({ ...base, files });
  expect(troubles(findings)).toEqual(["error driver.fabric-manager", "note containers.cdi"]);
  const needless = await findingsOf({ ...base, commands: { ...base.commands, systemctl: "active\n" } });
  expect(troubles(needless)).toEqual(["note driver.fabric-manager", "note containers.cdi"]);
});

it("a card that its owner hands to a VM is nobody's business here", async () => {
  const base = linux();
  const findings = await findingsOf({
    ...base,
    files: { ...base.files, ...cardFiles(RTX_5090, "vfio-pci") },
    commands: { ...base.commands, "nvidia-smi": smi(RTX_5090, "1") },
  });
  expect(findings.filter(({ check }) => check.startsWith("driver."))).toEqual([]);
});
