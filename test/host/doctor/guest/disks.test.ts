import { expect, it } from "vitest";
import { docker, GB, HEALTHY, linux } from "./recordings.ts";
import type { RecordedDisk } from "./recordings.ts";
import { findingsOf, troubleOf, troubles } from "./situation.ts";

const MODELS: RecordedDisk = {
  name: "nvme1n1",
  serial: "S7XXNJ0W123456",
  bytes: 4000 * GB,
  number: "259:5",
};
const MOUNTED: RecordedDisk = { ...MODELS, mount: { path: "/srv/models", filesystem: "xfs" } };
const SPEC = (disk: string): string => `metal: { disks: { models: { ${disk} } } }\nruntime: process\n`;
const WANTED = 'serial: "S7XXNJ0W123456", size: 4TB, filesystem: xfs, mount: /srv/models';
const BLANK = JSON.stringify({ blockdevices: [{ name: "nvme1n1", fstype: null, pttype: null }] });

it("a disk that is the spec's, mounted where it should be, is no word worth", async () => {
  const base = linux(MOUNTED);
  const findings = await findingsOf({
    ...base,
    spec: SPEC(WANTED),
    space: { ...base.space, "/srv/models": { size: 4000 * GB, free: 3000 * GB } },
  });
  expect(troubles(findings)).toEqual([]);
  expect(findings.filter(({ check }) => check === "disks.mounted").map(({ seen }) => seen)).toEqual([
    "xfs on /dev/nvme1n1, 2.73 TiB of 3.64 TiB free",
  ]);
});

it("a serial that no disk has names the disks that are there", async () => {
  const findings = await findingsOf({
    ...linux(MODELS),
    spec: SPEC('serial: "S7XXNJ0W999999"'),
  });
  expect(troubles(findings)).toEqual(["error disks.identity disk models"]);
  const { seen, wanted } = troubleOf(findings, "disks.identity");
  expect(seen).toContain("/dev/nvme1n1 (Samsung SSD 990 PRO, 3.64 TiB, serial S7XXNJ0W123456)");
  expect(wanted).toBe("serial S7XXNJ0W999999");
});

it("a disk of another size is another disk, whatever its serial; 2 % are the makers' counting", async () => {
  const findings = await findingsOf({ ...linux(MODELS), spec: SPEC('serial: "S7XXNJ0W123456", size: 2TB') });
  expect(troubles(findings)).toEqual(["error disks.identity disk models"]);
  expect(troubleOf(findings, "disks.identity").seen).toMatch(/1\.82 TiB larger$/);
  expect(
    troubles(await findingsOf({ ...linux(MODELS), spec: SPEC('serial: "S7XXNJ0W123456", size: 4.05TB') })),
  ).toEqual([]);
});

it("a disk that is named by its kernel name alone is found, with the serial to write instead", async () => {
  const findings = await findingsOf({ ...linux(MODELS), spec: SPEC("device: /dev/nvme1n1") });
  expect(troubles(findings)).toEqual(["warning disks.identity disk models"]);
  expect(troubleOf(findings, "disks.identity").remedy).toBe('serial: "S7XXNJ0W123456"');
});

it("a folder of the system's partition under the path of a mount is told from the mount", async () => {
  const findings = await findingsOf({ ...linux(MODELS), spec: SPEC(WANTED) });
  expect(troubles(findings)).toEqual(["error disks.mounted /srv/models"]);
  expect(troubleOf(findings, "disks.mounted")).toMatchObject({
    seen: "a plain folder of the file system / (558.79 GiB free)",
    wanted: "xfs of the disk models (serial S7XXNJ0W123456)",
    why: "A download would silently fill / under the same path, and the system stops when it is full.",
  });
});

it("another disk under the same path is told, and so is another file system", async () => {
  const other: RecordedDisk = {
    name: "nvme2n1",
    serial: "OTHER",
    bytes: 2000 * GB,
    number: "259:9",
    mount: { path: "/srv/models", filesystem: "xfs" },
  };
  const space = { "/": { size: 1000 * GB, free: 600 * GB }, "/srv/models": { size: 10 * GB, free: GB } };
  const swapped = await findingsOf({ ...linux(MODELS, other), space, spec: SPEC(WANTED) });
  expect(troubles(swapped)).toEqual(["error disks.mounted /srv/models"]);
  expect(troubleOf(swapped, "disks.mounted").seen).toBe("/dev/nvme2n1, not /dev/nvme1n1, is mounted there");
  const ext4: RecordedDisk = { ...MODELS, mount: { path: "/srv/models", filesystem: "ext4" } };
  const made = await findingsOf({ ...linux(ext4), space, spec: SPEC(WANTED) });
  expect(troubles(made)).toEqual(["warning disks.mounted /srv/models"]);
});

