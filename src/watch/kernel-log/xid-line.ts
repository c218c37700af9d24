import { pciAddressOf } from "../../inventory/pci-address.ts";

/** What a line of the kernel says about a card. */
export type KernelWord =
  | {
      readonly kind: "xid";
      readonly pci: string;
      readonly xid: number;
      readonly text: string;
      readonly pid?: number;
    }
  | { readonly kind: "lost"; readonly pci: string; readonly text: string };

/** `NVRM: Xid (PCI:0000:0a:00): 79, pid=1234, name=python3, GPU has fallen off the bus.` Old drivers leave the pid out. */
const XID = /NVRM: Xid \(PCI:([0-9a-f]{1,8}:[0-9a-f]{2}:[0-9a-f]{2})(?:\.[0-7])?\): (\d{1,4}),?\s*(.*)$/i;
/** `NVRM: GPU 0000:0a:00.0: GPU has fallen off the bus.`, and other wordings with the address before it. */
const FALLEN = /NVRM:.*?\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]).*fallen off the bus/i;

const LONGEST = 400;

/** Reads a line of the kernel's log; `undefined` when it says nothing of a card's fault. */
export function readKernelLine(line: string): KernelWord | undefined {
  if (!line.includes("NVRM:")) return undefined;
  const xid = XID.exec(line);
  if (xid !== null) {
    const pci = pciAddressOf(`${xid[1] ?? ""}.0`);
    const text = tidy(xid[3] ?? "");
    const pid = /\bpid='?(\d{1,9})\b/.exec(text)?.[1];
    return pci === undefined
      ? undefined
      : { kind: "xid", pci, xid: Number(xid[2]), text, ...(pid === undefined ? {} : { pid: Number(pid) }) };
  }
  const fallen = FALLEN.exec(line);
  const pci = pciAddressOf(fallen?.[1] ?? "");
  return pci === undefined
    ? undefined
    : { kind: "lost", pci, text: tidy(line.slice(line.indexOf("NVRM:") + 5)) };
}

/** Names of processes are anybody's text: no control characters, no end of the world. */
const tidy = (text: string): string => text.replaceAll(/\p{C}/gu, " ").trim().slice(0, LONGEST);
