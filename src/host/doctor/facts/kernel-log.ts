import { readText } from "../../../inventory/cgroup.ts";
import { oncePerView } from "./once-per-view.ts";

export interface KernelLogLine {
  readonly text: string;
  /** Milliseconds since the epoch, where the log tells. */
  readonly at?: number;
  /** Written since the machine was started. */
  readonly thisBoot: boolean;
}

/** Lines of the kernel's log that speak of cards, resets or the IOMMU; or why nobody may read it. */
export type KernelLog =
  | { readonly readable: true; readonly lines: readonly KernelLogLine[]; readonly from: "journal" | "dmesg" }
  | { readonly readable: false; readonly why: string };

/** Words of interest; journalctl filters by them on the host, so that no megabytes travel. */
const WORDS =
  "NVRM: Xid|fallen off the bus|not ready .*after|AMD-Vi: Unknown option|1:1 IOMMU mapping|SVM disabled|VMX .*disabled|unknown parameter";
const OF_INTEREST = new RegExp(WORDS);

const JOURNAL = [
  "journalctl",
  "--no-pager",
  "--quiet",
  "--output=short-unix",
  "--since=-14days",
  "_TRANSPORT=kernel",
  `--grep=${WORDS}`,
] as const;

/** Asks the journal for two weeks, earlier boots included; where there is none, the kernel's own buffer. Throws nothing. */
export const readKernelLog = oncePerView(async (view): Promise<KernelLog> => {
  const journal = await view.said(JOURNAL, 20_000);
  // It ends with 1 when nothing matches, and with 0 and a warning when it may see nothing.
  const blind = /insufficient permissions|not seeing messages|no journal files|not supported|Failed/i;
  if (journal.ended && (journal.code === 0 || journal.code === 1) && !blind.test(journal.stderr)) {
    const started = startOf(view.root);
    const lines = linesOf(journal.stdout).map((text) => journalLine(text, started));
    return { readable: true, from: "journal", lines };
  }
  const dmesg = await view.said(["dmesg"], 20_000);
  if (dmesg.ended && dmesg.code === 0) {
    const lines = linesOf(dmesg.stdout).filter((line) => OF_INTEREST.test(line));
    return { readable: true, from: "dmesg", lines: lines.map((text) => ({ text, thisBoot: true })) };
  }
  return { readable: false, why: dmesg.ended ? dmesg.stderr.trim() || "dmesg failed" : dmesg.message };
});

const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

/** Milliseconds since the epoch at which the machine was started. */
const startOf = (root: string): number =>
  Number(/^btime (\d+)$/m.exec(readText(`${root}proc/stat`))?.[1] ?? 0) * 1000;

/** `1767220000.123456 pve kernel: NVRM: Xid …`. */
function journalLine(text: string, started: number): KernelLogLine {
  const match = /^(\d{6,}(?:\.\d+)?) \S+ kernel: (.*)$/.exec(text);
  if (match === null) return { text, thisBoot: true };
  const at = Math.round(Number(match[1]) * 1000);
  return { text: match[2] ?? "", at, thisBoot: at >= started };
}
