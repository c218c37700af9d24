import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readEvents } from "../../src/store/index.ts";
import { noHostBehindMounts, startHostBehindMounts } from "../fakes/host-behind-mounts.ts";
import { sshHome } from "../fakes/ssh-home.ts";
import { omni, temporaryFolder } from "./run-node.ts";
import type { Finished } from "./run-node.ts";

const FILE = "/etc/modules-load.d/omni-vfio.conf";
const SPEC = (ssh: string): string => `
omni: 1
name: prime
metal:
  platform: proxmox
  ssh: ${ssh}
  cpu: { cores: 8, threads: 16 }
  memory: { size: 64GB }
  gpus: { rtx5090: { model: RTX 5090, pci: "0000:11:00" } }
  passthrough: { bind: switch, cards: [rtx5090] }
`;
const DOCUMENT = z.object({
  hosts: z.array(
    z.object({
      machine: z.string(),
      verdict: z.string(),
      findings: z.array(z.object({ check: z.string(), state: z.string(), seen: z.string() })),
    }),
  ),
  fixes: z.array(
    z.object({ check: z.string(), done: z.boolean(), changes: z.array(z.object({ message: z.string() })) }),
  ),
});

const folder = temporaryFolder();
afterAll(() => folder.remove());

const missing = noHostBehindMounts();
describe.skipIf(missing !== undefined)(
  `omni doctor --fix over SSH${missing === undefined ? "" : `: ${missing}`}`,
  () => {
    it("writes a file with a backup, runs what goes with it, and finds it well when it looks again", async () => {
      await using host = await startHostBehindMounts();
      for (const name of ["modprobe.d", "modules-load.d"]) mkdirSync(join(host.etc, name));
      const inside = host.etc + FILE.slice("/etc".length);
      writeFileSync(inside, "vfio\n");
      const calls = join(folder.path, "modprobe-calls");
      host.program("modprobe", `printf '%s\\n' "$*" >>${calls}`);
      writeFileSync(join(folder.path, "omni.yaml"), SPEC(host.server.destination));
      const state = join(folder.path, "state");
      const env = sshHome(join(folder.path, "home"), host.server);
      const doctor = (...args: readonly string[]): Promise<Finished> =>
        omni(["doctor", "--only", "cards.early-binding", "--fix", ...args], state, undefined, {
          cwd: folder.path,
          env,
        });

      const shown = await doctor("--dry-run");
      expect(shown.stderr).toContain(`  write  ${FILE} (644)\n`);
      expect(shown.stderr).toContain("    +vfio_pci\n  run    modprobe -a vfio vfio_iommu_type1 vfio_pci\n");
      expect([readFileSync(inside, "utf8"), existsSync(calls)]).toEqual(["vfio\n", false]);

      const made = await doctor("--yes", "--json");
      const backup = `${FILE}.omni-backup-1`;
      expect(DOCUMENT.parse(JSON.parse(made.stdout))).toEqual({
        hosts: [
          {
            machine: "prime",
            verdict: expect.any(String),
            findings: [
              {
                check: "cards.early-binding",
                state: "ok",
                seen: "vfio, vfio_iommu_type1, vfio_pci are loaded at every boot",
              },
            ],
          },
        ],
        fixes: [
          {
            check: "cards.early-binding",
            done: true,
            changes: [{ message: `written, the old one is ${backup}` }, { message: "done" }],
          },
        ],
      });
      expect(made.code).toBe(0);
      expect(readFileSync(inside, "utf8").split("\n").slice(-4)).toEqual([
        "vfio",
        "vfio_iommu_type1",
        "vfio_pci",
        "",
      ]);
      expect(statSync(inside).mode & 0o777).toBe(0o644);
      expect(readFileSync(`${inside}.omni-backup-1`, "utf8")).toBe("vfio\n");
      expect(readFileSync(calls, "utf8")).toBe("-a vfio vfio_iommu_type1 vfio_pci\n");
      expect(existsSync(backup), "of this machine").toBe(false);
      expect((readEvents(state, { latest: 10 }) ?? []).map(({ kind }) => kind)).toContain("doctor.fixed");
    });
  },
);
