import type { Socket } from "node:net";
import { connect } from "node:net";
import { messageOf } from "../../core/index.ts";
import type { ClusterSession } from "./cluster-session.ts";
import type { Carrier } from "./local-listener.ts";
import type { Pod } from "./pod.ts";
import { ForwardRefused, forwardConnection } from "./port-forward.ts";
import { ProxyReach } from "./proxy-reach.ts";

export interface ReachOptions {
  readonly session: ClusterSession;
  /** The pod to reach now; asked for each connection, so that the next one goes to a pod that took another's place. */
  readonly pod: () => Pod | undefined;
  readonly onTrouble: (words: string) => void;
}

/**
 * How connections of a local port come to an engine: from inside the cluster straight to its pod, from outside by the
 * API server's port-forward, and where that is forbidden by its HTTP proxy.
 */
export function engineReach(options: ReachOptions): { readonly carry: Carrier; readonly close: () => void } {
  const { session, pod } = options;
  const onTrouble = distinct(options.onTrouble);
  const proxy = new ProxyReach(session, pod);
  let forbidden = false;

  const forward = async (socket: Socket, target: Pod, port: number): Promise<void> => {
    try {
      await forwardConnection(session, target.name, port, socket, onTrouble);
    } catch (error) {
      if (!(error instanceof ForwardRefused) || error.status !== 403) throw error;
      if (!forbidden) {
        onTrouble(
          `port-forward is forbidden, so the API server's proxy is used. A rule that allows it: { apiGroups: [""], resources: ["pods/portforward"], verbs: ["create", "get"] }`,
        );
      }
      forbidden = true;
      proxy.carry(socket);
    }
  };

  const carry = (socket: Socket): void => {
    const target = pod();
    if (target?.port === undefined) socket.destroy();
    else if (session.client.access.inCluster) straight(socket, target.ip, target.port);
    else if (forbidden) proxy.carry(socket);
    else {
      forward(socket, target, target.port).catch((error: unknown) => {
        onTrouble(`no connection to the pod ${target.name}: ${messageOf(error)}`);
        socket.destroy();
      });
    }
  };
  return { carry, close: () => proxy.close() };
}

/** An engine that loads refuses every look at its health: that is no news, and neither is the same trouble again. */
function distinct(tell: (words: string) => void): (words: string) => void {
  let last = "";
  return (words) => {
    if (words === last || /connection refused|ECONNREFUSED/i.test(words)) return;
    last = words;
    tell(words);
  };
}

function straight(socket: Socket, host: string | undefined, port: number): void {
  if (host === undefined) {
    socket.destroy();
    return;
  }
  const onward = connect({ host, port, noDelay: true });
  onward.on("error", () => socket.destroy());
  socket.on("error", () => onward.destroy());
  onward.on("close", () => socket.destroy());
  socket.on("close", () => onward.destroy());
  socket.pipe(onward).pipe(socket);
}
