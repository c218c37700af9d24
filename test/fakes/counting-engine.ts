import { once } from "node:events";
import { createServer } from "node:http";

const delta = (content: string): string =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "stub", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
const last = `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "stub", choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } })}\n\ndata: [DONE]\n\n`;
const whole = JSON.stringify({
  id: "c",
  object: "chat.completion",
  created: 1,
  model: "stub",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

export interface CountingEngine extends AsyncDisposable {
  readonly port: number;
  /** Requests that are being answered now, and the most that ever were. */
  inside: number;
  most: number;
  /** Lets all streams end. */
  finish(): void;
}

/** An engine that counts how many requests it has at once: answers after `time` ms, and streams until it is told to end. */
export async function startCountingEngine(time: number): Promise<CountingEngine> {
  const streams = new Set<() => void>();
  const server = createServer((req, res) => {
    engine.inside++;
    engine.most = Math.max(engine.most, engine.inside);
    res.once("close", () => engine.inside--);
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.once("end", () => {
      if (!body.includes('"stream":true')) {
        setTimeout(() => {
          res.setHeader("content-type", "application/json");
          res.end(whole);
        }, time);
        return;
      }
      res.setHeader("content-type", "text/event-stream");
      res.write(delta("begun"));
      const end = (): void => {
        streams.delete(end);
        res.end(delta("ended") + last);
      };
      streams.add(end);
      res.once("close", () => streams.delete(end));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const engine: CountingEngine = {
    port: typeof address === "object" && address !== null ? address.port : 0,
    inside: 0,
    most: 0,
    finish: () => {
      for (const end of streams) end();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return engine;
}
