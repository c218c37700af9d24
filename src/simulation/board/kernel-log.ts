import { appendFileSync, readFileSync } from "node:fs";
import type { BoardCard } from "./board-card.ts";

/** Sentences of the driver by Xid; others are told without one. Source: docs.nvidia.com/deploy/xid-errors. */
const SENTENCES: Readonly<Record<number, string>> = {
  13: "Graphics Exception: ESR 0x404490=0x80000001",
  31: "MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted @ 0x7f_5a000000. Fault is of type FAULT_PDE ACCESS_TYPE_READ",
  43: "Ch 00000008, engmask 00000101",
  45: "Ch 00000008",
  48: "DBE (double bit error) ECC Error",
  74: "NVLink: fatal error detected on link 0",
  79: "GPU has fallen off the bus.",
  94: "Contained: SM (0x1). RST: No, D-RST: No",
  95: "Uncontained: LTC TAG (0x2,0x0). RST: Yes, D-RST: No",
  119: "Timeout after 6s of waiting for RPC response from GPU0 GSP! Expected function 76 (GSP_RM_CONTROL) (0x20800a4c 0x98).",
};

const REBOOT: ReadonlySet<number> = new Set([79, 167]);
const RESET: ReadonlySet<number> = new Set([46, 48, 62, 64, 95, 109, 110, 119, 120, 136, 140, 143, 158]);

/** Microseconds since some start, as the kernel counts them. */
const uptime = (): number => Math.round(performance.timeOrigin * 1000 + performance.now() * 1000) % 1e12;

/**
 * Appends what the driver writes for an Xid to a log in the form of `/dev/kmsg` (`priority,sequence,time,flags;text`):
 * the Xid and, where it asks for more than a restart of the program, Xid 154 with the recovery action.
 */
export function logXid(path: string, card: BoardCard, xid: number, pid?: number): void {
  const bus = card.pci.replace(/\.\d$/, "");
  const who = pid === undefined ? `pid='<unknown>', name=<unknown>` : `pid=${pid}, name=engine`;
  const sentence = SENTENCES[xid];
  const lines = [`NVRM: Xid (PCI:${bus}): ${xid}, ${who}${sentence === undefined ? "" : `, ${sentence}`}`];
  if (xid === 79) lines.push(`NVRM: GPU ${card.pci}: GPU has fallen off the bus.`);
  const action = REBOOT.has(xid)
    ? "0x2 (Node Reboot Required)"
    : RESET.has(xid)
      ? "0x1 (GPU Reset Required)"
      : undefined;
  if (action !== undefined)
    lines.push(`NVRM: Xid (PCI:${bus}): 154, GPU recovery action changed from 0x0 (None) to ${action}`);
  appendToKernelLog(path, lines);
}

/** Appends lines of the kernel with their running numbers. */
function appendToKernelLog(path: string, lines: readonly string[]): void {
  const first = readFileSync(path, "utf8").split("\n").length + 1000;
  appendFileSync(path, lines.map((line, i) => `3,${first + i},${uptime()},-;${line}\n`).join(""));
}
