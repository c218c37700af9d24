import { createServer } from "node:net";
import { tellEngine } from "../simulation/index.ts";
import type { Board, Fault } from "../simulation/index.ts";
import { CannotStrike } from "./scenario.ts";
import type { Scenario, Stage } from "./scenario.ts";

const nothingToUndo = undefined;

/** The faults that chaos knows, in the order in which they are done. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "kill",
    about: "the engine is killed by SIGKILL while it answers",
    needs: ["process"],
    strike: (stage) => signal(stage, "SIGKILL"),
  },
  {
    name: "stall",
    about: "the engine is stopped by SIGSTOP: it holds its connections and says nothing",
    needs: ["process"],
    detectedBy: ["service.hung", "service.stalled"],
    strike: (stage) => signal(stage, "SIGSTOP"),
  },
  {
    name: "hang",
    about: "health answers and nothing is computed any more",
    needs: ["simulated"],
    strike: (stage) => tell(stage, { name: "hang" }),
  },
  {
    name: "cut-stream",
    about: "the engine breaks streams in the middle, five times",
    needs: ["simulated"],
    ends: "rides-out",
    detectedBy: ["request.cut", "request.retried"],
    strike: (stage) => tell(stage, { name: "cut-stream", tokens: 3, requests: 5 }),
  },
  {
    name: "malformed",
    about: "the engine sends an event that is none, five times",
    needs: ["simulated"],
    ends: "rides-out",
    detectedBy: ["request.cut", "request.retried"],
    strike: (stage) => tell(stage, { name: "malformed", tokens: 3, requests: 5 }),
  },
  {
    name: "slow-start",
    about: "the engine is killed, and its next start takes ten seconds",
    needs: ["simulated", "process"],
    strike: (stage) => planted(stage, { name: "slow-start", ms: 10_000 }),
  },
  {
    name: "oom-at-load",
    about: "the engine is killed, and its next start runs out of memory",
    needs: ["simulated", "process"],
    strike: (stage) => planted(stage, { name: "oom-at-load" }),
  },
  {
    name: "oom-at-run",
    about: "the engine runs out of memory while it answers",
    needs: ["simulated"],
    strike: (stage) => tell(stage, { name: "oom-at-run" }),
  },
  {
    name: "core-dead",
    about: "what computes has died, and HTTP still answers",
    needs: ["simulated"],
    strike: (stage) => tell(stage, { name: "core-dead", ms: 60_000 }),
  },
  {
    name: "wrong",
    about: "the engine is healthy and answers nothing of use",
    needs: ["simulated"],
    strike: (stage) => tell(stage, { name: "wrong", text: "error" }),
  },
  {
    name: "exit-clean",
    about: "the engine ends by itself with exit code 0",
    needs: ["simulated"],
    strike: (stage) => tell(stage, { name: "die", code: 0 }),
  },
  {
    name: "port-stolen",
    about: "the engine is killed, and another program takes its port at once",
    needs: ["process", "port"],
    strike: stealPort,
  },
  {
    name: "vram-stolen",
    about: "another program takes all that is free of the card",
    needs: ["card"],
    ends: "ladder",
    strike: stealMemory,
  },
  {
    name: "gpu-lost",
    about: "the card falls off the bus and comes back",
    needs: ["card"],
    detectedBy: ["gpu.lost", "gpu.xid"],
    strike: loseCard,
  },
  {
    name: "clock-jump",
    about: "the clock jumps an hour ahead, then two back",
    needs: ["own-node"],
    ends: "rides-out",
    detectedBy: [],
    strike: jumpClock,
  },
  {
    name: "disk-full",
    about: "the disk of the state folder is full, and the engine is killed",
    needs: ["own-node", "process"],
    strike: fillDisk,
  },
  {
    name: "omni-killed",
    about: "Omni itself is killed and started again; engines go on",
    needs: ["own-node"],
    ends: "rides-out",
    detectedBy: ["service.adopted"],
    omniDies: true,
    async strike({ own }) {
      await own?.killAndRestart();
      return nothingToUndo;
    },
  },
];

async function signal({ victim }: Stage, name: "SIGKILL" | "SIGSTOP"): Promise<undefined> {
  if (victim.pid === undefined) throw cannot(`${victim.name} has no process`);
  process.kill(victim.pid, name);
  return nothingToUndo;
}

async function tell({ victim }: Stage, fault: Fault): Promise<undefined> {
  const told = victim.endpoint !== undefined && (await tellEngine(victim.endpoint, fault));
  if (!told) throw cannot(`the engine of ${victim.name} takes no orders`);
  return nothingToUndo;
}

async function planted(stage: Stage, fault: Fault): Promise<undefined> {
  boardOf(stage).plant(stage.victim.name, fault, 1);
  return signal(stage, "SIGKILL");
}

async function stealPort(stage: Stage): Promise<() => Promise<void>> {
  const { endpoint } = stage.victim;
  if (endpoint?.kind !== "tcp") throw cannot(`${stage.victim.name} listens on no port`);
  await signal(stage, "SIGKILL");
  const thief = createServer((socket) => socket.destroy());
  const until = performance.now() + 5000;
  while (!(await listens(thief, endpoint.port, endpoint.host))) {
    if (performance.now() > until) throw cannot(`port ${endpoint.port} could not be taken`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return () => new Promise((resolve) => thief.close(() => resolve()));
}

function listens(server: ReturnType<typeof createServer>, port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const failed = (): void => resolve(false);
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve(true);
    });
  });
}

async function stealMemory(stage: Stage): Promise<() => void> {
  const board = boardOf(stage);
  const uuid = cardOf(stage);
  board.steal(uuid, board.free(uuid), "another-program");
  return () => board.giveBack(uuid);
}

async function loseCard(stage: Stage): Promise<() => void> {
  const board = boardOf(stage);
  const uuid = cardOf(stage);
  board.lose(uuid);
  return () => board.restore(uuid);
}

async function jumpClock({ own }: Stage): Promise<() => void> {
  own?.skewClock(3_600_000);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  own?.skewClock(-7_200_000);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  return () => own?.skewClock(3_600_000);
}

async function fillDisk(stage: Stage): Promise<() => Promise<void>> {
  const free = await stage.own?.fillDisk();
  if (free === undefined) throw cannot("filling a disk takes root, to mount one of our own");
  await signal(stage, "SIGKILL");
  return free;
}

function boardOf({ board }: Stage): Board {
  if (board === undefined) throw cannot("the node is not simulated");
  return board;
}

/** The simulated card of the victim that has most memory held by processes. */
function cardOf(stage: Stage): string {
  const board = boardOf(stage);
  const [first] = board.cards
    .filter(({ uuid }) => board.holders(uuid).some(({ pid }) => pid === stage.victim.pid))
    .toSorted((a, b) => board.used(b.uuid) - board.used(a.uuid));
  if (first === undefined) throw cannot(`${stage.victim.name} holds memory of no card`);
  return first.uuid;
}

const cannot = (reason: string): CannotStrike => new CannotStrike(reason);
