import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** RFC 6455, section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const FINAL = 0x80;
const SHORT = 126;
const LONG = 127;

/** The server's end of a WebSocket, as far as progress needs one: it sends text, and answers pings and the end. */
export interface WebSocketEnd {
  send(text: string): void;
  sendBytes(bytes: Buffer): void;
  readonly closed: boolean;
}

/** Accepts an upgrade; `undefined`, and the connection ended, for what asks for none. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex): WebSocketEnd | undefined {
  const key = request.headers["sec-websocket-key"];
  socket.on("error", () => socket.destroy());
  if (key === undefined) {
    socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    return undefined;
  }
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = answerFrames(Buffer.concat([rest, chunk]), socket);
  });
  socket.on("end", () => socket.end());
  return {
    send: (text) => void (socket.writable && socket.write(frame(TEXT, Buffer.from(text)))),
    sendBytes: (bytes) => void (socket.writable && socket.write(frame(BINARY, bytes))),
    get closed() {
      return !socket.writable;
    },
  };
}

/** One unmasked frame, as servers send them. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length < SHORT) return Buffer.concat([Buffer.of(FINAL | opcode, length), payload]);
  const extended = Buffer.alloc(length < 0x10000 ? 2 : 8);
  if (length < 0x10000) extended.writeUInt16BE(length);
  else extended.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([Buffer.of(FINAL | opcode, length < 0x10000 ? SHORT : LONG), extended, payload]);
}

/** Answers the whole frames in a buffer and returns what is left of it. Clients mask what they send. */
function answerFrames(buffer: Buffer, socket: Duplex): Buffer<ArrayBuffer> {
  let rest = buffer;
  for (;;) {
    const found = readFrame(rest);
    if (found === undefined) return Buffer.from(rest);
    rest = rest.subarray(found.size);
    if (found.opcode === CLOSE) socket.end(frame(CLOSE, found.payload));
    else if (found.opcode === PING) socket.write(frame(PONG, found.payload));
  }
}

function readFrame(
  buffer: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly size: number } | undefined {
  if (buffer.length < 2) return undefined;
  const short = (buffer[1] ?? 0) & 0x7f;
  const extra = short === SHORT ? 2 : short === LONG ? 8 : 0;
  if (buffer.length < 2 + extra) return undefined;
  const length =
    extra === 0 ? short : extra === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
  const masked = ((buffer[1] ?? 0) & 0x80) !== 0;
  const begin = 2 + extra + (masked ? 4 : 0);
  if (buffer.length < begin + length) return undefined;
  const mask = buffer.subarray(begin - 4, begin);
  const payload = Buffer.from(buffer.subarray(begin, begin + length));
  if (masked) for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return { opcode: (buffer[0] ?? 0) & 0xf, payload, size: begin + length };
}
