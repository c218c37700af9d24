import { memo } from "react";
import { AnswerView } from "./answer-view.tsx";
import type { ChatModel } from "./chat-models.ts";
import { setModel } from "./chat-store.ts";
import type { Lane } from "./thread.ts";
import { UserView } from "./user-view.tsx";

interface LaneProps {
  readonly lane: Lane;
  readonly models: readonly ChatModel[];
  readonly imageModels: ReadonlySet<string>;
}

/** One conversation: whom it is with, and what was said. */
export function LaneView({ lane: { id, model, turns }, models, imageModels }: LaneProps) {
  return (
    <section className="lane" aria-label={`Conversation with ${model}`}>
      <div className="lane-model">
        <span className="quiet" aria-hidden="true">
          With
        </span>
        <ModelChoice model={model} models={models} choose={(name) => setModel(id, name)} />
      </div>
      <ol className="turns">
        {turns.map((turn, index) => (
          <li key={turn.id}>
            {turn.role === "user" ? (
              <UserView turn={turn} imageModels={imageModels} />
            ) : (
              <AnswerView
                answer={turn}
                lane={id}
                last={index === turns.length - 1}
                imageModels={imageModels}
              />
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

interface ModelChoiceProps {
  readonly model: string;
  readonly models: readonly ChatModel[];
  readonly choose: (name: string) => void;
}

/** Every name that can be asked, in groups. */
const ModelChoice = memo(function ModelChoice({ model, models, choose }: ModelChoiceProps) {
  return (
    <select value={model} aria-label="Route or model" onChange={(event) => choose(event.target.value)}>
      {(["Routes", "Images", "Services"] as const).map((wanted) => {
        const names = models.filter(({ group }) => group === wanted);
        return names.length === 0 ? null : (
          <optgroup key={wanted} label={wanted}>
            {names.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </optgroup>
        );
      })}
    </select>
  );
});
