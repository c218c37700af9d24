import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Answers an upgrade to a WebSocket of `protocol` (RFC 6455). */
function accept(request: IncomingMessage, socket: Duplex, protocol: string): void {
  const key = `${request.headers["sec-websocket-key"] ?? ""}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  socket.write(
    [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${createHash("sha1").update(key).digest("base64")}`,
      `Sec-WebSocket-Protocol: ${protocol}`,
      "\r\n",
    ].join("\r\n"),
  );
}

function frame(code: number, payload: Buffer): Buffer {
  const length = payload.length;
  if (length < 126) return Buffer.concat([Buffer.of(0x80 | code, length), payload]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = 0x80 | code;
  head[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** Reads the frames of a client, which are masked. */
function reader(take: (code: number, payload: Buffer) => void): (chunk: Buffer) => void {
  let waiting = Buffer.alloc(0);
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 2) {
      const short = (waiting[1] ?? 0) & 0x7f;
      const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
      const start = 2 + extra + 4;
      if (waiting.length < start) return;
      const length =
        extra === 0 ? short : extra === 2 ? waiting.readUInt16BE(2) : Number(waiting.readBigUInt64BE(2));
      if (waiting.length < start + length) return;
      const mask = waiting.subarray(2 + extra, start);
      const payload = Buffer.from(waiting.subarray(start, start + length));
      for (let i = 0; i < length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
      const code = (waiting[0] ?? 0) & 0x0f;
      waiting = waiting.subarray(start + length);
      take(code, payload);
    }
  };
}

/**
 * Forwards a WebSocket to a port as a kubelet does by `v4.channel.k8s.io`: channel 0 carries the bytes and channel 1
 * errors; each begins with the port's number.
 */
export function servePortForward(request: IncomingMessage, socket: Duplex, host: string, port: number): void {
  accept(request, socket, "v4.channel.k8s.io");
  const number = Buffer.alloc(2);
  number.writeUInt16LE(port);
  const send = (channel: number, bytes: Buffer): boolean =>
    socket.write(frame(BINARY, Buffer.concat([Buffer.of(channel), bytes])));
  send(0, number);
  send(1, number);
  const onward = connect({ host, port });
  onward.on("data", (chunk: Buffer) => {
    if (!send(0, chunk)) {
      onward.pause();
      socket.once("drain", () => onward.resume());
    }
  });
  onward.on("error", (error) => {
    send(1, Buffer.from(`error forwarding port ${port} to pod: ${error.message}`));
    socket.end(frame(CLOSE, Buffer.alloc(0)));
  });
  onward.on("end", () => socket.end(frame(CLOSE, Buffer.alloc(0))));
  const read = reader((code, payload) => {
    if (code === PING) socket.write(frame(PONG, payload));
    else if (code === CLOSE) socket.end(frame(CLOSE, Buffer.alloc(0)));
    else if ((code === BINARY || code === TEXT) && payload[0] === 0) onward.write(payload.subarray(1));
  });
  socket.on("data", read);
  socket.on("error", () => onward.destroy());
  socket.on("close", () => onward.destroy());
}
