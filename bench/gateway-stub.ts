/**
 * The upstream of the gateway benchmark: an engine that does nothing but answer, on a bare socket, so that what is
 * measured is the gateway. A request that holds `"stream":true` gets 64 events, `"gap":N` milliseconds apart.
 */
import type { Socket } from "node:net";
import { createServer } from "node:net";

const EVENTS = 64;

const choice = {
  index: 0,
  message: { role: "assistant", content: "word ".repeat(40) },
  finish_reason: "stop",
};
const answer = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "stub",
  choices: [choice],
  usage: { prompt_tokens: 12, completion_tokens: 40, total_tokens: 52 },
});
const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`,
);

const head = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
);
const asChunk = (data: string): string => `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
const delta = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "stub" };
const event = Buffer.from(
  asChunk(
    `data: ${JSON.stringify({ ...delta, choices: [{ index: 0, delta: { content: "word " }, finish_reason: null }] })}\n\n`,
  ),
);
const usage = { prompt_tokens: 12, completion_tokens: EVENTS, total_tokens: 12 + EVENTS };
const last = Buffer.from(
  asChunk(
    `data: ${JSON.stringify({ ...delta, choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage })}\n\n`,
  ) + `${asChunk("data: [DONE]\n\n")}0\r\n\r\n`,
);

function stream(socket: Socket, gap: number): void {
  socket.write(head);
  if (gap === 0) {
    for (let i = 0; i < EVENTS; i++) socket.write(event);
    socket.write(last);
    return;
  }
  let sent = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || sent === EVENTS) {
      clearInterval(timer);
      if (!socket.destroyed) socket.write(last);
      return;
    }
    sent++;
    socket.write(event);
  }, gap);
}

const server = createServer({ noDelay: true }, (socket) => {
  let text = "";
  socket.on("error", () => socket.destroy());
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < end + 4 + length) return;
    const body = text.slice(end + 4);
    text = "";
    if (body.includes('"stream":true')) stream(socket, Number(/"gap":(\d+)/.exec(body)?.[1] ?? 0));
    else socket.write(whole);
  });
});
// A path of a Unix socket, or a port of this machine.
const where = process.argv[2] ?? "";
server.listen(/^\d+$/.test(where) ? { host: "127.0.0.1", port: Number(where) } : { path: where }, () =>
  process.send?.("ready"),
);
process.once("disconnect", () => process.exit(0));
