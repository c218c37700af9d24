/**
 * An Omni to be killed: adopts what an earlier one left in the state folder, or starts one engine there, prints a line of
 * JSON about it once it is ready, and waits. Arguments: module of a contract's subject, state folder, grace in ms,
 * behaviour as JSON.
 */
import { z } from "zod";
import type { RuntimeSubject } from "../contract/runtime-subject.ts";
import { eventually } from "./alive.ts";
import { ask } from "./ask.ts";

const [module = "", stateFolder = "", grace = "", behaviour = "{}"] = process.argv.slice(2);
const { subject }: { readonly subject: RuntimeSubject } = await import(module);
const runtime = subject.make(stateFolder, Number(grace));
const [survivor] = await runtime.survivors();
const unit = await (survivor?.adopt() ?? start());
let ready = false;
await eventually("the engine is ready", () => {
  if (!ready)
    void ask(unit.address, subject.healthPath ?? "/health").then((status) => (ready ||= status === 200));
  return ready;
});
const { id, pid, adopted, digest, address } = unit;
const processes = await unit.processes();
process.stdout.write(
  `${JSON.stringify({ id, pid, adopted, digest, address, processes, lines: unit.lastLines() })}\n`,
);
setInterval(() => {}, 60_000);

async function start() {
  return runtime.start(
    await subject.launch(runtime, "oracle", z.record(z.string(), z.json()).parse(JSON.parse(behaviour))),
  );
}
