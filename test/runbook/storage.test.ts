import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { storageSteps } from "../../src/runbook/steps/storage/index.ts";
import type { Step } from "../../src/runbook/step.ts";
import { digest, has, loopDisks, loopsWork, tool, untouched, uuidOf } from "../fakes/loop-disk.ts";
import type { LoopDisks } from "../fakes/loop-disk.ts";
import { runbookInput } from "../fakes/runbook-input.ts";
import { CutOff, memoryContext, takeStep } from "../fakes/step-context.ts";
import type { MemoryContext, MemoryJournal } from "../fakes/step-context.ts";

let disks: LoopDisks;

beforeEach(() => void (disks = loopDisks()));
afterEach(() => disks.remove());

const DISK = { serial: "MINE", size: "320MiB", filesystem: "xfs", format: "if-blank", prepare: "host" };

/** The steps of a spec whose metal has the disk `nvme`. */
async function stepsOf(disk: object, more: object = {}): Promise<readonly Step[]> {
  const spec = { omni: 1, metal: { disks: { nvme: { ...DISK, mount: disks.mount, ...disk } } }, ...more };
  return storageSteps(await runbookInput(JSON.stringify(spec), { workFolder: disks.folder }));
}
async function stepOf(disk: object = {}, more: object = {}): Promise<Step> {
  const [step] = await stepsOf(disk, more);
  if (step === undefined) throw new Error("the spec has no step for its disk");
  return step;
}
const context = (options: { journal?: MemoryJournal; cutAt?: number } = {}): MemoryContext =>
  memoryContext({ hosts: { "": disks.host() }, ...options });
const AGREED = ["format:MINE"];

