import type { IncomingMessage } from "node:http";

/** Collects a request body; one chunk is passed on as it came. `tooLarge` is called at once, and nothing is kept then. */
export function readBody(
  req: IncomingMessage,
  limit: number,
  then: (body: Buffer) => void,
  tooLarge: () => void,
): void {
  if (Number(req.headers["content-length"] ?? 0) > limit) {
    tooLarge();
    return;
  }
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let size = 0;
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size > limit) {
      req.off("data", onData).off("end", onEnd);
      first = rest = undefined;
      tooLarge();
    } else if (first === undefined) first = chunk;
    else (rest ??= [first]).push(chunk);
  };
  const onEnd = (): void => then(rest === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(rest, size));
  req.on("data", onData).on("end", onEnd);
}
