import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { OPERATIONS } from "../../src/api/contract/index.ts";
import { frameLines, printedLines } from "../../src/cli/top/frame-lines.ts";
import { textOf } from "../../src/cli/top/line.ts";
import type { NodeState } from "../../src/cli/top/node-state.ts";
import { withSelection } from "../../src/cli/top/press-key.ts";
import { topModel } from "../../src/cli/top/top-model.ts";
import type { Link } from "../../src/cli/top/top-model.ts";
import { FIRST_VIEW } from "../../src/cli/top/top-view.ts";
import type { TopView } from "../../src/cli/top/top-view.ts";

/** What a simulated node of examples/concrete-bunker.fixed.yaml told when it was asked, after a few requests and orders. */
const recorded: NodeState = z
  .object({
    status: OPERATIONS["GET /api/status"].answer,
    session: OPERATIONS["GET /api/session"].answer,
    hardware: OPERATIONS["GET /api/hardware"].answer,
    events: OPERATIONS["GET /api/events"].answer.shape.events,
    requests: OPERATIONS["GET /api/requests"].answer.shape.requests,
    untold: z.array(z.never()),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "concrete-bunker.json"), "utf8")));
const NOW = (recorded.events.at(-1)?.time ?? 0) + 10_000;
const LIVE: Link = { state: "live" };

/** The same node after a bad night. */
function troubled(): NodeState {
  const { status, hardware } = recorded;
  const reading = hardware?.reading;
  if (reading === undefined || reading === null) throw new Error("The recorded node told of no hardware.");
  const [first, second] = reading.cards;
  if (first === undefined || second === undefined) throw new Error("The recorded node has two cards.");
  const lost = { since: NOW - 60_000, reason: "GPU has fallen off the bus." };
  return {
    ...recorded,
    status: {
      ...status,
      services: status.services.map((service) =>
        service.name === "qwen-executor"
          ? {
              ...service,
              state: "failed",
              restarts: 5,
              reason: "It ran out of memory 5 times in 10 m. Give it less context.",
            }
          : { ...service, state: "loading", progress: 0.45, eta: 12_000, inFlight: 2, load: { waiting: 3 } },
      ),
    },
    hardware: {
      source: "nvml",
      notes: [],
      names: hardware?.names ?? {},
      reading: {
        ...reading,
        cards: [
          { ...first, temperature: 91, throttled: ["hardware-thermal", "power-cap"], eccErrors: 2 },
          { ...second, lost, lastXid: 79, recovery: "reboot" },
        ],
      },
    },
  };
}

const drawn = (
  state: NodeState,
  width: number,
  height: number,
  view: Partial<TopView> = {},
  link: Link = LIVE,
): string => {
  const model = topModel(state, link, NOW);
  const lines = frameLines(model, withSelection({ ...FIRST_VIEW, ...view }, model), width, height);
  return `${lines.map((line) => textOf(line).trimEnd()).join("\n")}\n`;
};

beforeAll(() => {
  vi.stubEnv("TZ", "UTC");
});
afterAll(() => {
  vi.unstubAllEnvs();
});

describe("a frame of a simulated node", () => {
  it.each([
    [80, 24],
    [120, 40],
    [200, 60],
  ])("at %i columns and %i lines", async (width, height) => {
    await expect(drawn(recorded, width, height)).toMatchFileSnapshot(`node-${width}x${height}.golden.txt`);
  });

  it("in trouble, disconnected, with a question open", async () => {
    const question = { service: "qwen-executor", action: "restart" } as const;
    const link: Link = {
      state: "lost",
      since: NOW - 12_000,
      why: "Nothing answers at http://127.0.0.1:4791.",
    };
    await expect(
      drawn(troubled(), 80, 24, { selected: "qwen-executor", question }, link),
    ).toMatchFileSnapshot("trouble-80x24.golden.txt");
  });

  it("a service with the end of its log", async () => {
    const log = {
      available: true,
      lines: ["llama_model_load: error loading model", "\u001B[31mout of memory\u001B[0m"],
    };
    const view = {
      page: "service",
      selected: "qwen-executor",
      log: { service: "qwen-executor", log },
    } as const;
    await expect(drawn(troubled(), 80, 24, view)).toMatchFileSnapshot("service-80x24.golden.txt");
  });

  it("its events, and the keys", async () => {
    await expect(drawn(recorded, 80, 24, { page: "events", back: 3 })).toMatchFileSnapshot(
      "events-80x24.golden.txt",
    );
    await expect(drawn(recorded, 80, 24, { page: "help" })).toMatchFileSnapshot("help-80x24.golden.txt");
  });

  it("for a key without admin", async () => {
    const { status } = recorded;
    const link: Link = { state: "polled", why: "This key may not change the node." };
    await expect(drawn({ status, events: [], untold: [] }, 80, 24, {}, link)).toMatchFileSnapshot(
      "no-admin-80x24.golden.txt",
    );
  });

  it("printed once", async () => {
    const lines = printedLines(topModel(recorded, LIVE, NOW), 80);
    await expect(`${lines.map((line) => textOf(line).trimEnd()).join("\n")}\n`).toMatchFileSnapshot(
      "printed-80.golden.txt",
    );
  });
});
