import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { messageOf, OmniError } from "../core/index.ts";
import { checkRange, pastTheEnd } from "./check-range.ts";

export { openUrl } from "./url-source.ts";

/** Something of known length that can be read anywhere: a file on this machine or one behind a URL. Offsets are bytes. */
export interface ByteSource {
  /** For messages: a path, or a URL without its query and credentials. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`. Throws `OmniError` `model.truncated` when the source is shorter. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Frees the file or the connections; may be called twice. */
  close(): Promise<void>;
}

/** Opens a file of this machine. Throws `OmniError` `model.not-found` when there is none that can be read. */
export async function openFile(path: string): Promise<ByteSource> {
  // Without O_NONBLOCK a named pipe would hold the thread until somebody writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((thrown: unknown) => {
    throw new OmniError("model.not-found", `Cannot open the model file ${path}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  });
  const stat = await file.stat().catch(async (thrown: unknown) => {
    await file.close();
    throw thrown;
  });
  if (!stat.isFile()) {
    await file.close();
    throw new OmniError("model.not-found", `${path} is not a file.`, {
      hint: "Give the path of the model file itself.",
    });
  }
  return {
    name: path,
    size: stat.size,
    read: async (offset, length) => {
      checkRange(path, stat.size, offset, length);
      const bytes = Buffer.alloc(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
        // The file was shortened after it was opened.
        if (bytesRead === 0) throw pastTheEnd(path, offset + filled, offset, length);
        filled += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
