import { useEffect, useMemo, useSyncExternalStore } from "react";
import { useSession } from "../../app/session.ts";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Notice } from "../../parts/notice.tsx";
import { Loading } from "../../parts/loading.tsx";
import { ChatBar } from "./chat-bar.tsx";
import type { ChatModel } from "./chat-models.ts";
import { chatState, setModel, subscribeChat } from "./chat-store.ts";
import { Composer } from "./composer.tsx";
import { LaneView } from "./lane-view.tsx";
import { useChatModels } from "./use-chat-models.ts";
import { useFollowEnd } from "./use-follow-end.ts";
import "./chat.css";

/** A conversation with a route of the node, or the same one with two of them. */
export function ChatView() {
  const { models, error } = useChatModels();
  if (models === undefined)
    return error === undefined ? <Loading what="what can be asked" /> : <Failure error={error} />;
  if (models.length === 0) return <Empty>There is nothing that this key may chat with.</Empty>;
  return <Chat models={models} />;
}

function Chat({ models }: { readonly models: readonly ChatModel[] }) {
  const { lanes, settings } = useSyncExternalStore(subscribeChat, chatState);
  const imageModels = useMemo(
    () => new Set(models.filter(({ group }) => group === "Images").map(({ name }) => name)),
    [models],
  );
  useEffect(() => {
    // A name may be gone since it was chosen, by a reload of the spec.
    for (const { id, model } of lanes)
      if (!models.some(({ name }) => name === model)) setModel(id, models[0]?.name ?? "");
  }, [lanes, models]);
  useFollowEnd();
  const { simulated } = useSession();
  return (
    <div className="chat">
      <h1 className="unseen">Chat</h1>
      {simulated && (
        <Notice tone="note" title="No model answers here">
          This node simulates its engines: what they say is made up.
        </Notice>
      )}
      <ChatBar lanes={lanes} settings={settings} models={models} imageModels={imageModels} />
      <div className={lanes.length > 1 ? "lanes lanes-two" : "lanes"}>
        {lanes.map((lane) => (
          <LaneView key={lane.id} lane={lane} models={models} imageModels={imageModels} />
        ))}
      </div>
      <Composer lanes={lanes} models={models} imageModels={imageModels} />
    </div>
  );
}
