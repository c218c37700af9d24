import { OmniError } from "../core/index.ts";

/** Throws `OmniError` `model.truncated` unless `length` bytes from `offset` lie within `size`. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > size) throw pastTheEnd(name, size, offset, length);
}

/** The error for bytes that a source does not have. */
export const pastTheEnd = (name: string, size: number, offset: number, length: number): OmniError =>
  new OmniError(
    "model.truncated",
    `${name} ends after ${size} bytes; bytes ${offset} to ${offset + length} were to be read.`,
  );
