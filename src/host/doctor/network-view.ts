import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { Agent, request } from "undici";
import { messageOf } from "../../core/index.ts";
import type { NetworkView } from "./check.ts";

const TIMEOUT = 10_000;
const LOOPBACK_TIMEOUT = 1000;

/** The network as this machine sees it. Proxies are not used: what they hide is what is asked for. */
export const liveNetwork = (): NetworkView => ({ ask, resolve, listens });

const ask: NetworkView["ask"] = async (url, { headers = {}, timeout = TIMEOUT } = {}) => {
  const agent = new Agent({ connect: { timeout } });
  const began = performance.now();
  try {
    const response = await request(url, {
      dispatcher: agent,
      headers: { accept: "application/json", "user-agent": "omni", ...headers },
      signal: AbortSignal.timeout(timeout),
    });
    response.body.on("error", () => {}).destroy();
    const told = Object.entries(response.headers).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as const] : [],
    );
    return {
      answered: true,
      status: response.statusCode,
      headers: Object.fromEntries(told),
      milliseconds: performance.now() - began,
    };
  } catch (thrown) {
    return { answered: false, message: reasonOf(thrown, timeout) };
  } finally {
    await agent.destroy();
  }
};

/** The innermost words of a failed connection; several addresses fail each with their own. */
function reasonOf(thrown: unknown, timeout: number): string {
  if (thrown instanceof Error && thrown.name === "TimeoutError")
    return `no answer within ${timeout / 1000} s`;
  if (thrown instanceof AggregateError) return thrown.errors.map(messageOf).join("; ");
  return messageOf(thrown);
}

async function resolve(name: string): Promise<readonly string[] | string> {
  const limit = Promise.withResolvers<string>();
  const timer = setTimeout(() => limit.resolve(`no name server answers within ${TIMEOUT / 1000} s`), TIMEOUT);
  try {
    const found = lookup(name, { all: true }).then((all) => all.map(({ address }) => address), messageOf);
    return await Promise.race([found, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: LOOPBACK_TIMEOUT });
    const end = (taken: boolean): void => {
      socket.destroy();
      settle(taken);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}
