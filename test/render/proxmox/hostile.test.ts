import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OmniError } from "../../../src/core/index.ts";
import type { Deployment, Host } from "../../../src/deployment/index.ts";
import type { Artifact } from "../../../src/render/index.ts";
import { proxmox } from "../../../src/render/proxmox/index.ts";
import { ProxmoxMachine } from "../../fakes/proxmox-machine.ts";
import { deploymentOf } from "../deployments.ts";
import { parseGrubWords, parseModprobe, parsePveConfig, parseShellWords } from "./parsers.ts";
import { contentOf, FULL } from "./spec.ts";

const PIECES = [
  "'",
  '"',
  "`touch x`",
  "$(touch x)",
  "${HOME}",
  "\\",
  "\n",
  "\r\n",
  "\u2028",
  "\0",
  " ",
  "  ",
  ",",
  ";",
  "=",
  "#",
  "# ",
  "%",
  "%0A",
  "--",
  "-",
  "&",
  "|",
  "<",
  ">",
  "{",
  "}",
  "*",
  "?",
  "!",
  "~",
  ": ",
  "é",
  "日本",
  "\u{1F600}",
  "a",
  "B7",
  "/",
  "..",
  "\nexit 0\n",
  "EOF",
  "USAGE",
];
const hostile = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(""));

/** Renders, or says which value it refused. Any other error fails the test. */
function rendered(deployment: Deployment): readonly Artifact[] | undefined {
  try {
    return proxmox.render(deployment).artifacts;
  } catch (thrown) {
    if (thrown instanceof OmniError && thrown.code === "render.unrepresentable") return undefined;
    throw thrown;
  }
}

const base = await deploymentOf(FULL);
const [host] = base.hosts;
const [guest] = base.guests;
if (host === undefined || guest?.vm === undefined) throw new Error("the spec has no host and VM");
const { vm } = guest;

const withHost = (change: Partial<Host>): Deployment => ({ ...base, hosts: [{ ...host, ...change }] });
const withVm = (change: Partial<typeof vm>): Deployment => ({
  ...base,
  guests: [{ ...guest, vm: { ...vm, ...change } }],
});

