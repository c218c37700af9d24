import { StringDecoder } from "node:string_decoder";

/** What a stream said: its beginning and its end, and how many bytes between them are not kept. */
export interface KeptOutput {
  readonly head: Buffer;
  readonly tail: Buffer;
  readonly leftOut: number;
}

/** Keeps the first and the last half of `most` bytes of a stream, whatever passes. */
export function boundedOutput(most: number): { add(chunk: Buffer): void; kept(): KeptOutput } {
  const half = Math.ceil(most / 2);
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let leftOut = 0;
  const shorten = (): void => {
    const joined = Buffer.concat(tail);
    const kept = joined.subarray(Math.max(0, joined.length - (most - half)));
    leftOut += joined.length - kept.length;
    tail = [kept];
    tailBytes = kept.length;
  };
  return {
    add: (chunk) => {
      const first = chunk.subarray(0, half - headBytes);
      head.push(first);
      headBytes += first.length;
      if (first.length === chunk.length) return;
      tail.push(chunk.subarray(first.length));
      tailBytes += chunk.length - first.length;
      // Twice the bound before it is cut, so that small pieces are not copied again and again.
      if (tailBytes > most + 65_536) shorten();
    },
    kept: () => {
      shorten();
      return { head: Buffer.concat(head), tail: Buffer.concat(tail), leftOut };
    },
  };
}

/** Kept output as text; a line says where how much is missing, and no character is cut in two. */
export function textOf({ head, tail, leftOut }: KeptOutput): string {
  if (leftOut === 0) return Buffer.concat([head, tail]).toString("utf8");
  let start = 0;
  // Bytes 10xxxxxx continue a character whose beginning is gone.
  while (start < tail.length && ((tail[start] ?? 0) & 0xc0) === 0x80) start += 1;
  const whole = new StringDecoder("utf8").write(head);
  return `${whole}\n[${leftOut} bytes left out]\n${tail.toString("utf8", start)}`;
}
