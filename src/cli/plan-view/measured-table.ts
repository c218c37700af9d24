import { formatBytes } from "../../core/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { Measurement } from "../../store/index.ts";
import { table } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

/** What the services of a plan took when they last ran here, beside what was predicted then; nothing where none did. */
export function printMeasured(
  plan: Plan,
  measurements: readonly Measurement[],
  { out, style }: Terminal,
): void {
  const rows = plan.services.flatMap((service) => {
    const kind = service.engine.kind ?? service.engine.name;
    const last = measurements.find(({ model, engine }) => model === service.model.name && engine === kind);
    return (last?.devices ?? []).flatMap(({ device, predicted, took }) => {
      const [before, then] = [predicted.total, took.total];
      if (before === undefined || then === undefined) return [];
      const beyond = then - before;
      const sign = beyond < 0 ? "-" : "+";
      return [
        [
          `  ${style("bold", service.name)}`,
          device,
          formatBytes(before),
          formatBytes(then),
          `${sign}${formatBytes(Math.abs(beyond))}`,
          new Date(last?.time ?? 0).toISOString().slice(0, 16).replace("T", " "),
        ],
      ];
    });
  });
  if (rows.length === 0) return;
  out(style("bold", "MEASURED HERE"));
  out(
    table([
      ["  SERVICE", "ON", "PREDICTED", "TOOK", "", "WHEN (UTC)"].map((head) => style("dim", head)),
      ...rows,
    ]),
  );
  out("");
}
