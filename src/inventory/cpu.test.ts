import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { chooseThreads, observeCpu, parseCpuList } from "./cpu.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A root folder with these files. */
function machine(files: Readonly<Record<string, string>>): string {
  const root = `${mkdtempSync(join(tmpdir(), "omni-cpu-"))}/`;
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(root + path), { recursive: true });
    writeFileSync(root + path, text);
  }
  return root;
}

const topology = (cpu: number, core: number, socket = 0): Record<string, string> => ({
  [`sys/devices/system/cpu/cpu${cpu}/topology/core_id`]: `${core}\n`,
  [`sys/devices/system/cpu/cpu${cpu}/topology/physical_package_id`]: `${socket}\n`,
});

const FOUR_CORES_EIGHT_THREADS = {
  "proc/self/status": "Name:\tnode\nCpus_allowed_list:\t0-7\n",
  ...Object.assign({}, ...[0, 1, 2, 3].flatMap((core) => [topology(core, core), topology(core + 4, core)])),
};

test("hyperthreads of one core count once", () => {
  expect(observeCpu(machine(FOUR_CORES_EIGHT_THREADS))).toMatchObject({
    logical: 8,
    physical: 4,
    quota: undefined,
  });
});

test("only cores of the affinity mask count", () => {
  const status = { "proc/self/status": "Cpus_allowed_list:\t0,4,1\n" };
  expect(observeCpu(machine({ ...FOUR_CORES_EIGHT_THREADS, ...status }))).toMatchObject({
    logical: 3,
    physical: 2,
  });
});

test("the tightest cgroup v2 quota of all ancestors wins", () => {
  const root = machine({
    ...FOUR_CORES_EIGHT_THREADS,
    "proc/self/cgroup": "0::/box/engine\n",
    "sys/fs/cgroup/box/engine/cpu.max": "max 100000\n",
    "sys/fs/cgroup/box/cpu.max": "250000 100000\n",
  });
  expect(observeCpu(root).quota).toBe(2.5);
});

const legacyQuota = (quota: string): Record<string, string> => ({
  "proc/self/cgroup": "4:cpu,cpuacct:/docker/abc\n",
  "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": `${quota}\n`,
  "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
});

test("a cgroup v1 quota is read, and -1 means none", () => {
  expect(observeCpu(machine(legacyQuota("150000"))).quota).toBe(1.5);
  expect(observeCpu(machine(legacyQuota("-1"))).quota).toBeUndefined();
});

test("parses the kernel's list format", () => {
  expect(parseCpuList("0-3,8,10-11")).toEqual([0, 1, 2, 3, 8, 10, 11]);
});

const GIB = 2 ** 30;
test.each([
  ["a toy model gets one thread however many cores there are", 32, undefined, 7e6, 1],
  ["a large model gets all physical cores but one", 16, undefined, 8 * GIB, 15],
  ["two cores leave one", 2, undefined, 8 * GIB, 1],
  ["one core is one thread", 1, undefined, 8 * GIB, 1],
  ["a quota is never exceeded", 16, 4, 8 * GIB, 3],
  ["a quota below one core is one thread", 16, 0.5, 8 * GIB, 1],
  ["a fraction of a core is not a core", 16, 3.9, 8 * GIB, 2],
])("%s", (_, physical, quota, bytes, threads) => {
  const choice = chooseThreads({ model: "x", logical: physical * 2, physical, quota }, bytes);
  expect(choice.threads).toBe(threads);
});

test("the machine of this test is read", () => {
  const cpu = observeCpu();
  expect(cpu.physical).toBeGreaterThanOrEqual(1);
  expect(cpu.logical).toBeGreaterThanOrEqual(cpu.physical);
});
