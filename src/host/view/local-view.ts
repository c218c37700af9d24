import { observeMachine, runBounded, spaceAt } from "../../inventory/index.ts";
import type { OpenHostView } from "./open-view.ts";

/** Milliseconds for a program that only reads. */
export const LOOKING_TIME = 15_000;

/** This machine as checks look at it. */
export const localView = async (): Promise<OpenHostView> => ({
  name: "this machine",
  kind: "local",
  root: "/",
  machine: await observeMachine(),
  said: ([program, ...args], timeout = LOOKING_TIME) => runBounded(program, args, { timeout }),
  space: (path) => spaceAt(path).catch(() => undefined),
  dispose: () => {},
});