describe.skipIf(!loopsWork())("disk steps on loop devices (needs root, losetup, mkfs.xfs, blkid)", () => {
  it("formats a blank disk once, mounts it, and finds all of it there the second time", async () => {
    const mine = disks.make("MINE");
    const step = await stepOf();
    const first = context();
    const found = await takeStep(step, first, AGREED);
    expect(found).toMatchObject({ done: true });
    expect(found.done ? found.evidence : []).toEqual([
      `${mine.device} (serial MINE, 320.00 MiB)`,
      `xfs, label omni-nvme, UUID ${uuidOf(mine)}`,
      expect.stringContaining(`mounted at ${disks.mount} for writing`),
      `fstab: UUID=${uuidOf(mine)} ${disks.mount} xfs noatime,nofail 0 0`,
    ]);
    const [made, fstab] = [uuidOf(mine), readFileSync(disks.fstab, "utf8")];
    const second = context();
    expect(await takeStep(step, second)).toMatchObject({ done: true });
    expect(second.writes).toBe(0);
    expect([uuidOf(mine), readFileSync(disks.fstab, "utf8")]).toEqual([made, fstab]);
  });

  it("asks for a consent for this very disk, and formats nothing without it", async () => {
    const mine = disks.make("MINE");
    const step = await stepOf();
    expect(await step.consent?.(context())).toEqual({
      token: "format:MINE",
      text: `${mine.device} (serial MINE, 320.00 MiB) of omni, which is blank, would get xfs with the label omni-nvme and be mounted at ${disks.mount}.`,
    });
    for (const agreed of [[], ["format:OTHER"]])
      await expect(takeStep(step, context(), agreed)).rejects.toMatchObject({
        code: "runbook.consent",
        exitCode: 3,
      });
    expect(untouched(mine)).toBe(true);
  });

  it("asks for none where nothing would be formatted", async () => {
    const mine = disks.make("MINE");
    tool("mkfs.xfs", "-q", mine.device);
    const made = uuidOf(mine);
    expect(await takeStep(await stepOf(), context())).toMatchObject({ done: true });
    expect(uuidOf(mine)).toBe(made);
  });

  it.each([
    ["another serial", { serial: "READ-ME" }, /0 disks have serial 'READ-ME'[^]*/],
    ["another size", { size: "4TB" }, /the spec says 4000000000000/],
    ["format: never", { format: "never" }, /format is never/],
  ])("refuses %s with what was found, and writes nothing", async (_, disk, text) => {
    const mine = disks.make("MINE");
    const step = await stepOf(disk);
    expect(await step.verify(context())).toMatchObject({
      done: false,
      missing: expect.stringMatching(/MINE|4000000000000/),
    });
    const refused = takeStep(step, context(), AGREED);
    await expect(refused).rejects.toMatchObject({ code: "disk.refused", exitCode: 3 });
    await expect(refused).rejects.toThrow(text);
    expect(untouched(mine)).toBe(true);
  });

  it("refuses two disks of one serial and a disk with a signature, byte for byte as they were", async () => {
    const mine = disks.make("MINE");
    tool("mkfs.ext4", "-q", "-L", "photos", mine.device);
    const before = digest(mine);
    await expect(takeStep(await stepOf(), context(), AGREED)).rejects.toThrow(
      /carries something else than xfs: .*photos/,
    );
    expect(digest(mine)).toBe(before);
    const twin = disks.make("MINE");
    await expect(takeStep(await stepOf(), context(), AGREED)).rejects.toThrow(/2 disks have serial 'MINE'/);
    expect(untouched(twin)).toBe(true);
    expect(disks.mounts()).toBe("");
  });

  it("refuses a mount point with files of the system disk", async () => {
    const mine = disks.make("MINE");
    mkdirSync(disks.mount);
    writeFileSync(join(disks.mount, "model.gguf"), "kept");
    await expect(takeStep(await stepOf(), context(), AGREED)).rejects.toThrow(
      /a folder with files.*model\.gguf/,
    );
    expect(untouched(mine)).toBe(true);
  });

  it(
    "cut off at every journal write: the next run goes on, and mkfs is done once",
    { timeout: 120_000 },
    async () => {
      for (let cutAt = 1; ; cutAt++) {
        disks.remove();
        disks = loopDisks();
        const mine = disks.make("MINE");
        const step = await stepOf();
        const first = context({ cutAt });
        const cut = await takeStep(step, first, AGREED).catch((thrown: unknown) => thrown);
        if (!(cut instanceof CutOff)) break;
        const made = uuidOf(mine);
        const second = context({ journal: first.journal });
        expect(await takeStep(step, second, AGREED)).toMatchObject({ done: true });
        expect(made === "" || uuidOf(mine) === made).toBe(true);
        expect(readFileSync(disks.fstab, "utf8").match(/^UUID=/gm)).toHaveLength(1);
        expect(cutAt).toBeLessThan(10);
      }
      expect(disks.mounts()).not.toBe("");
    },
  );

  it("goes on between mount and fstab, and after a reboot that lost the mount", async () => {
    const mine = disks.make("MINE");
    const step = await stepOf();
    await takeStep(step, context(), AGREED);
    const made = uuidOf(mine);
    writeFileSync(disks.fstab, "# emptied\n");
    expect(await step.verify(context())).toMatchObject({
      done: false,
      missing: expect.stringContaining("fstab"),
    });
    expect(await takeStep(step, context())).toMatchObject({ done: true });
    tool("umount", disks.mount);
    expect(await step.verify(context())).toMatchObject({
      done: false,
      missing: expect.stringContaining("not mounted"),
    });
    expect(await takeStep(step, context())).toMatchObject({ done: true });
    expect(uuidOf(mine)).toBe(made);
  });

  it("says with its arithmetic that the models do not fit, before anything is made", async () => {
    const mine = disks.make("MINE");
    const text = JSON.stringify({ omni: 1, metal: { disks: { nvme: { ...DISK, mount: disks.mount } } } });
    const input = await runbookInput(text, { workFolder: disks.folder });
    const models = [
      { name: "big", path: join(disks.mount, "big"), disk: "nvme", sizeBytes: 300 << 20 },
      { name: "small", path: join(disks.mount, "small"), disk: "nvme", sizeBytes: 20 << 20 },
      { name: "elsewhere", path: "/srv/elsewhere", sizeBytes: 2 ** 40 },
    ];
    const [step] = storageSteps({ ...input, deployment: { ...input.deployment, models } });
    if (step === undefined) throw new Error("the spec has no step for its disk");
    const refused = takeStep(step, context(), AGREED);
    await expect(refused).rejects.toMatchObject({ code: "disk.no-space", exitCode: 1 });
    await expect(refused).rejects.toThrow(
      "big 300.00 MiB + small 20.00 MiB, to come: 320.00 MiB; free are 310.40 MiB",
    );
    expect(untouched(mine)).toBe(true);
  });

  it("is content with what the owner mounted where the spec leaves it to the owner", async () => {
    disks.make("MINE");
    const at = { serial: "OTHER", format: "never", prepare: undefined };
    expect(await (await stepOf(at)).verify(context())).toMatchObject({ done: false });
    mkdirSync(disks.mount);
    tool("mount", "-t", "tmpfs", "none", disks.mount);
    expect(await (await stepOf(at)).verify(context())).toMatchObject({
      done: true,
      evidence: [`none (tmpfs) is mounted at ${disks.mount} by its owner, for writing`],
    });
  });
});

