import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePlan } from "../../src/cli/make-plan.ts";
import { locateSpec } from "../../src/cli/node-spec.ts";
import type { LocalAddress } from "../../src/core/index.ts";
import { GIB } from "../../src/core/index.ts";
import { deploy } from "../../src/deployment/index.ts";
import { findEngineDriver } from "../../src/engines/drivers/find-engine-driver.ts";
import type { LaunchSpec } from "../../src/engines/engine.ts";
import type { PlannedService } from "../../src/plan/plan.ts";
import { createProcessRuntime } from "../../src/runtimes/index.ts";
import { boardCards, createBoard, simulatedLaunch } from "../../src/simulation/index.ts";
import { PATIENT, freePort, send } from "./simulated.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "omni-launch-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const launchOf = (
  service: PlannedService,
  command: readonly [string, ...string[]],
  address: LocalAddress,
): LaunchSpec => ({
  service: service.name,
  command,
  environment: { LLAMA_ARG_LOG_VERBOSITY: "4" },
  address,
  loadTimeout: 60_000,
  digest: `of ${service.name}`,
});

describe.each(["concrete-bunker.fixed", "omni-prime.fixed", "leviathan.fixed", "ai-factory.fixed"])(
  "%s",
  (name) => {
    test("runs whole on simulated cards: each engine takes its command line and finds its memory as planned", async () => {
      const { plan, services } = await deployed(name);
      const cards = boardCards(plan);
      const board = createBoard({ folder: join(folder, "board"), cards });
      const uuids = Object.fromEntries(cards.map(({ device, uuid }) => [device, uuid]));
      const runtime = createProcessRuntime({ stateFolder: join(folder, "state") });
      for (const service of plan.services) {
        const kind = service.engine.kind ?? "";
        const command = services.get(service.name) ?? ["none"];
        const address = { kind: "tcp", host: "127.0.0.1", port: await freePort() } as const;
        const about = { kind, service, uuids, pace: 0.002, tokensPerSecond: 2000 };
        const unit = await runtime.start(simulatedLaunch(launchOf(service, command, address), about, board));
        const path =
          findEngineDriver(kind)?.healthPathOf?.({ servedName: service.name }) ??
          findEngineDriver(kind)?.healthPath ??
          "/";
        await expect
          .poll(
            async () =>
              (await send(address, "GET", path).catch(() => undefined))?.status ?? unit.lastLines().at(-1),
            PATIENT,
          )
          .toBe(200);
        // ComfyUI takes nothing before the first workflow.
        for (const { device, total, capacity } of kind === "comfyui" ? [] : cardsOf(service)) {
          const used = board.used(uuids[device] ?? "");
          expect(Math.abs(used - total)).toBeLessThan(0.4 * GIB);
          expect(used).toBeLessThanOrEqual(capacity);
        }
        const took = findEngineDriver(kind)?.readTook(unit.lastLines()).devices ?? [];
        const weights = new Set(cardsOf(service).map(({ weights }) => Math.round(weights / GIB)));
        for (const { weights: said = 0 } of took.filter(({ device }) => /cuda/i.test(device)))
          expect(weights).toContain(Math.round(said / GIB));
        await unit.stop(5000);
      }
      await runtime.close();
      expect(cards.every(({ uuid }) => board.used(uuid) === 0)).toBe(true);
    });
  },
);

const cardsOf = ({ memory }: PlannedService): PlannedService["memory"] =>
  memory.filter(({ device }) => device !== "cpu");

async function deployed(name: string) {
  const located = await locateSpec(join(EXAMPLES, `${name}.yaml`), undefined);
  const plan = await makePlan(located, { online: false });
  const { services } = deploy({ spec: located.spec, plan, typed: located.typed, omniVersion: "1.2.3" });
  return { plan, services: new Map(services.map(({ name, start }) => [name, start?.command])) };
}

test("cards have the spec's UUIDs or stable ones, and programs see of them what the plan counts with", () => {
  const device = { machine: "m", headroom: 0, entries: [], free: 0 };
  const ledger = [
    { ...device, device: "a", kind: "gpu", label: "RTX 5090", capacity: 31 * GIB },
    { ...device, device: "b", kind: "gpu", label: "Card of tomorrow", capacity: 7 * GIB },
    { ...device, device: "cpu", kind: "memory", label: "", capacity: 64 * GIB },
  ] as const;
  const named = { devices: ["a", "cpu"], uuids: ["GPU-1"] };
  const [first, second, ...rest] = boardCards({ ledger, services: [named] });
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ uuid: "GPU-1", index: 0, pci: "0000:01:00.0", computeCapability: "12.0" });
  expect((first?.memoryTotal ?? 0) - (first?.reserved ?? 0)).toBe(31 * GIB);
  expect(second).toMatchObject({ memoryTotal: 7 * GIB, reserved: 0, index: 1, pci: "0000:02:00.0" });
  expect(second?.uuid).toMatch(/^GPU-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(boardCards({ ledger, services: [] })[1]?.uuid).toBe(second?.uuid);
});
