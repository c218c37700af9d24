import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Rendered } from "../../../src/render/index.ts";
import { talos } from "../../../src/render/talos/index.ts";
import { referenceDeployment } from "../deployments.ts";
import { fileOf, renderSpec } from "./talos-render.ts";

const SHELLCHECK = "shellcheck";
const shellcheck = spawnSync(SHELLCHECK, ["--version"]).status === 0;

/** Programs that write their arguments down, one a line, and make the files that the script counts on. */
const TALOSCTL = `#!/bin/sh
printf '%s\\n' "talosctl" "$@" "--end--" >> "$LOG"
case "$1 $2" in
  "gen secrets") : > "$4" ;;
  "gen config") : > "$OMNI_TALOS_SECRETS/controlplane.yaml"; : > "$OMNI_TALOS_SECRETS/worker.yaml" ;;
esac
case "$*" in
  *--insecure*) if [ -n "\${INSTALLED:-}" ]; then echo 'tls: certificate required' >&2; exit 1; fi ;;
  *bootstrap*)
    if [ -n "\${INSTALLED:-}" ]; then echo 'rpc error: code = AlreadyExists desc = etcd data directory is not empty' >&2; exit 1; fi
    if [ -n "\${FAIL_ONCE:-}" ] && [ ! -e "$LOG.failed" ]; then : > "$LOG.failed"; exit 1; fi ;;
esac
`;
const CURL = `#!/bin/sh
printf '%s\\n' "curl" "$@" "--end--" >> "$LOG"
printf '%s' "$ANSWER"
`;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-talos-"));
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/talosctl"), TALOSCTL, { mode: 0o755 });
  writeFileSync(join(folder, "bin/curl"), CURL, { mode: 0o755 });
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write({ artifacts }: Rendered): void {
  for (const { path, content, mode } of artifacts) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, { mode });
  }
}

function run(script: string, words: readonly string[], environment: Record<string, string> = {}) {
  const env = {
    PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
    LOG: join(folder, "log"),
    OMNI_TALOS_SECRETS: join(folder, "secrets"),
    OMNI_TALOS_WAIT: "0",
    ...environment,
  };
  return spawnSync(join(folder, "talos", script), words, { cwd: folder, env, encoding: "utf8" });
}

/** The calls of the programs, each as its words. */
const calls = (): readonly (readonly string[])[] =>
  existsSync(join(folder, "log"))
    ? readFileSync(join(folder, "log"), "utf8")
        .split("--end--\n")
        .slice(0, -1)
        .map((call) => call.trimEnd().split("\n"))
    : [];

const TWO_NODES = `  kubernetes:
    version: "1.35.0"
    clusterName: lab
    nodes:
      cp: { address: 192.168.3.2, role: control-plane }
      worker: { role: worker }`;

