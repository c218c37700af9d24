import { messageOf } from "../../core/index.ts";
import { startLongLived } from "../long-lived.ts";
import { openRecordFile } from "./record-file.ts";
import type { RecordLog } from "./record-file.ts";
import { readKernelLine } from "./xid-line.ts";
import type { KernelWord } from "./xid-line.ts";

/** The kernel's log as far as cards are concerned, from the moment it was opened. */
export interface KernelLog extends RecordLog {
  /** Why it tells less than it should, with what to do; `undefined` when all is well. */
  note(): string | undefined;
}

const DEVICE = "/dev/kmsg";
/** Milliseconds until a reader of the journal that ended is started again. */
const AGAIN = 60_000;

/**
 * Opens the kernel's log: the device, or where this process may not read it the journal; or the file that is named.
 * Throws nothing: what is lost, and how to allow it, stands in `note`.
 */
export function openKernelLog(path: string, onWord: (word: KernelWord) => void): KernelLog {
  const onLine = (line: string): void => {
    const word = readKernelLine(line);
    if (word !== undefined) onWord(word);
  };
  if (path !== "auto") {
    try {
      return { ...openRecordFile(path, onLine), note: () => undefined };
    } catch (thrown) {
      return path === DEVICE ? closed(refusal(messageOf(thrown))) : waitForFile(path, onLine);
    }
  }
  try {
    return { ...openRecordFile(DEVICE, onLine), note: () => undefined };
  } catch (thrown) {
    return followJournal(onLine, refusal(messageOf(thrown)));
  }
}

const refusal = (why: string): string =>
  `The kernel's log cannot be read (${why}), so that Xids are known only where NVML tells them and without the kernel's ` +
  "words. To allow it: AmbientCapabilities=CAP_SYSLOG in the unit, or sysctl kernel.dmesg_restrict=0 and read access to /dev/kmsg.";

const closed = (note: string): KernelLog => ({ read: () => {}, close: () => {}, note: () => note });

/** A file that is not there yet is followed from its beginning once it is. */
function waitForFile(path: string, onLine: (line: string) => void): KernelLog {
  let log: RecordLog | undefined;
  const open = (): void => {
    try {
      log = openRecordFile(path, onLine, "beginning");
    } catch {
      // Not yet.
    }
  };
  return {
    read(): void {
      if (log === undefined) open();
      log?.read();
    },
    close: () => log?.close(),
    note: () => (log === undefined ? `${path}, where the kernel's log should be, is not there.` : undefined),
  };
}

/** `journalctl` for those who may read the journal and not the device: members of adm or systemd-journal. */
function followJournal(onLine: (line: string) => void, refused: string): KernelLog {
  let note: string | undefined;
  let startAt = Infinity;
  const begin = (): { stop(): void } =>
    startLongLived("journalctl", ["--dmesg", "--follow", "--lines=0", "--output=cat", "--no-pager"], {
      onLine(line): void {
        // It says so, and then follows a journal that has none of the kernel's messages.
        if (/insufficient permissions|not seeing messages from other users/i.test(line)) note = refused;
        else onLine(line);
      },
      onEnd(_why, absent): void {
        note = refused;
        startAt = absent ? Infinity : performance.now() + AGAIN;
      },
    });
  let running = begin();
  return {
    read(): void {
      if (performance.now() < startAt) return;
      startAt = Infinity;
      note = undefined;
      running = begin();
    },
    close(): void {
      startAt = Infinity;
      running.stop();
    },
    note: () => note,
  };
}
