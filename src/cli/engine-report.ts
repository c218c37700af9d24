import type { BinaryReport, DeviceCode, ImageReport } from "../binaries/index.ts";
import { GPUS } from "../catalog/index.ts";
import { formatBytes, formatCudaArchitecture, parseComputeCapability, runsOn } from "../core/index.ts";
import type { CudaArchitecture } from "../core/index.ts";
import { table } from "./terminal.ts";
import type { Terminal } from "./terminal.ts";

/** Cards of one compute capability, and how code of a list starts on them. */
interface ServedCards {
  readonly computeCapability: string;
  /** `ptx`: the driver compiles it when it is first started, which takes minutes for a large library. */
  readonly by: "machine code" | "ptx" | "nothing";
  /** Entries of the list that start there. */
  readonly architectures: readonly string[];
  readonly cards: readonly string[];
}

/** The cards of the catalog by compute capability, newest first, against a list of architectures. */
function servedCards(list: readonly CudaArchitecture[]): readonly ServedCards[] {
  const capabilities = [...new Set(GPUS.map((gpu) => gpu.computeCapability))];
  return capabilities
    .toSorted((a, b) => Number(b) - Number(a))
    .flatMap((computeCapability) => {
      const device = parseComputeCapability(computeCapability);
      if (device === undefined) return [];
      const starting = list.filter((entry) => runsOn(entry, device));
      const cubins = starting.filter((entry) => entry.form === "cubin");
      const cards = GPUS.filter((gpu) => gpu.computeCapability === computeCapability).map(({ name }) => name);
      return [
        {
          computeCapability,
          by: cubins.length > 0 ? "machine code" : starting.length > 0 ? "ptx" : "nothing",
          architectures: (cubins.length > 0 ? cubins : starting).map(formatCudaArchitecture),
          cards,
        } as const,
      ];
    });
}

const codeDocument = (code: DeviceCode): object => ({
  architectures: code.architectures.map(formatCudaArchitecture),
  fatBinaries: code.containers,
  holding: code.holding,
  cards: servedCards(code.architectures),
});

/** The report of a file as programs read it. */
export const binaryDocument = (report: BinaryReport): object => ({
  file: report.path,
  bytes: report.bytes,
  ...codeDocument(report),
});

/** The report of an image as programs read it. */
export const imageDocument = (report: ImageReport): object => ({
  ...report,
  ...(report.declared === undefined ? {} : { declared: report.declared.map(formatCudaArchitecture) }),
  ...(report.binaries === undefined
    ? {}
    : {
        binaries: report.binaries.map((binary) => ({
          path: binary.path,
          bytes: binary.bytes,
          ...codeDocument(binary),
        })),
      }),
});

export function reportBinary(report: BinaryReport, terminal: Terminal): void {
  terminal.out(`${terminal.style("bold", report.path)}  ${formatBytes(report.bytes)}`);
  if (report.containers === 0) {
    terminal.out("It carries no CUDA code.");
    return;
  }
  terminal.out(codeLines(report));
  terminal.out("");
  reportCards(report.architectures, terminal);
}

/** Machine code and PTX on a line each; an architecture that only some of the fat binaries hold says how many. */
function codeLines(code: DeviceCode): string {
  const line = (form: CudaArchitecture["form"]): string =>
    code.architectures
      .filter((entry) => entry.form === form)
      .map((entry) => {
        const name = formatCudaArchitecture(entry);
        const holding = code.holding[name] ?? 0;
        return holding === code.containers ? name : `${name} (${holding} of ${code.containers})`;
      })
      .join(", ") || "none";
  return table([
    ["machine code", line("cubin")],
    ["PTX", line("ptx")],
  ]);
}

function reportCards(list: readonly CudaArchitecture[], terminal: Terminal): void {
  const { style } = terminal;
  const verdict = {
    "machine code": "runs",
    ptx: "compiles PTX at first start",
    nothing: "does not run",
  } as const;
  const colour = { "machine code": "green", ptx: "yellow", nothing: "red" } as const;
  const rows = servedCards(list).map((served) => [
    served.computeCapability,
    style(colour[served.by], verdict[served.by]),
    served.architectures.join(", "),
    shortened(served.cards),
  ]);
  terminal.out(table([["CARD", "", "BY", "FOR EXAMPLE"].map((cell) => style("dim", cell)), ...rows]));
}

const shortened = (cards: readonly string[]): string =>
  cards.length <= 3 ? cards.join(", ") : `${cards.slice(0, 3).join(", ")} and ${cards.length - 3} more`;

export function reportImage(report: ImageReport, terminal: Terminal): void {
  const { style } = terminal;
  terminal.out(`${style("bold", report.image)}  ${report.platform}`);
  const size =
    report.uncompressedBytes === undefined ? "" : `, ${formatBytes(report.uncompressedBytes)} unpacked`;
  const rows: string[][] = [
    ["digest", report.digest],
    ["size", `${formatBytes(report.compressedBytes)} in ${report.layers.length} layers${size}`],
  ];
  if (report.created !== undefined) rows.push(["created", report.created]);
  if (report.cuda !== undefined) rows.push(["CUDA", report.cuda]);
  if (report.driverCuda !== undefined) rows.push(["driver", `speaks CUDA ${report.driverCuda} or later`]);
  for (const [key, value] of Object.entries(report.labels).slice(0, 12)) rows.push([key, printable(value)]);
  for (const [key, value] of Object.entries(report.environment)) rows.push([key, printable(value)]);
  terminal.out(table(rows));
  if (report.binaries === undefined) {
    if (report.declared !== undefined) {
      terminal.out("\nBy its TORCH_CUDA_ARCH_LIST, which speaks for what was built with PyTorch alone:");
      reportCards(report.declared, terminal);
    }
    terminal.out(style("dim", "\nAdd --layers to read its binaries."));
    return;
  }
  reportBinaries(report.binaries, terminal);
}

/** Binaries of a folder or an image, and how many of them start on which card. */
export function reportBinaries(
  binaries: readonly (DeviceCode & { readonly path: string; readonly bytes: number })[],
  terminal: Terminal,
): void {
  if (binaries.length === 0) {
    terminal.out("\nNone of its binaries carries CUDA code.");
    return;
  }
  terminal.out("");
  for (const binary of binaries) {
    terminal.out(`${terminal.style("bold", printable(binary.path))}  ${formatBytes(binary.bytes)}`);
    terminal.out(codeLines(binary));
  }
  terminal.out("\nA card needs every library that its model uses. Binaries that start on it:");
  const rows = servedCards([]).map(({ computeCapability, cards }) => {
    const starting = binaries.filter((binary) =>
      servedCards(binary.architectures).some(
        (served) => served.computeCapability === computeCapability && served.by !== "nothing",
      ),
    );
    return [computeCapability, `${starting.length} of ${binaries.length}`, shortened(cards)];
  });
  terminal.out(table(rows));
}

/** What stands in an image was written by somebody else: no control characters reach the terminal. */
const printable = (text: string): string => {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}]/gu, " ");
  return clean.length > 120 ? `${clean.slice(0, 119)}…` : clean;
};