it("a disk that may be formatted and carries something is never called blank", async () => {
  const base = linux(MODELS);
  const spec = SPEC('serial: "S7XXNJ0W123456", filesystem: xfs, format: if-blank');
  const lsblk = (answer: unknown) => ({
    ...base,
    spec,
    commands: { ...base.commands, lsblk: JSON.stringify(answer) },
  });
  const partitioned = await findingsOf(
    lsblk({
      blockdevices: [
        {
          name: "nvme1n1",
          fstype: null,
          pttype: "gpt",
          children: [{ name: "nvme1n1p1", fstype: "ntfs", pttype: "gpt" }],
        },
      ],
    }),
  );
  expect(troubles(partitioned)).toEqual(["error disks.blank disk models"]);
  expect(troubleOf(partitioned, "disks.blank")).toMatchObject({
    seen: "/dev/nvme1n1 carries gpt partition table, ntfs on nvme1n1p1",
    why: "Somebody's data may be on it. format: if-blank never formats such a disk.",
  });
  const hidden = await findingsOf({
    ...base,
    spec,
    commands: {
      ...base.commands,
      lsblk: BLANK,
      wipefs: JSON.stringify({ signatures: [{ device: "nvme1n1", offset: "0x218", type: "LVM2_member" }] }),
    },
  });
  expect(troubleOf(hidden, "disks.blank").seen).toBe("/dev/nvme1n1 carries LVM2_member at 0x218");
  const silent = await findingsOf({ ...base, spec });
  expect(troubles(silent)).toEqual(["unknown disks.blank disk models"]);
  const blank = await findingsOf({ ...base, spec, commands: { ...base.commands, lsblk: BLANK, wipefs: "" } });
  expect(troubles(blank)).toEqual([]);
});

it("a system partition that Docker fills is told with Docker's folder", async () => {
  const base = linux();
  const findings = await findingsOf({
    ...base,
    space: { "/": { size: 98 * GB, free: 0.4 * GB } },
    commands: { ...base.commands, docker: docker() },
  });
  expect(troubles(findings)).toEqual(["error disks.root /", "error containers.data-root /var/lib/docker"]);
  const { seen, remedy } = troubleOf(findings, "disks.root");
  expect(seen).toBe(
    "100 % of 91.27 GiB taken, 381.47 MiB free; Docker keeps its images there (/var/lib/docker)",
  );
  expect(remedy).toContain("data-root");
});

it("models of the plan that do not fit are told with the sum", async () => {
  const base = linux(MOUNTED);
  const findings = await findingsOf({
    ...base,
    space: { ...base.space, "/srv/models": { size: 50 * GB, free: 30 * GB } },
    spec: `${SPEC(WANTED)}models:
  big: { source: hf:acme/big-GGUF, family: DeepSeek-R1-Distill-Llama-70B, quantization: Q4_K_M, size: 42GB, store: { disk: models, path: big } }
services:
  chat: { model: big, engine: llama.cpp, devices: cpu }
`,
    commands: { ...base.commands, du: "2000000000\t/srv/models/big\n" },
  });
  expect(troubles(findings)).toEqual(["error disks.room /srv/models"]);
  expect(troubleOf(findings, "disks.room")).toMatchObject({ seen: "27.94 GiB of 46.57 GiB free" });
  expect(troubleOf(findings, "disks.room").wanted).toMatch(/^\d+\.\d\d GiB: model big \d+\.\d\d GiB$/);
});

it("a file system that the kernel turned read-only, one without inodes and a dying disk are told", async () => {
  const broken: RecordedDisk = {
    ...MODELS,
    mount: { path: "/data", filesystem: "ext4", options: "ro,errors=remount-ro" },
  };
  const base = linux(broken);
  const failing = JSON.stringify({
    smart_status: { passed: false },
    nvme_smart_health_information_log: { critical_warning: 4, percentage_used: 101, media_errors: 7 },
  });
  const findings = await findingsOf({
    ...base,
    space: { ...base.space, "/data": { size: 4000 * GB, free: 10 * GB } },
    commands: {
      ...base.commands,
      df: "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/nvme0n1 1000 995 5 99% /\n",
      smartctl: (args) => (args.at(-1) === "/dev/nvme1n1" ? failing : HEALTHY),
    },
  });
  expect(troubles(findings)).toEqual([
    "error disks.read-only /data",
    "error disks.inodes /",
    "error disks.health /dev/nvme1n1 (Samsung SSD 990 PRO)",
    "note containers.docker",
  ]);
  expect(troubleOf(findings, "disks.health").seen).toBe(
    "it reports that it is failing, critical warning 4, 101 % of its writes used, 7 media errors",
  );
});
