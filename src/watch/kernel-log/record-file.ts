import { closeSync, constants, fstatSync, openSync, readSync, watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { StringDecoder } from "node:string_decoder";

/** A record of /dev/kmsg fits, a shorter buffer is refused. Source: kernel.org, Documentation/ABI/testing/dev-kmsg. */
const BUFFER = 16_384;
/** Records read in one go: a storm must not keep the node from its work. */
const MOST_RECORDS = 2000;

/** Lines that are added to a log after it was opened. Nothing that was there before is ever told. */
export interface RecordLog {
  /** Tells what has come since the last call; at most some thousand lines. */
  read(): void;
  close(): void;
}

/**
 * Opens the kernel's ring buffer or a plain file that is appended to, at its end, or a file that is new from its
 * beginning. Throws what `open` throws. A device is read when asked to; a file also when it changes.
 */
export function openRecordFile(
  path: string,
  onLine: (line: string) => void,
  from: "beginning" | "end" = "end",
): RecordLog {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return fstatSync(fd).isCharacterDevice() ? followDevice(fd, onLine) : followFile(fd, path, onLine, from);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Node can neither seek nor wait on a device: the old records are read past, new ones are looked for. */
function followDevice(fd: number, onLine: (line: string) => void): RecordLog {
  const buffer = Buffer.alloc(BUFFER);
  let open = true;
  let old = true;
  const records = (): void => {
    for (let n = 0; n < MOST_RECORDS; n++) {
      if (!open) return;
      const record = readRecord(fd, buffer);
      if (record === undefined) {
        old = false;
        return;
      }
      if (!old) onKernelRecord(record, onLine);
    }
    // Old records are passed by without pause, but not without letting others have their turn.
    if (old && open) setImmediate(records);
  };
  records();
  return {
    read: () => {
      if (!old) records();
    },
    close(): void {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** The next record, empty where some were overwritten before they were read; `undefined` when there is none now. */
function readRecord(fd: number, buffer: Buffer): string | undefined {
  try {
    const bytes = readSync(fd, buffer, 0, buffer.length, null);
    return bytes === 0 ? undefined : buffer.toString("utf8", 0, bytes);
  } catch (error) {
    // EPIPE: records were overwritten before they were read; the next read goes on with what is left.
    return error instanceof Error && "code" in error && error.code === "EPIPE" ? "" : undefined;
  }
}

/** `6,1234,5678901,-;message`, then lines about the device. Programs may write here too; their facility is not 0. */
function onKernelRecord(record: string, onLine: (line: string) => void): void {
  const at = record.indexOf(";");
  const priority = Number.parseInt(record, 10);
  if (at === -1 || !(priority < 8)) return;
  onLine(record.slice(at + 1).split("\n", 1)[0] ?? "");
}

function followFile(
  fd: number,
  path: string,
  onLine: (line: string) => void,
  from: "beginning" | "end",
): RecordLog {
  const buffer = Buffer.alloc(BUFFER);
  const decoder = new StringDecoder("utf8");
  let position = from === "end" ? fstatSync(fd).size : 0;
  let rest = "";
  let open = true;
  const read = (): void => {
    if (!open) return;
    // A file that became shorter was emptied.
    if (fstatSync(fd).size < position) position = 0;
    for (let n = 0; n < MOST_RECORDS / 10; n++) {
      const bytes = readSync(fd, buffer, 0, buffer.length, position);
      if (bytes === 0) return;
      position += bytes;
      const lines = (rest + decoder.write(buffer.subarray(0, bytes))).split("\n");
      rest = (lines.pop() ?? "").slice(0, BUFFER);
      for (const line of lines) onLine(line);
    }
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(path, read);
    watcher.on("error", () => {});
  } catch {
    // Without notices (no inotify instances left) it is read when asked to.
  }
  return {
    read,
    close(): void {
      watcher?.close();
      if (open) closeSync(fd);
      open = false;
    },
  };
}
