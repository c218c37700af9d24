import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bindCards, findCards, observeCards, openSwitch, restoreCards } from "../../../src/host/gpu/index.ts";
import { FACTS } from "../../../src/host/gpu/facts-script.ts";
import { PUT_BACK } from "../../../src/host/gpu/put-back-script.ts";
import { switchProgram } from "../../../src/render/proxmox/gpu-switch/index.ts";
import { openSwitches } from "../../../src/store/index.ts";
import type { SwitchTable } from "../../../src/store/index.ts";
import type { FakeSysfs } from "../../fakes/fake-sysfs.ts";
import { FakeSysfs as Sysfs } from "../../fakes/fake-sysfs.ts";
import {
  BIG,
  drivers,
  installed,
  ON_HOST,
  ON_VFIO,
  SMALL,
  twoCards,
} from "../../render/gpu-switch/omni-prime-host.ts";
import { CARDS, hostOver, UUID, withFacts } from "./host-over-sysfs.ts";
import type { SysfsHost } from "./host-over-sysfs.ts";

let fake: FakeSysfs;
let state: string;
let book: SwitchTable;
let said: string;

beforeEach(async () => {
  fake = await twoCards();
  withFacts(fake);
  state = mkdtempSync(join(tmpdir(), "omni-switches-"));
  book = openSwitches(state);
  said = "";
});

afterEach(() => {
  book.close();
  fake.remove();
  rmSync(state, { recursive: true, force: true });
});

const request = (host: SysfsHost = hostOver(fake)) => ({
  host,
  cards: CARDS,
  book,
  consent: { yes: false, tokens: [] as readonly string[] },
  dryRun: false,
  told: (_: string, text: string): void => void (said += text),
  order: ["audio", "video"] as const,
});
const bind = (to: "vfio" | "nvidia", more: object = {}) => bindCards({ ...request(), to, ...more });
const records = async () => book.of("omni-prime", (await observeCards(hostOver(fake), CARDS)).boot);

/** Every file, link and folder of the built tree with its content. */
const tree = (): string =>
  execFileSync("sh", [
    "-c",
    'find "$0" -printf "%p %y %l %T@\\n" | sort; find "$0" -type f -exec sha256sum {} + | sort',
    fake.root,
  ])
    .toString()
    .replaceAll(/\d+\.\d{10}/g, "");

it("finds all NVIDIA cards on the bus, whatever driver has them", async () => {
  expect(await findCards(hostOver(fake))).toMatchObject([
    { slot: SMALL, audio: true, name: expect.stringContaining("rtx-5090") },
    { slot: BIG, audio: true },
  ]);
  const empty = await Sysfs.make();
  expect(await findCards(hostOver(empty))).toEqual([]);
  empty.remove();
});

it("shows drivers, group, siblings, power, reset methods, NUMA node, UUID and users", async () => {
  fake.add("0000:f1:01.0", { vendor: "0x1022", class: "0x010802", group: 1, driver: "nouveau" });
  fake.process(700, "python3", "S", ["nvidia1", "nvidiactl"]);
  const { cards, lock } = await observeCards(hostOver(fake), CARDS);
  expect(lock).toBeUndefined();
  expect(cards[0]).toMatchObject({ name: "blackwell", slot: BIG, uuid: UUID, usersUnknown: false });
  expect(cards[0]?.functions.find(({ address }) => address === `${BIG}.0`)).toEqual({
    address: `${BIG}.0`,
    present: true,
    driver: "nvidia",
    override: "",
    iommuGroup: "1",
    powerState: "D0",
    resetMethods: ["flr", "bus"],
    numaNode: "1",
    bootVga: false,
    siblings: [{ address: "0000:f1:01.0", driver: "nouveau" }],
  });
  expect(cards[0]?.users).toEqual([
    { pid: 700, program: "python3", file: join(fake.dev, "nvidia1"), kind: "own" },
    { pid: 700, program: "python3", file: join(fake.dev, "nvidiactl"), kind: "control" },
  ]);
  expect(cards[1]?.users.map(({ kind }) => kind)).toEqual(["control"]);
});

it("moves cards to vfio-pci and records what was there before and after; restore brings it back", async () => {
  const { changed } = await bind("vfio");
  expect(changed).toBe(true);
  expect(drivers(fake)).toEqual(ON_VFIO);
  const [record] = await records();
  expect(record).toMatchObject({ action: "vfio", outcome: "done" });
  expect(record?.before.map(({ driver }) => driver)).toEqual(ON_HOST);
  expect(record?.after?.map(({ driver, override }) => `${driver} ${override}`)).toEqual(
    Array.from({ length: 4 }, () => "vfio-pci vfio-pci"),
  );
  const back = await restoreCards(request());
  expect(back).toMatchObject({ changed: true, undone: { action: "vfio" } });
  expect(drivers(fake)).toEqual(ON_HOST);
  expect(fake.read(`${BIG}.0`, "driver_override")).toBe("");
  expect(await restoreCards(request())).toMatchObject({ changed: false });
  expect(readdirSync(fake.run)).toEqual([]);
});

