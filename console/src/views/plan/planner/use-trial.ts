import { useEffect, useState } from "react";
import type { Body } from "../../../../../src/api/contract/index.ts";
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
      planned,
      async () => new Promise((resolve) => setTimeout(resolve, PAUSE)),
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

async function planned(trial: string): Promise<Tried> {
  const body: Asked = JSON.parse(trial);
  return ask("POST /api/plan/try", { body });
}
