import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GIB } from "../../src/core/index.ts";
import { catalogGpu, observeMachine } from "../../src/inventory/index.ts";
import { addCard, addNvidiaSmi, addProcessor, fakeMachine } from "../fakes/fake-machine.ts";
import type { FakeMachine } from "../fakes/fake-machine.ts";

let machine: FakeMachine;
beforeEach(() => {
  machine = fakeMachine();
  addProcessor(machine, { model: "x", sockets: 1, coresPerSocket: 4, nodesPerSocket: 1, gibPerNode: 120 });
  addCard(machine, { pci: "0000:01:00.0", id: "10de:2684", driver: "nvidia" });
});
afterEach(() => machine.remove());

const observe = async (nvidiaSmi: string, timeout = 20_000) => {
  const { gpus, driver, notes } = await observeMachine({ root: machine.root, nvidiaSmi, timeout });
  return { gpus, driver, notes: notes.map((note) => note.message) };
};

const script = (text: string): string => machine.program("nvidia-smi", `#!/bin/sh\n${text}\n`);

const CARD = {
  index: "0",
  uuid: "GPU-f4f210c1-5a52-7267-979e-fe922961190a",
  name: "NVIDIA GeForce RTX 4090",
  "pci.bus_id": "00000000:01:00.0",
  "memory.total": "24564",
} as const;

describe("nvidia-smi that answers", () => {
  it.each([["[N/A]"], ["[Not Supported]"], ["[Unknown Error]"], ["N/A"], ["ERR!"], ["[GPU requires reset]"]])(
    "%s is no value and no fault",
    async (nothing) => {
      const answers = { "power.draw": nothing, "memory.used": nothing, "temperature.gpu": nothing };
      const { gpus, notes } = await observe(addNvidiaSmi(machine, { cards: [{ ...CARD, ...answers }] }));
      expect(notes).toEqual([]);
      expect(gpus).toEqual([
        {
          name: "NVIDIA GeForce RTX 4090",
          vendor: "nvidia",
          uuid: CARD.uuid,
          pci: "0000:01:00.0",
          pciId: "10de:2684",
          index: 0,
          memoryTotal: 24_564 * 2 ** 20,
          link: { generation: 5, lanes: 16 },
          kernelDriver: "nvidia",
        },
      ]);
    },
  );

  it.each(["1e300", "0x7fff", "-5", "Infinity", "99999999999999999999", "24564 MiB"])(
    "%j is no amount of memory",
    async (amount) => {
      const { gpus } = await observe(addNvidiaSmi(machine, { cards: [{ ...CARD, "memory.total": amount }] }));
      expect(gpus.map(({ uuid, memoryTotal }) => [uuid, memoryTotal])).toEqual([[CARD.uuid, undefined]]);
    },
  );

  it("a card that is listed twice is one card, and its name has an end", async () => {
    const card = { ...CARD, name: "N".repeat(5000) };
    const { gpus } = await observe(addNvidiaSmi(machine, { cards: [card, card] }));
    expect(gpus.map(({ name }) => name.length)).toEqual([120]);
  });

  it("a card that shares the machine's memory has that much", async () => {
    const gb10 = { ...CARD, name: "NVIDIA GB10", "pci.bus_id": "0000000F:01:00.0", "memory.total": "[N/A]" };
    const { gpus } = await observe(addNvidiaSmi(machine, { cards: [gb10] }));
    const seen = gpus.find((gpu) => gpu.pci === "000f:01:00.0");
    expect(seen).toMatchObject({ memoryTotal: 120 * GIB, memoryUsed: GIB });
    expect(seen === undefined ? undefined : catalogGpu(seen)?.name).toBe("GB10");
  });

  it("a card that is [N/A] throughout still has the name of its PCI id", async () => {
    const { gpus, notes } = await observe(addNvidiaSmi(machine, { cards: [{}] }));
    expect(gpus.map((gpu) => gpu.name)).toEqual(["RTX 4090"]);
    expect(gpus[0]?.memoryTotal).toBeUndefined();
    expect(notes[0]).toContain("[N/A]");
  });

  it("fields that an old driver does not know are left out, one after the other", async () => {
    const unknown = ["compute_cap", "memory.reserved", "pcie.link.gen.max"];
    const { gpus, notes } = await observe(addNvidiaSmi(machine, { cards: [CARD], unknown }));
    expect(gpus[0]).toMatchObject({ uuid: CARD.uuid, memoryTotal: 24_564 * 2 ** 20 });
    expect(notes).toEqual([]);
  });

  it("a refusal that names no field leaves the essential ones", async () => {
    const path = script(
      `case "$1" in *power*) echo 'Invalid query'; exit 2;; --query*) echo '0, ${CARD.uuid}, X, 00000000:01:00.0, 24564, 5';; esac`,
    );
    expect((await observe(path)).gpus[0]).toMatchObject({ name: "X", memoryTotal: 24_564 * 2 ** 20 });
  });

  it("CUDA and the driver, from the banner of either generation", async () => {
    const cards = [{ ...CARD, driver_version: "550.54.14" }];
    const banner = "| NVIDIA-SMI 550.54.14   Driver Version: 550.54.14   CUDA Version: 12.4 |";
    expect((await observe(addNvidiaSmi(machine, { cards, banner }))).driver).toEqual({
      version: "550.54.14",
      cuda: "12.4",
    });
  });
});