it("restores to what was there and not to what is usual: a card of a VM that was lent to the host", async () => {
  fake.remove();
  fake = await Sysfs.make();
  fake.card(BIG, 1, "vfio-pci");
  fake.card(SMALL, 2, "host");
  withFacts(fake);
  await bind("nvidia");
  expect(drivers(fake)).toEqual(ON_HOST);
  await restoreCards(request());
  expect(drivers(fake)).toEqual(["vfio-pci", "vfio-pci", "snd_hda_intel", "nvidia"]);
  expect(fake.read(`${BIG}.0`, "driver_override")).toBe("vfio-pci");
});

it("undoes one switch after the other, the last one first", async () => {
  await bind("vfio", { cards: CARDS.slice(0, 1) });
  await bind("vfio", { cards: CARDS.slice(1) });
  expect(drivers(fake)).toEqual(ON_VFIO);
  await restoreCards(request());
  expect(drivers(fake)).toEqual(["vfio-pci", "vfio-pci", "snd_hda_intel", "nvidia"]);
  await restoreCards(request());
  expect(drivers(fake)).toEqual(ON_HOST);
});

it("a switch that is killed between two functions is unfinished, stands in the way of another, and is undone", async () => {
  const killed = hostOver(fake, (out, kill) => {
    if (out.includes(`${BIG}.1: bound to vfio-pci`)) kill();
  });
  // The death of this process as well: nothing is written after it.
  const silent: SwitchTable = { ...book, end: () => undefined };
  await expect(bindCards({ ...request(killed), book: silent, to: "vfio" })).rejects.toMatchObject({
    code: "gpu.failed",
  });
  expect(fake.driverOf(`${BIG}.1`)).toBe("vfio-pci");
  expect(drivers(fake)).not.toEqual(ON_VFIO);
  const seen = await observeCards(hostOver(fake), CARDS);
  expect(seen.lock?.state).toBe("dead");
  expect(openSwitch(book.of("omni-prime", seen.boot))).toMatchObject({ action: "vfio" });

  await expect(bind("vfio")).rejects.toMatchObject({ code: "gpu.unfinished", exitCode: 3 });
  await restoreCards(request());
  expect(drivers(fake)).toEqual(ON_HOST);
  expect(said).toContain("cleared the lock of an earlier run");
  expect(openSwitch(await records())).toBeUndefined();
  expect(readdirSync(fake.run)).toEqual([]);
  await bind("vfio");
  expect(drivers(fake)).toEqual(ON_VFIO);
});

it("a restore that is killed half-way is finished by the next one", async () => {
  await bind("vfio");
  const killed = hostOver(fake, (out, kill) => {
    if (/bound to (?:nvidia|snd_hda_intel), as before/.test(out)) kill();
  });
  await expect(restoreCards(request(killed))).rejects.toMatchObject({ code: "gpu.failed" });
  expect(drivers(fake)).not.toEqual(ON_HOST);
  await restoreCards(request());
  expect(drivers(fake)).toEqual(ON_HOST);
  expect(await restoreCards(request())).toMatchObject({ changed: false });
});

it("after a reboot there is nothing to restore and nothing unfinished", async () => {
  await bind("vfio");
  writeFileSync(join(fake.proc, "sys/kernel/random/boot_id"), "b0070000-0000-4000-8000-000000000002\n");
  const result = await restoreCards(request());
  expect(result.undone).toBeUndefined();
  expect(drivers(fake)).toEqual(ON_VFIO);
});

it("a card in use is refused with its PIDs, whatever is agreed to, and nothing moves", async () => {
  fake.process(700, "python3", "S", ["nvidia1"]);
  const consent = { yes: true, tokens: [`unbind:${UUID}`] };
  await expect(bind("vfio", { consent })).rejects.toMatchObject({ code: "gpu.refused", exitCode: 3 });
  expect(said).toContain("PID 700 (python3) holds");
  expect(drivers(fake)).toEqual(ON_HOST);
  expect(fake.writes).toEqual([]);
  expect((await records())[0]).toMatchObject({ outcome: "refused" });
  expect(await restoreCards(request())).toMatchObject({ changed: false });
});

it("the card that the firmware booted with needs --yes and its very address or UUID", async () => {
  writeFileSync(fake.at(`${BIG}.0`, "boot_vga"), "1\n");
  const missing = await bind("vfio").catch((thrown: unknown) => thrown);
  expect(missing).toMatchObject({
    code: "gpu.consent",
    exitCode: 3,
    hint: `If that is meant: add --yes --consent unbind:${UUID}`,
  });
  for (const consent of [
    { yes: true, tokens: [] },
    { yes: false, tokens: [`unbind:${UUID}`] },
    { yes: true, tokens: [`unbind:${SMALL}`] },
  ])
    await expect(bind("vfio", { consent })).rejects.toMatchObject({ code: "gpu.consent" });
  expect(fake.writes).toEqual([]);
  await bind("vfio", { consent: { yes: true, tokens: [`unbind:${BIG}.0`] } });
  expect(drivers(fake)).toEqual(ON_VFIO);
});

