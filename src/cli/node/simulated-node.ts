import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "../../core/index.ts";
import type { Plan, PlannedService } from "../../plan/plan.ts";
import { boardCards, createBoard, openBoard, simulatedLaunch } from "../../simulation/index.ts";
import type { Board } from "../../simulation/index.ts";
import type { CardIdentity } from "./card-identities.ts";
import type { Simulate } from "./launcher.ts";
import type { WatchedCards } from "./node-watch.ts";
import { wrappedCommand } from "./wrapped-command.ts";

/** A plan's cards and engines as a simulation. */
export interface Simulation {
  readonly board: Board;
  readonly simulate: Simulate;
  readonly cards: WatchedCards;
}

/** Where a node keeps its simulated cards. */
export const simulationFolder = (stateFolder: string): string => join(stateFolder, "simulation");

/** Cards of a plan by their names, as a simulated driver knows them. */
export const simulatedIdentities = (plan: Plan): ReadonlyMap<string, CardIdentity> =>
  new Map(boardCards(plan).map(({ device, uuid, index, pci, name }) => [device, { uuid, index, pci, name }]));

/** The cards of a plan, made anew, or as they are where an earlier run of the same plan left engines on them. */
export function simulatePlan(plan: Plan, stateFolder: string): Simulation {
  const folder = simulationFolder(stateFolder);
  const cards = boardCards(plan);
  const board = sameCards(folder, cards)
    ? openBoard(folder)
    : createBoard({ folder, cards, releaseDelay: 300 });
  const uuids = Object.fromEntries(cards.map(({ device, uuid }) => [device, uuid]));
  return {
    board,
    cards: { nvidiaSmi: board.nvidiaSmi, kernelLog: board.kernelLog },
    simulate: (launch, kind, service) =>
      simulatedLaunch(
        {
          ...launch,
          command:
            kind === "embedded"
              ? asLlamaServer(service, launch.address)
              : // What a shell looks for before it starts the engine is not there on a machine that only simulates.
                wrappedCommand(launch.command),
        },
        { kind: kind === "embedded" ? "llama.cpp" : kind, service, uuids },
        board,
      ),
  };
}

/** There is no simulation of the embedded engine: it is simulated as the llama-server that would serve the same. */
function asLlamaServer(
  { model, contextTokens, parallel }: PlannedService,
  address: Address,
): readonly [string, ...string[]] {
  const listen = address.kind === "tcp" ? ["--host", address.host, "--port", `${address.port}`] : [];
  const size = ["--ctx-size", `${contextTokens * parallel}`, "--parallel", `${parallel}`];
  return ["llama-server", ...listen, "--model", model.path, "--alias", model.name, ...size];
}

function sameCards(
  folder: string,
  cards: readonly { readonly uuid: string; readonly memoryTotal: number }[],
): boolean {
  const path = join(folder, "board.json");
  if (!existsSync(path)) return false;
  const known = JSON.stringify(openedCards(path));
  return known === JSON.stringify(cards.map(({ uuid, memoryTotal }) => [uuid, memoryTotal]));
}

/** Identity and size of the cards of a board; nothing where the file is no board. */
function openedCards(path: string): readonly unknown[] {
  try {
    const { cards }: { cards?: readonly { uuid: string; memoryTotal: number }[] } = JSON.parse(
      readFileSync(path, "utf8"),
    );
    return (cards ?? []).map(({ uuid, memoryTotal }) => [uuid, memoryTotal]);
  } catch {
    return [];
  }
}
