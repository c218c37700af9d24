import type { Socket } from "node:net";
import { connect } from "node:net";

import type { LocalAddress } from "../../core/index.ts";
import { KIB } from "../../core/index.ts";
import { EngineError } from "./engine-error.ts";

/** Where an engine listens and how long it may take to answer a call, ms. */
export interface EngineTarget {
  readonly address: LocalAddress;
  readonly connectTime: number;
}

/** Hears what a socket has to tell. */
export interface EngineSocketOwner {
  onOpen(): void;
  /** So many bytes lie in `READ_BUFFER` until this returns; false stops the reading. */
  onRead(count: number): boolean;
  onEnd(): void;
  onError(error: Error): void;
  onClosed(): void;
}

/**
 * What every socket reads into: libuv on Unix asks for a buffer, reads and tells in one go, so that one buffer serves all of
 * them, and 5 000 idle streams hold none. What is to outlive a callback is copied.
 */
export const READ_BUFFER = Buffer.allocUnsafeSlow(64 * KIB);

/** Opens a socket to an engine. Whatever happens to it, its owner hears `onClosed` last. */
export function openSocket({ address, connectTime }: EngineTarget, owner: EngineSocketOwner): Socket {
  const onread = { buffer: READ_BUFFER, callback: (count: number): boolean => owner.onRead(count) };
  const socket =
    address.kind === "unix"
      ? connect({ path: address.path, onread })
      : connect({
          host: address.host,
          port: address.port,
          noDelay: true,
          keepAlive: true,
          keepAliveInitialDelay: 60_000,
          onread,
        });
  let opened = false;
  const timer = setTimeout(() => {
    owner.onError(
      new EngineError(
        "UND_ERR_CONNECT_TIMEOUT",
        `it did not take the connection within ${connectTime / 1000} s`,
      ),
    );
    socket.destroy();
  }, connectTime);
  socket.once("connect", () => {
    clearTimeout(timer);
    opened = true;
    owner.onOpen();
  });
  socket.on("end", () => owner.onEnd());
  socket.on("error", (error) => owner.onError(opened ? error : connectError(error)));
  socket.once("close", () => {
    clearTimeout(timer);
    owner.onClosed();
  });
  return socket;
}

/** One of several addresses that did not answer in time is told as undici tells it. */
const connectError = (error: Error & { readonly code?: string }): Error =>
  error.code === "ETIMEDOUT" || (error instanceof AggregateError && error.errors.some(isTimeout))
    ? new EngineError("UND_ERR_CONNECT_TIMEOUT", "it did not take the connection in time", { cause: error })
    : error;

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ETIMEDOUT";
