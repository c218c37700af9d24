import type { Socket } from "node:net";
import { connect } from "node:net";

import type { FuzzCase } from "./fuzz-case.ts";
import { divided, requestWire } from "./fuzz-case.ts";
import { parseAnswers } from "./parse-answers.ts";
import type { ReadAnswers } from "./parse-answers.ts";

/** What a client saw of one connection. */
export interface Seen extends ReadAnswers {
  readonly text: string;
  /** The client itself went before the end. */
  readonly hungUp: boolean;
  /** Nothing ended it within the time that everything has. */
  readonly late: boolean;
}

/**
 * Together longer than all limits of the gateway, also on a machine that is busy: looks are counted, because time in which the
 * machine stood still is nobody's.
 */
const LOOK_TIME = 250;
const MOST_LOOKS = 100;
let sources = 0;

/** Plays the client of a case against the gateway at `port` and tells what came back. */
export function playClient(port: number, fuzzed: FuzzCase, fill: (text: string) => string): Promise<Seen> {
  const methods = fuzzed.requests.map(({ method }) => method);
  const wire = fuzzed.requests
    .map((sent) => requestWire({ ...sent, target: fill(sent.target), body: fill(sent.body) }))
    .join("");
  // Sources take turns, or the ports of one would not be enough for what is done in a minute.
  const localAddress = `127.0.0.${2 + (sources++ % 200)}`;
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    let text = "";
    let over = false;
    const end = (how: {
      readonly hungUp?: boolean;
      readonly late?: boolean;
      readonly closed?: boolean;
    }): void => {
      if (over) return;
      over = true;
      clearInterval(timer);
      const read = parseAnswers(text, methods, how.closed === true);
      resolve({ ...read, text, hungUp: how.hungUp === true, late: how.late === true });
    };
    const leave = (): void => {
      end({ hungUp: true });
      if (fuzzed.hangUp?.how === "reset") socket.resetAndDestroy();
      else socket.destroy();
    };
    let looks = 0;
    const timer = setInterval(() => {
      if (++looks < MOST_LOOKS) return;
      end({ late: true });
      socket.destroy();
    }, LOOK_TIME);
    socket
      .setEncoding("latin1")
      .on("error", () => {})
      .on("close", () => end({ closed: true }))
      .on("data", (chunk: string) => {
        text += chunk;
        if (fuzzed.hangUp?.after === "received" && text.length >= fuzzed.hangUp.bytes) leave();
        else if (isOver(text, methods)) {
          end({});
          socket.destroy();
        }
      });
    void write(socket, fuzzed, wire).then((left) => left && leave());
  });
}

/** Without `connection: close` an answer is over where its length says so. */
function isOver(text: string, methods: readonly string[]): boolean {
  if (/\r\nconnection: close\r\n/i.test(text)) return false;
  const { answers, fault } = parseAnswers(text, methods, false);
  return fault === undefined && answers.filter((answer) => answer.complete).length === methods.length;
}

/** True when the client is to leave now. */
async function write(socket: Socket, { places, hangUp }: FuzzCase, wire: string): Promise<boolean> {
  const all = hangUp?.after === "sent" ? wire.slice(0, hangUp.bytes) : wire;
  for (const part of divided(all, places)) {
    if (socket.destroyed) return false;
    socket.write(part, "latin1");
    if (places.length > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (hangUp?.after !== "sent") return false;
  // Long enough for a part of the cases that the engine has been asked.
  await new Promise((resolve) => setTimeout(resolve, hangUp.bytes % 7));
  return true;
}
