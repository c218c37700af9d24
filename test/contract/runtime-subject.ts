import type { Address } from "../../src/core/index.ts";
import type { LaunchSpec, ProcessExit } from "../../src/engines/engine.ts";
import type { Runtime } from "../../src/runtimes/index.ts";
import type { Behaviour } from "../fakes/fake-child.ts";

/** What a runtime promises, by name. What one cannot keep is written in its `NOT_SUPPORTED` with the reason. */
export const RUNTIME_POINTS = [
  "reach and stop in order",
  "exit code and last words",
  "force at the deadline",
  "a shorter deadline hurries",
  "lines bounded",
  "lines as they come",
  "secrets not inherited",
  "grandchildren gone after a stop",
  "grandchildren gone after a kill",
  "processes are named",
  "no such program",
  "files before the start",
  "nothing survives that ended",
  "survivors can be ended",
  "left to the next and adopted",
  "adopted twice",
  "an adopted engine's end is noticed",
  "omni killed, adopted",
  "omni killed twice, adopted twice",
  "omni killed, nobody adopts",
] as const;

export type RuntimePoint = (typeof RUNTIME_POINTS)[number];

/**
 * One runtime with one kind of engine under the contract. It lives in a module of its own that exports it as `subject` and
 * does not import vitest: a host process, which is killed as Omni would be, imports the same module.
 */
export interface RuntimeSubject {
  readonly name: string;
  /** Why nothing of it can be shown on this machine. */
  readonly absent?: string;
  /** Once before all, such as building an image. */
  prepare?(): Promise<void>;
  /** A runtime over this folder, as one Omni after the other makes it. `adoptionGrace` in ms, where there is one. */
  make(stateFolder: string, adoptionGrace: number): Runtime;
  /** What to start, at an address that `runtime` allocates; the engine behaves as told, `{}` for well. */
  launch(runtime: Runtime, service: string, behaviour: Behaviour): Promise<LaunchSpec>;
  /** GET path that answers 200 once it is ready; `/health` unless told. */
  readonly healthPath?: string;
  /** Makes the engine write a line that contains `word`; `GET /say?line=word` unless told. */
  provoke?(address: Address, word: string): Promise<void>;
  /** How an engine ends that obeys, code 0 unless told; one that is forced, SIGKILL unless told. */
  readonly stopped?: ProcessExit;
  readonly forced?: ProcessExit;
  /** The same for adopted ones: code and signal are null unless told, for nobody could tell. */
  readonly adoptedStopped?: ProcessExit;
  readonly adoptedForced?: ProcessExit;
  readonly NOT_SUPPORTED: Readonly<Partial<Record<RuntimePoint, string>>>;
  /** After each test: ends and removes whatever is left of this folder. */
  cleanUp?(stateFolder: string): Promise<void>;
}
