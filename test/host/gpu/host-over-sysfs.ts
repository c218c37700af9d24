/** A host whose cards stand in a built /sys: the real scripts run there as processes of this machine. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandResult, HostCommand } from "../../../src/host/transport/index.ts";
import type { SwitchCard } from "../../../src/render/proxmox/gpu-switch/index.ts";
import type { FakeSysfs } from "../../fakes/fake-sysfs.ts";
import { BIG, SMALL } from "../../render/gpu-switch/omni-prime-host.ts";

export const CARDS: readonly SwitchCard[] = [
  { name: "blackwell", slot: BIG, audio: true, ids: [] },
  { name: "rtx5090", slot: SMALL, audio: true, ids: [] },
];

export const UUID = "GPU-f4f210c1-5a52-7267-979e-fe922961190a";

export interface SysfsHost {
  readonly name: string;
  readonly run: (command: HostCommand) => Promise<CommandResult>;
}

/** Facts that the reader looks at beside those of the switch. */
export function withFacts(fake: FakeSysfs): void {
  mkdirSync(join(fake.proc, "sys/kernel/random"), { recursive: true });
  writeFileSync(join(fake.proc, "sys/kernel/random/boot_id"), "b0070000-0000-4000-8000-000000000001\n");
  for (const slot of [BIG, SMALL]) {
    writeFileSync(fake.at(`${slot}.0`, "reset_method"), "flr bus\n");
    writeFileSync(fake.at(`${slot}.0`, "numa_node"), "1\n");
  }
  writeFileSync(
    join(fake.proc, "driver/nvidia/gpus", `${BIG}.0`, "information"),
    `Model: \t\t Fake\nGPU UUID: \t ${UUID}\nDevice Minor: \t 1\n`,
  );
}

/** Runs commands with the roots of the built tree; `kill` ends the running one as the kernel would. */
export function hostOver(
  fake: FakeSysfs,
  heard: (text: string, kill: () => void) => void = () => undefined,
): SysfsHost {
  return {
    name: "omni-prime",
    run: async ({ argv: [program, ...words], input, onOutput }) => {
      const began = performance.now();
      const child = spawn(program, words, {
        detached: true,
        env: {
          PATH: `${join(fake.root, "bin")}:${process.env["PATH"] ?? ""}`,
          OMNI_SYSFS: fake.sys,
          OMNI_PROC: fake.proc,
          OMNI_DEV: fake.dev,
          OMNI_RUNTIME: fake.run,
          OMNI_PATIENCE: "20",
        },
      });
      const said = { stdout: "", stderr: "" };
      const kill = (): void => void process.kill(-(child.pid ?? 0), "SIGKILL");
      for (const stream of ["stdout", "stderr"] as const)
        child[stream].setEncoding("utf8").on("data", (text: string) => {
          said[stream] += text;
          onOutput?.(stream, text);
          heard(said.stdout, kill);
        });
      child.stdin.on("error", () => undefined).end(input);
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      child.once("error", reject).once("close", (code) => resolve(code ?? 137));
      const code = await promise;
      return { ended: true, code, ...said, leftOut: 0, duration: performance.now() - began };
    },
  };
}