it("nvidia-persistenced is stopped only with consent", async () => {
  fake.process(300, "nvidia-persiste", "S", ["nvidiactl", "nvidia1"]);
  fake.command("systemctl", `[ "$1" != stop ] || rm -r "${fake.proc}/300"`);
  await expect(bind("vfio")).rejects.toMatchObject({ code: "gpu.consent" });
  const tokens = [`unbind:${UUID}`, `unbind:${SMALL}`];
  await bind("vfio", { consent: { yes: true, tokens } });
  expect(said).toContain("stopping nvidia-persistenced");
  expect(drivers(fake)).toEqual(ON_VFIO);
});

it("a stranger in the IOMMU group is refused by name", async () => {
  fake.add("0000:f1:01.0", { vendor: "0x1022", class: "0x010802", group: 1, driver: "nouveau" });
  await expect(bind("vfio")).rejects.toMatchObject({ code: "gpu.refused" });
  expect(said).toContain("also has 0000:f1:01.0");
  expect(fake.writes).toEqual([]);
});

it("a dry run says what would be done and leaves tree and record as they are", async () => {
  const before = tree();
  const database = statSync(join(state, "omni.db")).size;
  await bind("vfio", { dryRun: true });
  expect(said).toContain(`would move ${BIG}.0 (blackwell) from nvidia to vfio-pci`);
  expect(tree()).toBe(before);
  expect(await records()).toEqual([]);
  expect(statSync(join(state, "omni.db")).size).toBe(database);
  await bind("vfio");
  const bound = tree();
  said = "";
  await restoreCards({ ...request(), dryRun: true });
  expect(said).toContain(`would put ${BIG}.0 back to nvidia`);
  expect(tree()).toBe(bound);
});

it("of two switches at once one moves the cards and the other is refused", async () => {
  const second = openSwitches(state);
  const settled = await Promise.allSettled([bind("vfio"), bind("vfio", { book: second })]);
  second.close();
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(settled.flatMap((one) => (one.status === "rejected" ? [String(one.reason.exitCode)] : []))).toEqual([
    "3",
  ]);
  expect(drivers(fake)).toEqual(ON_VFIO);
  await restoreCards(request());
  expect(drivers(fake)).toEqual(ON_HOST);
});

it("refuses to restore to a driver that is not loaded any more", async () => {
  await bind("vfio");
  rmSync(join(fake.sys, "bus/pci/drivers/nvidia"), { recursive: true });
  await expect(restoreCards(request())).rejects.toMatchObject({ code: "gpu.refused" });
  expect(said).toContain("that driver is not loaded any more");
  expect(said).toContain("modprobe nvidia");
  expect(drivers(fake)).toEqual(ON_VFIO);
});

it("says which function it could not bring back, brings back the others, and can be asked again", async () => {
  fake.remove();
  fake = await Sysfs.make();
  fake.card(BIG, 1, "vfio-pci");
  fake.card(SMALL, 2, "vfio-pci");
  withFacts(fake);
  await bind("nvidia");
  fake.bindFails.add(`${BIG}.0`);
  fake.probeGives.set(`${BIG}.0`, [""]);
  await expect(restoreCards(request())).rejects.toMatchObject({ code: "gpu.failed", exitCode: 1 });
  expect(said).toContain(`${BIG}.0 of blackwell could not be put back to vfio-pci`);
  expect(drivers(fake)).toEqual(["vfio-pci", undefined, "vfio-pci", "vfio-pci"]);
  fake.bindFails.clear();
  await restoreCards(request());
  expect(drivers(fake)).toEqual(ON_VFIO);
});

it("the record holds no more than states of functions", async () => {
  await bind("vfio");
  book.close();
  expect(readFileSync(join(state, "omni.db")).includes("omni-prime")).toBe(true);
  book = openSwitches(state);
  const [record] = await records();
  expect(Object.keys(record?.before[0] ?? {}).toSorted()).toEqual(["address", "driver", "override"]);
});

it.skipIf(!installed("shellcheck"))("the scripts pass shellcheck (needs shellcheck)", () => {
  const cards = { cards: CARDS, withoutAddress: [] };
  for (const end of [FACTS, PUT_BACK])
    expect(
      execFileSync("shellcheck", ["-s", "sh", "-S", "style", "-"], {
        input: switchProgram(cards, ["audio", "video"], end),
      }).toString(),
    ).toBe("");
});
