import { useEffect, useState } from "react";
import type { Body } from "../../../../../src/api/contract/index.ts";
import { ApiError } from "../../../api/api-error.ts";
import { ask } from "../../../api/ask.ts";
import type { Tried } from "../plan-types.ts";
import { newestOnly } from "./newest-only.ts";

type Asked = Body<"POST /api/plan/try">;

/** What came of the last trial; it stays while the next is under way. */
export interface Trial {
  readonly tried: Tried | undefined;
  readonly error: unknown;
  readonly busy: boolean;
}

interface Told {
  /** The trial that this came of, as text; `undefined` before the first. */
  readonly trial: string | undefined;
  readonly tried: Tried | undefined;
  readonly error: unknown;
}

const UNTRIED: Told = { trial: undefined, tried: undefined, error: undefined };
/** Milliseconds after the last key before a trial begins. */
const PAUSE = 350;

/** Has the node plan what is asked, one trial at a time; `undefined` tries nothing. */
export function useTrial(asked: Asked | undefined): Trial {
  const [told, setTold] = useState(UNTRIED);
  const [queue] = useState(() => ({
    ask: newestOnly<string, Tried>(
      async (trial) => planned(trial),
      async () => wait(PAUSE),
      (trial, outcome) =>
        setTold(({ tried }) =>
          "done" in outcome
            ? { trial, tried: outcome.done, error: undefined }
            : { trial, tried, error: outcome.failed },
        ),
    ),
  }));
  const trial = asked === undefined ? undefined : JSON.stringify(asked);
  useEffect(() => {
    if (trial !== undefined) queue.ask(trial);
  }, [queue, trial]);
  if (trial === undefined) return { tried: undefined, error: undefined, busy: false };
  return { tried: told.tried, error: told.error, busy: told.trial !== trial };
}

/** Times that a trial is asked for again while the node plans for somebody else, and milliseconds in between. */
const TRIES = 10;
const BUSY_PAUSE = 1000;

async function planned(trial: string, tries = TRIES): Promise<Tried> {
  const body: Asked = JSON.parse(trial);
  try {
    return await ask("POST /api/plan/try", { body });
  } catch (thrown) {
    if (tries === 0 || !(thrown instanceof ApiError) || thrown.code !== "plan_busy") throw thrown;
    await wait(BUSY_PAUSE);
    return planned(trial, tries - 1);
  }
}

const wait = async (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