describe("which disks have a step", () => {
  it("host and user-volume have one; pod, the system's own and those behind a guest have none", async () => {
    const ids = async (disk: object, more: object = {}): Promise<readonly string[]> =>
      (await stepsOf(disk, more)).map(({ id }) => id);
    const guest = { guest: { address: "192.168.3.2", talos: { version: "1.12.1" } } };
    expect(await ids({})).toEqual(["disk/nvme"]);
    expect(await ids({ prepare: "user-volume", mount: "/var/mnt/data" }, guest)).toEqual(["disk/nvme"]);
    expect(await ids({ prepare: "pod" }, guest)).toEqual([]);
    expect(await ids({ prepare: undefined }, guest)).toEqual([]);
    expect(await ids({ prepare: undefined })).toEqual(["disk/nvme"]);
    expect(await ids({ prepare: undefined, role: "system" })).toEqual([]);
    expect(await ids({ mount: "/" })).toEqual([]);
  });

  it("two machines with a disk of one name have a step each", async () => {
    const disk = (serial: string) => ({ disks: { nvme: { ...DISK, serial, mount: "/srv/models" } } });
    const text = JSON.stringify({
      omni: 1,
      machines: { a: { ...disk("A"), ssh: "root@a" }, b: { ...disk("B"), ssh: "root@b" } },
    });
    const steps = storageSteps(await runbookInput(text, { workFolder: disks.folder }));
    expect(steps.map(({ id, needs }) => [id, ...needs])).toEqual([
      ["disk/a-nvme", "host/a"],
      ["disk/b-nvme", "host/b"],
    ]);
    expect(steps[0]?.preview).toContain("/etc/fstab: UUID=… /srv/models xfs noatime,nofail");
  });
});

describe("a Talos user volume", () => {
  const guest = {
    guest: { address: "192.168.3.2", talos: { version: "1.12.1", userVolumes: { data: { disk: "nvme" } } } },
  };
  const talosStep = () => stepOf({ prepare: "user-volume", mount: "/var/mnt/data" }, guest);

  /** A talosctl that notes how it was called and answers with a file. */
  function talosctl(answers: readonly string[]): MemoryContext {
    const bin = join(disks.folder, "bin");
    mkdirSync(bin, { recursive: true });
    for (const [index, answer] of answers.entries())
      writeFileSync(join(disks.folder, `answer-${index + 1}`), answer);
    const program = `#!/bin/sh
echo "$*" >>"${disks.folder}/asked"
n=$(wc -l <"${disks.folder}/asked")
[ -e "${disks.folder}/answer-$n" ] || n=${answers.length}
if grep -q '^error' "${disks.folder}/answer-$n"; then cat "${disks.folder}/answer-$n" >&2; exit 1; fi
cat "${disks.folder}/answer-$n"
`;
    writeFileSync(join(bin, "talosctl"), program);
    chmodSync(join(bin, "talosctl"), 0o755);
    return memoryContext({ hosts: { "": disks.host({ PATH: `${bin}:/usr/bin:/bin` }) } });
  }
  const status = (spec: object): string =>
    JSON.stringify({ node: "192.168.3.2", metadata: { id: "u-data" }, spec });

  it("is there when Talos says that it is ready", async () => {
    const ready = talosctl([status({ phase: "ready", location: "/dev/nvme0n1p1", filesystem: "xfs" })]);
    expect(await takeStep(await talosStep(), ready)).toEqual({
      done: true,
      evidence: ["192.168.3.2: volume data is ready on /dev/nvme0n1p1 (xfs), at /var/mnt/data"],
    });
    expect(readFileSync(join(disks.folder, "asked"), "utf8")).toBe(
      "--nodes 192.168.3.2 --endpoints 192.168.3.2 get volumestatus u-data -o json\n",
    );
  });

  it("is waited for while Talos makes it", async () => {
    const waiting = status({ phase: "waiting" });
    const later = talosctl([
      "error: NotFound",
      waiting,
      waiting,
      status({ phase: "ready", filesystem: "xfs" }),
    ]);
    expect(await takeStep(await talosStep(), later)).toMatchObject({ done: true });
    expect(later.progressed.map(({ text }) => text)).toEqual(["192.168.3.2: waiting"]);
  });

  it("is refused where Talos refuses the disk, and where there is no talosctl", async () => {
    const failed = talosctl([
      status({ phase: "failed", errorMessage: "filesystem type mismatch: ext4 != xfs" }),
    ]);
    await expect(takeStep(await talosStep(), failed)).rejects.toMatchObject({
      code: "disk.refused",
      message: expect.stringContaining("ext4 != xfs"),
    });
    const without = memoryContext({ hosts: { "": disks.host({ PATH: join(disks.folder, "none") }) } });
    expect(await (await talosStep()).verify(without)).toMatchObject({
      done: false,
      missing: expect.stringContaining("talosctl"),
    });
    await expect(takeStep(await talosStep(), without)).rejects.toMatchObject({
      code: "disk.not-talos",
      exitCode: 3,
    });
  });
});

it.skipIf(!has("losetup"))("leaves no loop device behind (needs losetup)", () => {
  disks.make("MINE");
  const { folder } = disks;
  disks.remove();
  expect(tool("losetup", "-a")).not.toContain(folder);
  disks = loopDisks();
});
