/**
 * A parent to be killed: supervises one service in the state folder given until it dies, and prints the process
 * number of the engine and the lines of its log once it is ready. Arguments: state folder, service as JSON, milliseconds
 * that engines outlive it.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { PlannedService } from "../../src/plan/plan.ts";
import { createProcessRuntime } from "../../src/runtimes/index.ts";
import { openStore } from "../../src/store/index.ts";
import { createSupervisor } from "../../src/supervisor/index.ts";
import { fakePlan } from "./fake-driver.ts";
import { fakeDriverOf, fakeLauncher } from "./fake-launcher.ts";

const [stateFolder = "", service = "", adoptionGrace = "500"] = process.argv.slice(2);
const planned: PlannedService = JSON.parse(service);
const { events } = openStore(stateFolder);
const runtime = createProcessRuntime({ stateFolder, adoptionGrace: Number(adoptionGrace) });
const supervisor = createSupervisor({
  plan: fakePlan([planned]),
  launcher: fakeLauncher,
  driverOf: fakeDriverOf,
  runtimeOf: () => runtime,
  events,
});
await supervisor.start();
await supervisor.whenReady(planned.name, 50_000, new AbortController().signal);
const logs = join(stateFolder, "logs");
const grandchildren = readdirSync(logs)
  .flatMap((name) => readFileSync(join(logs, name), "utf8").split("\n"))
  .flatMap((line) => /^grandchild (\d+)$/.exec(line)?.[1] ?? [])
  .map(Number);
const [view] = supervisor.services();
process.stdout.write(`${JSON.stringify({ engine: view?.pid ?? 0, state: view?.state, grandchildren })}\n`);