/** What a shell holds after the assignments at a script's head, by name. */
function variables(script: string, names: readonly string[]): readonly string[] {
  const from = script.indexOf("set -eu\n");
  const head = script.slice(from, script.indexOf("\nROOT=${OMNI_ROOT:-}"));
  const print = names.map((name) => `printf '%s\\0' "$${name}"`).join("\n");
  return execFileSync("sh", ["-c", `${head}\n${print}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);
}

/** Calls of a function in a script with their words, read by the shell itself. */
function callsOf(script: string, name: string): readonly (readonly string[])[] {
  const from = script.indexOf("\nstep 'This host'");
  const lines = script
    .slice(from)
    .split("\n")
    .filter((line) => line.startsWith(`${name} `));
  const text = `${name}() { printf '%s\\0' "$@"; printf '\\1'; }\n${lines.join("\n")}`;
  return execFileSync("sh", ["-c", text], { encoding: "utf8" })
    .split("\u0001")
    .slice(0, -1)
    .map((call) => call.split("\0").slice(0, -1));
}

/** Runs a property that says whether the text was rendered; a tenth of the texts at least must be. */
function check(property: (text: string) => boolean, runs = 60): void {
  let held = 0;
  fc.assert(
    fc.property(hostile, (text) => {
      if (property(text)) held++;
    }),
    { numRuns: runs },
  );
  expect(held).toBeGreaterThan(runs / 10);
}

describe("hostile texts come out as they went in, or are refused by name", () => {
  it("on the boot line", () => {
    check((text) => {
      const artifacts = rendered(withHost({ boot: { arguments: [`x=${text}`] } }));
      if (artifacts === undefined) return false;
      const cfg = contentOf(artifacts, "etc/default/grub.d/omni.cfg");
      const line = execFileSync(
        "sh",
        ["-c", `GRUB_CMDLINE_LINUX_DEFAULT=''\n${cfg}\nprintf %s "$GRUB_CMDLINE_LINUX_DEFAULT"`],
        { encoding: "utf8" },
      );
      const words = `x=${text}`.split(" ").filter((word) => word !== "");
      expect(parseGrubWords(line).slice(0, -3)).toEqual([...new Set(words)]);
      const plain = contentOf(artifacts, "etc/kernel/omni-cmdline").split("\n");
      expect(plain.filter((group) => group !== "" && !group.startsWith("#")).slice(0, -2)).toEqual([
        ...new Set(words),
      ]);
      return true;
    });
  });

  it("in modprobe.d", () => {
    check((text) => {
      const artifacts = rendered(
        withHost({ boot: { modules: { kvm: [`x=${text}`] }, blacklist: ["radeon"] } }),
      );
      if (artifacts === undefined) return false;
      expect(parseModprobe(contentOf(artifacts, "etc/modprobe.d/omni-modules.conf"))).toEqual([
        { command: "options", module: "kvm", words: [`x=${text}`] },
        { command: "blacklist", module: "radeon", words: [] },
      ]);
      return true;
    });
    check((text) => {
      const artifacts = rendered(withHost({ boot: { blacklist: [text], modules: { [text]: ["a=1"] } } }));
      expect(artifacts === undefined || /^\w[\w-]*$/.test(text)).toBe(true);
      return true;
    });
  });

  it("in the VM's configuration and as words of qm", () => {
    check((text) => {
      const artifacts = rendered(withVm({ cpu: text, arguments: ["-name", text] }));
      if (artifacts === undefined) return false;
      const { settings } = parsePveConfig(contentOf(artifacts, "105.conf"));
      expect(settings["cpu"]).toBe(text);
      expect(parseShellWords(settings["args"] ?? "")).toEqual(["-name", text]);
      const calls = callsOf(contentOf(artifacts, "vm-105.sh"), "setting");
      expect(calls).toContainEqual(["cpu", text]);
      expect(calls).toContainEqual(["args", settings["args"]]);
      return true;
    });
    check((text) => {
      const artifacts = rendered(
        withVm({
          hostpci: { hostpci0: { gpu: "big", romFile: text } },
          disks: { scsi0: { storage: text, size: 2 ** 30 } },
        }),
      );
      expect(artifacts === undefined || !/[,;\s'"$`\\]/.test(text)).toBe(true);
      return true;
    });
  });

  it("in disks that are handed through, and ROM files", () => {
    check((text) => {
      const disk = { ...host.disks?.["data"], serial: text };
      const deployment = withHost({
        disks: { data: disk },
        gpus: { ...host.gpus, big: { ...host.gpus?.["big"], model: text, pci: "0000:f1:00", romFile: text } },
      });
      const artifacts = rendered(deployment);
      if (artifacts === undefined) return false;
      const script = contentOf(artifacts, "vm-105.sh");
      expect(callsOf(script, "disk_by_serial")).toEqual([["scsi1", text]]);
      expect(callsOf(script, "check_rom")).toEqual([[text], ["palit.rom"]]);
      expect(parsePveConfig(contentOf(artifacts, "105.conf")).settings["hostpci0"]).toBe(
        `mapping=omni-big,pcie=1,romfile=${text}`,
      );
      return true;
    });
  });

  it("in the scripts' own words, names and notes", () => {
    check((text) => {
      const kernel = { pin: text, package: text, atMost: text };
      const finding = {
        code: "kernel-pin-contradiction",
        severity: "error",
        path: "machines.node.kernel",
        message: text,
      } as const;
      const artifacts = rendered({
        ...withHost({ kernel, ssh: text, passthrough: { ...host.passthrough, script: text } }),
        name: text,
        findings: [finding],
        guests: [{ ...guest, name: text, talos: { version: text } }],
      });
      if (artifacts === undefined) return false;
      expect(
        variables(contentOf(artifacts, "apply.sh"), [
          "KERNEL_PIN",
          "KERNEL_PACKAGE",
          "KERNEL_AT_MOST",
          "KERNEL_REFUSED",
          "SWITCH",
        ]),
      ).toEqual([text, text, text, text, text]);
      const script = contentOf(artifacts, "vm-105.sh");
      const [notes] = variables(script, ["NOTES"]);
      expect(notes).toContain(`(${text}): guest ${text} on node`);
      expect(parsePveConfig(contentOf(artifacts, "105.conf")).notes.startsWith(notes ?? "none")).toBe(true);
      for (const name of ["apply.sh", "vm-105.sh"])
        execFileSync("sh", ["-n"], { input: contentOf(artifacts, name) });
      return true;
    });
  });
});

it("a script full of hostile texts runs nothing but what it says", async () => {
  const text = '\'; touch "$OMNI_ROOT/owned"; $(touch $OMNI_ROOT/owned) `touch $OMNI_ROOT/owned` #';
  const deployment: Deployment = {
    ...withVm({ arguments: [text], cpu: text, hostpci: {}, disks: {} }),
    name: "node",
  };
  const artifacts = proxmox.render({
    ...deployment,
    hosts: [
      { ...host, kernel: { pin: text }, boot: { modules: { kvm: ["a=$(touch$IFS$OMNI_ROOT/owned)"] } } },
    ],
  }).artifacts;
  using machine = new ProxmoxMachine();
  machine.copy(artifacts, "node");
  machine.run("apply.sh", ["--skip", "kernel"]);
  const { calls } = machine.run("vm-105.sh");
  expect(calls).toContain(`qm set 105 --cpu ${text}`);
  expect(Object.keys(machine.snapshot()).filter((path) => path.includes("owned"))).toEqual([]);
});
