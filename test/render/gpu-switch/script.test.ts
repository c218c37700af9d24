import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deploymentOf, referenceDeployment } from "../deployments.ts";
import type { Deployment, Host } from "../../../src/deployment/index.ts";
import { renderGpuSwitch } from "../../../src/render/proxmox/gpu-switch/index.ts";
import { SCRIPT, installed } from "./omni-prime-host.ts";

const OMNI_PRIME = await referenceDeployment("omni-prime");

function scriptOf(deployment: Deployment, changed: Partial<Host> = {}): string {
  const [host] = deployment.hosts;
  if (host === undefined) throw new Error("the deployment has no host");
  return renderGpuSwitch({ ...host, ...changed }, deployment);
}

describe("omni-switch as text", () => {
  it("is that of the reference system's cards", () => {
    expect(scriptOf(OMNI_PRIME)).toBe(SCRIPT);
  });

  it.skipIf(!installed("shellcheck"))("passes shellcheck (skipped where shellcheck is not installed)", () => {
    const { status, stdout } = spawnSync("shellcheck", ["-s", "sh", "-"], {
      input: SCRIPT,
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  });

  it("has a line for every card that is passed through, and names those without an address", async () => {
    const deployment = await deploymentOf(`omni: 1
name: h
metal: { platform: proxmox, gpus: { a: { model: RTX 5090, pci: "0000:01:00", ids: ["10de:2b85", "10de:22e8"] }, b: { model: RTX 4090, pci: "0000:02:00", audio: false, driver: nvidia }, c: RTX 3080 } }
models: { m: builtin:omni-demo }
services: { s: { model: m, devices: cpu } }
`);
    const script = scriptOf(deployment);
    expect(script).toContain(
      `  "$1" 'a' '0000:01:00' yes any '10de:2b85 10de:22e8'\n  "$1" 'b' '0000:02:00' no nvidia ''\n}`,
    );
    expect(script).toContain("# Not in the table, because the spec names no pci address: c\n");
  });

  it("takes the order of the spec", () => {
    const [host] = OMNI_PRIME.hosts;
    const script = scriptOf(OMNI_PRIME, { passthrough: { ...host?.passthrough, order: ["video", "audio"] } });
    expect(script).toContain('functions="$1.0 $sound"');
  });

  it("refuses an address or an id that is none", () => {
    const passthrough = { cards: ["x"] };
    expect(() =>
      scriptOf(OMNI_PRIME, { passthrough, gpus: { x: { model: "y", pci: "$(reboot)" } } }),
    ).toThrow("no PCI address");
    expect(() =>
      scriptOf(OMNI_PRIME, {
        passthrough,
        gpus: { x: { model: "y", pci: "0000:01:00", ids: ["' ; reboot"] } },
      }),
    ).toThrow("no vendor:device id");
  });

  it("hands any name of a card to the shell as it is", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.stringMatching(/^[-'"$`\\(){};&|<>*?~#!%\n\t =a-z]{1,20}$/).filter((text) => text !== ""),
      fc.constantFrom(
        "$(touch /nowhere)",
        "`id`",
        "it's",
        "a\nb",
        "--dry-run",
        "%s%n",
        "END",
        "\\",
        "é\u202e",
        "__proto__",
      ),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(
          hostile.filter((name) => !name.includes("\0")),
          { minLength: 1, maxLength: 20 },
        ),
        (names) => {
          const gpus = Object.fromEntries(
            names.map((name, n) => [name, { model: "x", pci: `0000:${(n + 16).toString(16)}:00` }]),
          );
          const known = names.filter((name) => Object.hasOwn(gpus, name));
          const script = scriptOf(OMNI_PRIME, { gpus, passthrough: { cards: known } });
          // The table as the shell itself reads it: everything up to its end, then each name between two marks.
          const table = script.slice(0, script.indexOf("# Order of a card's functions"));
          const reader = `${table}\nread_back() { printf '<%s>%s\\0' "$1" "$2"; }\neach_card read_back\n`;
          const read = execFileSync("sh", ["-s"], { input: reader, encoding: "utf8" })
            .split("\0")
            .slice(0, -1);
          expect(read).toEqual(known.map((name) => `<${name}>${gpus[name]?.pci ?? ""}`));
        },
      ),
      { numRuns: 60 },
    );
  });
});
