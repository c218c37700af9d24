import { formatBytes } from "../../core/index.ts";
import type { Plan } from "../../plan/index.ts";
import type { Terminal } from "../terminal.ts";

const WIDTH = 60;
const TERMS = [
  { term: "weights", label: "weights", cell: "█" },
  { term: "kvCache", label: "KV cache", cell: "▓" },
  { term: "compute", label: "compute", cell: "▒" },
  { term: "overhead", label: "overhead", cell: "░" },
] as const;

type Device = NonNullable<Plan["ledger"]>[number];

/** A bar for every device that holds something or could, filled by service and term, with the numbers under it. */
export function memoryBars(plan: Plan, { style }: Terminal): readonly string[] {
  const lines: string[] = [];
  for (const device of plan.ledger ?? []) {
    if (device.kind === "disk") continue;
    if (device.kind === "memory" && device.entries.length === 0) continue;
    lines.push(...deviceLines(device, plan, style), "");
  }
  const legend = [...TERMS.map(({ label, cell }) => `${cell} ${label}`), "· free"].join("   ");
  return lines.length === 0 ? [] : [...lines, style("dim", legend)];
}

function deviceLines(device: Device, plan: Plan, style: Terminal["style"]): readonly string[] {
  const known = device.capacity > 0;
  const size = known ? formatBytes(device.capacity) : "size not stated";
  const head = `${style("bold", device.device)}  ${device.label}  ${size}`;
  const holders = device.entries.flatMap((entry) => {
    const service = plan.services.find((one) => one.name === entry.service);
    const terms = service?.memory.find((one) => one.device === device.device);
    return terms === undefined ? [] : [{ entry, terms }];
  });
  const rows = holders.map(({ entry, terms }) => {
    const parts = TERMS.filter(({ term }) => terms[term] > 0).map(
      ({ term, label }) => `${label} ${formatBytes(terms[term])}`,
    );
    const turns = entry.swapSet === undefined ? "" : `  by turns (${entry.swapSet})`;
    return `  ${entry.service}: ${formatBytes(terms.total)} = ${parts.join(" + ")}${turns}`;
  });
  const kept = device.headroom > 0 ? `, ${formatBytes(device.headroom)} of it kept free` : "";
  const free = known ? [`  ${style("dim", `free ${formatBytes(device.free)}${kept}`)}`] : [];
  return [head, ...(known ? [`  ${bar(device, holders)}`] : []), ...rows, ...free];
}

interface Holder {
  readonly entry: Device["entries"][number];
  readonly terms: Plan["services"][number]["memory"][number];
}

/** Members of a swap set are there by turns: the largest of them is drawn. */
function bar(device: Device, holders: readonly Holder[]): string {
  const drawn = holders.filter(
    ({ entry, terms }) =>
      entry.swapSet === undefined ||
      terms.total ===
        Math.max(
          ...holders
            .filter((other) => other.entry.swapSet === entry.swapSet)
            .map((other) => other.terms.total),
        ),
  );
  let cells = "";
  let bytes = 0;
  for (const { terms } of drawn)
    for (const { term, cell } of TERMS) {
      bytes += terms[term];
      const end = Math.min(WIDTH, Math.round((bytes / device.capacity) * WIDTH));
      cells += cell.repeat(Math.max(0, end - cells.length));
    }
  return `[${cells.padEnd(WIDTH, "·")}]`;
}
