import type { Socket } from "node:net";
import { z } from "zod";
import { messageOf, optionalPart } from "../../core/index.ts";
import type { ClusterSession } from "./cluster-session.ts";

/** Bytes that may wait for the API server before the client is made to wait. */
const WAITING = 2 ** 20;
/** Channels of one port of `v4.channel.k8s.io`; the first two bytes of each are the port's number. */
const DATA = 0;
const ERROR = 1;
const PORT_LENGTH = 2;

type Callable = (...parameters: readonly unknown[]) => unknown;
const CALLABLE = z.custom<Callable>((value) => typeof value === "function");
/** What is used of the WebSocket that the library opens; it comes without types. */
const WEB_SOCKET = z.object({
  send: CALLABLE,
  close: CALLABLE,
  terminate: CALLABLE,
  pause: CALLABLE,
  resume: CALLABLE,
  on: CALLABLE,
});
type Verb = keyof z.infer<typeof WEB_SOCKET>;

/** Why a forward was not opened; `status` where the API server answered at all. */
export class ForwardRefused extends Error {
  override readonly name = "ForwardRefused";
  readonly status: number | undefined;

  constructor(error: unknown) {
    const words = messageOf(error) === "[object Object]" ? "" : messageOf(error);
    const said =
      typeof error === "object" && error !== null && "message" in error ? String(error.message) : words;
    super(said);
    const status = /Unexpected server response: (\d{3})/.exec(said)?.[1];
    this.status = status === undefined ? undefined : Number(status);
  }
}

/**
 * Carries one connection to a port of a pod, by a WebSocket of its own: connections do not wait for each other. Whoever
 * reads slower makes the other side wait. Resolves when the connection is through. Throws `ForwardRefused`.
 */
export async function forwardConnection(
  session: ClusterSession,
  pod: string,
  port: number,
  socket: Socket,
  onError: (words: string) => void,
): Promise<void> {
  const { WebSocketHandler } = await optionalPart(
    "@kubernetes/client-node",
    () => import("@kubernetes/client-node/dist/web-socket-handler.js"),
  );
  const headers = new Set<number>();
  let opened: ReturnType<typeof handleOf> | undefined;
  const take = (channel: number, bytes: Buffer): boolean => {
    const data = headers.has(channel) ? bytes : bytes.subarray(PORT_LENGTH);
    headers.add(channel);
    if (channel === ERROR && data.length > 0) {
      onError(data.toString("utf8").trim());
      socket.destroy();
    }
    if (channel !== DATA || data.length === 0 || socket.destroyed) return true;
    if (!socket.write(data)) opened?.call("pause");
    return true;
  };
  const handler = new WebSocketHandler(session.client.access.config);
  const path = `${session.podPath(pod)}/portforward?ports=${port}`;
  const connecting: Promise<unknown> = handler.connect(path, null, take);
  const web = handleOf(await connecting.catch((error: unknown) => Promise.reject(new ForwardRefused(error))));
  opened = web;
  join(web, socket);
}

function handleOf(value: unknown): { call(verb: Verb, ...parameters: readonly unknown[]): void } {
  // The methods need their object, so it is checked and kept as it is.
  const verbs = WEB_SOCKET.parse(value);
  return { call: (verb, ...parameters) => void verbs[verb].apply(value, [...parameters]) };
}

function join(web: ReturnType<typeof handleOf>, socket: Socket): void {
  let waiting = 0;
  if (socket.destroyed) {
    web.call("terminate");
    return;
  }
  web.call("on", "close", () => socket.end(() => socket.destroy()));
  web.call("on", "error", () => socket.destroy());
  socket.on("drain", () => web.call("resume"));
  socket.on("data", (chunk: Buffer) => {
    const frame = Buffer.concat([Buffer.of(DATA), chunk]);
    waiting += frame.length;
    if (waiting > WAITING) socket.pause();
    web.call("send", frame, () => {
      waiting -= frame.length;
      if (waiting <= WAITING && socket.isPaused()) socket.resume();
    });
  });
  // This protocol cannot say that one direction has ended: a client that has closed its own is gone as a whole.
  socket.on("close", () => web.call("terminate"));
}