describe("the scripts of a Talos guest", () => {
  it("install, bootstrap once the node is back, and keep secrets to themselves", async () => {
    write(talos.render(await referenceDeployment("omni-prime.fixed")));
    const result = run("omni-prime/apply.sh", ["--first"], { FAIL_ONCE: "yes" });
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
    const made = calls();
    expect(
      made.map((words) =>
        words.find((word) =>
          /^(?:gen|machineconfig|validate|apply-config|bootstrap|kubeconfig|health)$/.test(word),
        ),
      ),
    ).toEqual([
      "gen",
      "gen",
      "machineconfig",
      "validate",
      "apply-config",
      "bootstrap",
      "bootstrap",
      "kubeconfig",
      "health",
    ]);
    expect(made[1]).toEqual(
      expect.arrayContaining([
        "omni-prime",
        "https://192.168.3.2:6443",
        "--talos-version",
        "v1.12",
        "1.35.0",
      ]),
    );
    const patches = (made[1] ?? []).filter((word) => word.startsWith("@"));
    expect(patches.map((word) => word.replace(/^.*\//, ""))).toEqual([
      "10-install.yaml",
      "20-modules.yaml",
      "30-sysctls.yaml",
      "40-volumes.yaml",
      "85-cluster.yaml",
      "86-scheduling.yaml",
    ]);
    expect(patches.every((word) => existsSync(word.slice(1)))).toBe(true);
    expect(made[4]).toContain("--insecure");
    expect(statSync(join(folder, "secrets/secrets.yaml")).mode & 0o077).toBe(0);
  });

  it("apply to a running node without making secrets anew or starting the cluster again", async () => {
    write(
      await renderSpec(`    version: "1.14.0"\n    patches: [patches/own.yaml, /etc/omni/keys.yaml]`, {
        guest: TWO_NODES,
      }),
    );
    mkdirSync(join(folder, "secrets"));
    writeFileSync(join(folder, "secrets/secrets.yaml"), "");
    const result = run("node/apply.sh", [], { TALOS_NODE_WORKER: "192.168.3.3" });
    expect(result.stderr).toBe("");
    const made = calls();
    expect(made[0]).toEqual(expect.arrayContaining(["gen", "config", "lab", "--talos-version", "v1.13"]));
    const patched = made.filter((words) => words[1] === "machineconfig");
    expect(patched.map((words) => words.filter((word) => word.startsWith("@")))).toEqual([
      [`@${folder}/talos/node/nodes/cp.yaml`, "@./patches/own.yaml", "@/etc/omni/keys.yaml"],
      [`@${folder}/talos/node/nodes/worker.yaml`, "@./patches/own.yaml", "@/etc/omni/keys.yaml"],
    ]);
    expect(patched[1]).toContain(join(folder, "secrets/worker.yaml"));
    expect(
      made
        .filter((words) => words.includes("apply-config"))
        .map((words) => words[words.indexOf("--nodes") + 1]),
    ).toEqual(["192.168.3.2", "192.168.3.3"]);
    expect(made.flat()).not.toContain("bootstrap");
    expect(made.flat()).not.toContain("--insecure");
  });

  it("go on from there when --first stopped after a node was installed", async () => {
    write(talos.render(await referenceDeployment("omni-prime.fixed")));
    expect(run("omni-prime/apply.sh", ["--first"]).status).toBe(0);
    rmSync(join(folder, "log"));
    const again = run("omni-prime/apply.sh", ["--first"], { INSTALLED: "yes" });
    expect(again.status).toBe(0);
    expect(again.stderr).toContain("talos-node-0 is not in maintenance mode");
    const asked = calls().map((words) => words.filter((word) => !word.includes("/")).join(" "));
    expect(asked.filter((call) => call.includes("apply-config"))).toEqual([
      "talosctl apply-config --insecure --nodes 192.168.3.2 --file",
      "talosctl --talosconfig apply-config --nodes 192.168.3.2 --endpoints 192.168.3.2 --file",
    ]);
    expect(asked.filter((call) => call.includes("bootstrap")).length).toBe(1);
    expect(asked.at(-1)).toContain("health");
  });

  it("stop where an address is missing, and print instead of running", async () => {
    write(await renderSpec(`    version: "1.12.11"`, { guest: TWO_NODES }));
    const dry = run("node/apply.sh", ["--first", "--dry-run"], { TALOS_NODE_WORKER: "192.168.3.3" });
    expect(dry.status).toBe(0);
    expect(dry.stdout).toContain("+ talosctl gen config lab https://192.168.3.2:6443");
    expect(dry.stdout).toContain("apply-config --insecure --nodes 192.168.3.3");
    const missing = run("node/apply.sh", ["--dry-run"]);
    expect(missing.status).not.toBe(0);
    expect(missing.stderr).toContain("TALOS_NODE_WORKER");
    expect(run("node/apply.sh", ["--nonsense"]).status).toBe(2);
    const keyless = run("node/apply.sh", [], { TALOS_NODE_WORKER: "192.168.3.3" });
    expect([keyless.status, keyless.stderr]).toEqual([1, expect.stringContaining("No secrets.yaml in")]);
    expect(calls()).toEqual([]);
    expect(existsSync(join(folder, "secrets"))).toBe(false);
  });

  it("upgrade Talos node by node, then Kubernetes", async () => {
    write(await renderSpec(`    version: "1.12.11"`, { guest: TWO_NODES }));
    const result = run("node/upgrade.sh", [], { TALOS_NODE_WORKER: "192.168.3.3" });
    expect(result.stderr).toBe("");
    const image = /metal-installer\/[0-9a-f]{64}:v1\.12\.11$/;
    const made = calls();
    expect(made.map((words) => [words[3], words[5], words[7]])).toEqual([
      ["upgrade", "192.168.3.2", "192.168.3.2"],
      ["upgrade", "192.168.3.3", "192.168.3.2"],
      ["upgrade-k8s", "192.168.3.2", "192.168.3.2"],
    ]);
    expect(made[0]?.[9]).toMatch(image);
    expect(made[2]?.slice(-2)).toEqual(["--to", "1.35.0"]);
    run("node/upgrade.sh", ["--talos-only"], { TALOS_NODE_WORKER: "192.168.3.3" });
    expect(
      calls()
        .slice(3)
        .map((words) => words[3]),
    ).toEqual(["upgrade", "upgrade"]);
  });

  it("post the schematic and compare the factory's answer with the computed id", async () => {
    const empty = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";
    write(await renderSpec(`    version: "1.12.11"`));
    const right = run("node/schematic-id.sh", [], { ANSWER: `{"id":"${empty}"}` });
    expect(right.stdout).toBe(`${empty}\n`);
    expect(calls()[0]).toEqual(
      expect.arrayContaining([
        `@${folder}/talos/node/schematic.yaml`,
        "https://factory.talos.dev/schematics",
      ]),
    );
    const other = run("node/schematic-id.sh", [], { ANSWER: `{"id": "${"0".repeat(64)}"}` });
    expect([other.status, other.stdout]).toEqual([1, ""]);
    expect(other.stderr).toContain(empty);
    expect(run("node/schematic-id.sh", [], { ANSWER: "<html>" }).status).toBe(1);
  });

  it("take the id from the factory where it cannot be computed", async () => {
    write(await renderSpec(`    version: "1.12.11"\n    kernelArguments: ["a b"]\n    installDisk: nvme`));
    const id = "ab".repeat(32);
    expect(run("node/schematic-id.sh", [], { ANSWER: `{"id":"${id}"}` }).stdout).toBe(`${id}\n`);
    const without = run("node/upgrade.sh", []);
    expect(without.status).not.toBe(0);
    expect(without.stderr).toContain("schematic-id.sh");
    expect(run("node/apply.sh", ["--first"], { TALOS_SCHEMATIC: id }).stderr).toBe("");
    const config = calls().find((words) => words[1] === "gen" && words[2] === "config") ?? [];
    expect(config[config.indexOf("--install-image") + 1]).toBe(
      `factory.talos.dev/metal-installer/${id}:v1.12.11`,
    );
  });

  it.skipIf(!shellcheck)(
    `pass shellcheck${shellcheck ? "" : " (skipped: shellcheck is not installed)"}`,
    async () => {
      const rendered = [
        talos.render(await referenceDeployment("omni-prime.fixed")),
        await renderSpec(
          `    version: "1.14.0"\n    kernelArguments: ["a b"]\n    patches: ["own patch.yaml"]`,
          {
            guest: TWO_NODES,
          },
        ),
        await renderSpec(`    version: "1.12.11"`),
      ];
      const complaints = rendered.flatMap((each) =>
        ["apply.sh", "upgrade.sh", "schematic-id.sh", "images.env"].map(
          (file) =>
            spawnSync(SHELLCHECK, ["-s", "sh", "-"], { input: fileOf(each, file), encoding: "utf8" }).stdout,
        ),
      );
      expect(complaints).toEqual(complaints.map(() => ""));
    },
  );
});