describe("nvidia-smi that fails", () => {
  const seenByTheBus = [
    {
      name: "RTX 4090",
      vendor: "nvidia",
      pci: "0000:01:00.0",
      pciId: "10de:2684",
      link: { generation: 5, lanes: 16 },
      kernelDriver: "nvidia",
    },
  ];

  it.each([
    [
      "without a driver",
      `echo "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."; exit 9`,
      "couldn't communicate with the NVIDIA driver",
    ],
    ["without devices", `echo "No devices were found"; exit 6`, "No devices were found"],
    ["silently", "exit 255", "ended with code 255"],
    ["empty", "exit 0", "printed no card"],
    [
      "with garbage",
      `printf '\\033[2J\\t\\377\\376\\001,,,\\n\\342\\200\\256evil\\n0, 1, 2\\n'; head -c 5000 /dev/zero`,
      "nvidia-smi",
    ],
    ["by a signal", "kill -SEGV $$", "ended with code null"],
    ["with endless output", "yes 'a, b, c'", "printed more than 1048576 bytes"],
  ])("%s: the card is known by the bus, and the note says why", async (_, text, words) => {
    const { gpus, notes } = await observe(script(text));
    expect(gpus).toEqual(seenByTheBus);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(words);
    expect(notes[0]?.length).toBeLessThan(500);
    // oxlint-disable-next-line no-control-regex -- the point is that none gets through
    expect(notes[0]).not.toMatch(/[\u0000-\u001F\u202E]/);
  });

  it("one card that fell off the bus does not hide the other", async () => {
    addCard(machine, { pci: "0000:02:00.0", id: "10de:2204", driver: "nvidia" });
    const lost =
      "Unable to determine the device handle for GPU1: 0000:02:00.0: GPU is lost.  Reboot the system";
    const path = script(
      `case "$1" in --query*) echo '0, ${CARD.uuid}, A, 00000000:01:00.0, 0x268410DE, 8.9, 1.0, 24564, 1, 2, 3, 4, 4, 16'; echo '${lost}'; exit 15;; esac`,
    );
    const { gpus, notes } = await observe(path);
    expect(gpus.map((gpu) => gpu.uuid)).toEqual([CARD.uuid, undefined]);
    expect(notes[0]).toContain("GPU is lost");
  });

  it("hanging: it and what it started are killed at the limit, even when the pipe stays open", async () => {
    const pids = `${machine.root}pids`;
    const path = script(`trap '' TERM; sleep 300 & echo $$ $! > ${pids}; sleep 300`);
    const started = performance.now();
    const { gpus, notes } = await observe(path, 700);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(gpus).toEqual(seenByTheBus);
    expect(notes[0]).toContain("did not answer within 0.7 s and was killed");
    expect(existsSync(pids)).toBe(true);
    for (const pid of readFileSync(pids, "utf8").trim().split(" ")) await expectDead(Number(pid));
  });

  it("hanging while the caller gives up: ends at once", async () => {
    const path = script("sleep 300");
    const seen = await observeMachine({
      root: machine.root,
      nvidiaSmi: path,
      signal: AbortSignal.timeout(200),
    });
    expect(seen.gpus).toEqual(seenByTheBus);
    expect(seen.notes[0]?.message).toContain("was stopped");
  });

  it("not executable: said, and no crash", async () => {
    machine.files({ "bin/nvidia-smi": "#!/bin/sh\n" });
    const { gpus, notes } = await observe(`${machine.root}bin/nvidia-smi`);
    expect(gpus).toEqual(seenByTheBus);
    expect(notes[0]).toContain("EACCES");
  });
});

/** A killed process stays in the table until its parent has noticed. */
async function expectDead(pid: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const state = /^State:\s+(\S)/m.exec(statusOf(pid))?.[1];
    if (state === undefined || state === "Z") return;
    await new Promise((wake) => setTimeout(wake, 25));
  }
  expect.fail(`${pid} still lives`);
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
