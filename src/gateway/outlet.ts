/** Where an answer goes: a client's connection (`ServerResponse` fits), or one who asked from inside. */
export interface Outlet {
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  /** Its events are read: none may be larger than the limit, which for those that are passed on by the byte does not matter. */
  readonly readsEvents?: boolean;
  /** `headers` are flat name and value pairs. */
  writeHead(status: number, headers: string[]): unknown;
  /** False when the reader is behind; `drain` tells when it caught up. */
  write(bytes: Buffer | string): boolean;
  /** Writes a copy of the bytes from `from` to `end`, where the outlet has to copy them anyway. */
  writePart?(bytes: Buffer, from: number, end: number): boolean;
  end(bytes?: Buffer | string): unknown;
  /** Breaks it off, so that what was sent is not taken for the whole. */
  destroy(): unknown;
  once(event: "close" | "drain", listener: () => void): unknown;
  off(event: "close" | "drain", listener: () => void): unknown;
}
