import type { Socket } from "node:net";

/** Bytes of a body that is copied behind its head, so that both are one write; copying a larger one costs more than it saves. */
const SMALL = 16 * 1024;

const KEEPS = "connection: keep-alive\r\n\r\n";
const CLOSES = "connection: close\r\n\r\n";

/** Writes a request in one system call where the socket takes it; `last` when no other follows on this connection. */
export function writeRequest(socket: Socket, head: string, body: Buffer, last: boolean): void {
  const text = head + (last ? CLOSES : KEEPS);
  if (body.length <= SMALL) {
    const all = Buffer.allocUnsafe(text.length + body.length);
    all.write(text, 0, "latin1");
    body.copy(all, text.length);
    socket.write(all);
    return;
  }
  socket.cork();
  socket.write(Buffer.from(text, "latin1"));
  socket.write(body);
  socket.uncork();
}
