import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GIB, MIB } from "../../src/core/index.ts";
import { askNvidiaSmi } from "../../src/inventory/nvidia-smi.ts";
import { PATIENT, CARD, SECOND_CARD, testBoard } from "./simulated.ts";

let place = testBoard();
beforeEach(() => {
  place = testBoard();
});
afterEach(() => place.close());

const smi = (...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> =>
  new Promise((resolve) => {
    const child = execFile(place.board.nvidiaSmi, args, (_error, stdout) =>
      resolve({ code: child.exitCode ?? -1, stdout }),
    );
  });

test("Omni's inventory reads the cards as real ones", async () => {
  place.board.hold(CARD, 10 * GIB);
  const { gpus, problems, driver, cuda } = await askNvidiaSmi(place.board.nvidiaSmi, { timeout: 20_000 });
  expect(problems).toEqual([]);
  expect([driver, cuda]).toEqual(["580.95.05", "13.0"]);
  expect(gpus).toHaveLength(2);
  expect(gpus[0]).toMatchObject({
    uuid: CARD,
    index: 0,
    name: "NVIDIA GeForce RTX 5090",
    pci: "0000:01:00.0",
    memoryTotal: 32 * GIB,
    memoryUsed: 10 * GIB,
    memoryReserved: GIB,
    computeCapability: "12.0",
    link: { generation: 5, lanes: 16 },
  });
  expect(gpus[1]).toMatchObject({ uuid: SECOND_CARD, memoryUsed: 0, temperature: 34 });
});

test("an unknown field rejects the whole query, in the real words", async () => {
  expect(await smi("--query-gpu=index,brightness", "--format=csv")).toEqual({
    code: 2,
    stdout: `Field "brightness" is not a valid field to query.\n\n`,
  });
});

test("a lost card is a sentence in its place, and the others are told", async () => {
  place.board.lose(CARD);
  const { code, stdout } = await smi("--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits");
  expect(code).toBe(15);
  expect(stdout.split("\n")).toEqual([
    "Unable to determine the device handle for GPU0: 0000:01:00.0: GPU is lost.  Reboot the system to recover this GPU",
    `1, ${SECOND_CARD}, 32768`,
    "",
  ]);
  const { gpus } = await askNvidiaSmi(place.board.nvidiaSmi, { timeout: 20_000 });
  expect(gpus.map(({ uuid }) => uuid)).toEqual([SECOND_CARD]);
});

test("processes, headers, units, one card of several, the list and the table", async () => {
  const { board } = place;
  board.hold(CARD, 3 * GIB, { name: "vllm" });
  board.overheat(SECOND_CARD, 95);
  const apps = smi("--query-compute-apps=gpu_uuid,pid,used_memory", "--format=csv,noheader,nounits");
  const hot = smi(
    `--id=${SECOND_CARD}`,
    "--query-gpu=temperature.gpu,clocks_event_reasons.active,memory.used",
    "--format=csv",
  );
  expect((await apps).stdout).toBe(`${CARD}, ${process.pid}, ${(3 * GIB) / MIB}\n`);
  expect((await hot).stdout).toBe(
    "temperature.gpu, clocks_event_reasons.active, memory.used [MiB]\n95, 0x0000000000000040, 0 MiB\n",
  );
  expect((await smi("-L")).stdout).toContain(`GPU 0: NVIDIA GeForce RTX 5090 (UUID: ${CARD})`);
  expect((await smi()).stdout).toContain("(simulated by Omni)");
  expect((await smi("--reset")).code).toBe(2);
});

test("a loop tells what changes until it is ended", async () => {
  const { board } = place;
  const child = spawn(board.nvidiaSmi, [
    "--query-gpu=index,memory.used",
    "--format=csv,noheader,nounits",
    "-lms",
    "30",
  ]);
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  try {
    await expect.poll(() => text, PATIENT).toContain("0, 0\n1, 0\n");
    board.hold(SECOND_CARD, GIB);
    await expect.poll(() => text, PATIENT).toContain("0, 0\n1, 1024\n");
  } finally {
    child.kill();
    await once(child, "exit");
  }
});
