import type { Service } from "../../live/live-state.ts";
import { useLive } from "../../live/use-live.ts";
import { StateBadge } from "../../parts/state-badge.tsx";
import { formatDuration } from "../../parts/words.ts";
import type { AnswerTurn } from "./turn.ts";

const COMING: ReadonlySet<Service["state"]> = new Set(["queued", "starting", "loading"]);

/** What is waited for: in the words of the answer's stream, and how far each model of the route is by now. */
export function Waiting({ answer: { model, waiting } }: { readonly answer: AnswerTurn }) {
  const status = useLive((state) => state.status);
  const names = status?.routes.find(({ name }) => name === model)?.services ?? [model];
  const coming =
    status?.services.filter(({ name, state }) => names.includes(name) && COMING.has(state)) ?? [];
  return (
    <div className="waiting">
      <p>{waiting ?? `Asking ${model} …`}</p>
      {coming.map(({ name, state, progress, eta }) => (
        <p key={name} aria-live="off">
          {name} <StateBadge state={state} {...(progress === undefined ? {} : { progress })} />
          {eta !== undefined && ` about ${formatDuration(eta)} left`}
        </p>
      ))}
    </div>
  );
}
