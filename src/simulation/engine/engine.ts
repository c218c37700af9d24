import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { openBoard } from "../board/open-board.ts";
import type { Board } from "../board/board.ts";
import { ActiveFaults } from "./active-faults.ts";
import type { CommandLine } from "./command-line.ts";
import type { EngineEnd } from "./engine-end.ts";
import type { EngineSettings } from "./engine-settings.ts";
import type { Routes } from "./http.ts";
import { Work } from "./work.ts";

/** A simulated engine as its kind sees it. */
export interface Engine {
  readonly settings: EngineSettings;
  readonly line: CommandLine;
  readonly board: Board | undefined;
  /** Its cards in its own order. */
  readonly cards: readonly string[];
  readonly faults: ActiveFaults;
  readonly work: Work;
  /** Name that it announces. */
  readonly name: string;
  /** Milliseconds that loading takes. */
  loadTime: number;
  /** Bytes that it took at load, by device and term: `GPU-… weights`. */
  readonly taken: Map<string, number>;
  ready: boolean;
  say(this: void, line: string): void;
  /** Ends the process with last words. */
  end(this: void, end: EngineEnd): never;
}

/** What is particular to a kind of engine. */
export interface EngineProgram {
  /** Reads its command line. */
  readLine(words: readonly string[]): CommandLine;
  /** The end that a command line with unknown flags leads to. */
  refuse(engine: Engine, unknown: readonly string[]): EngineEnd;
  /** Whether it listens while it loads. */
  readonly listensAtOnce: boolean;
  /** Loads: says what the real one says, takes memory, lets time pass. Throws EngineEnd. */
  load(engine: Engine): Promise<void>;
  /** What it says once it listens and is ready. */
  readyLines(engine: Engine): readonly string[];
  routes(engine: Engine): Routes;
  /** Body of the answer to an unknown path. */
  readonly notFound: unknown;
  readonly headers: Readonly<Record<string, string>>;
  portBusy(engine: Engine): EngineEnd;
  /** Out of memory while it serves. May throw EngineEnd, or let it go on crippled. */
  outOfMemoryAtRun(engine: Engine): void;
  /** A card is gone, and something was to be computed. */
  cardLost(engine: Engine, card: number): void;
  /** What computes dies, HTTP goes on for `ms`. */
  coreDead(engine: Engine, ms: number): void;
  /** SIGTERM: its last words; `undefined` where the signal itself ends it. */
  stopLines: ((engine: Engine) => readonly string[]) | undefined;
  /** It lets running requests finish before it ends. */
  readonly finishesRequests?: boolean;
  /** A connection that becomes a WebSocket. */
  readonly upgrade?: (engine: Engine, request: IncomingMessage, socket: Duplex) => void;
  /** Another port with routes of its own, such as Triton's metrics. */
  readonly second?: { port(engine: Engine): number | undefined; routes(engine: Engine): Routes };
}

/** Puts an engine together; nothing happens yet. */
export function createEngine(settings: EngineSettings, line: CommandLine, program: EngineProgram): Engine {
  const board = settings.board === undefined ? undefined : openBoard(settings.board);
  const faults = new ActiveFaults();
  const engine: Engine = {
    settings,
    line,
    board,
    cards: Object.keys(settings.memory).filter((device) => device !== "cpu"),
    faults,
    work: new Work(settings, faults, () => lookAtCards(engine, program)),
    name: line.value(...NAME_FLAGS) ?? settings.model,
    loadTime: settings.loadTime,
    taken: new Map(),
    ready: false,
    say: (text) => process.stderr.write(`${text}\n`),
    end: ({ lines, code }) => {
      for (const line of lines) engine.say(line);
      process.exit(code);
    },
  };
  return engine;
}

const NAME_FLAGS = ["--alias", "-a", "--served-model-name", "--load-model", "--model_name"] as const;

function lookAtCards(engine: Engine, program: EngineProgram): void {
  const lost = engine.cards.findIndex((uuid) => engine.board?.state(uuid).lost !== undefined);
  if (lost >= 0 && engine.faults.find("on-processor") === undefined) program.cardLost(engine, lost);
}
