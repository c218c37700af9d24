import { useState } from "react";
import { Button } from "../../parts/button.tsx";
import { download } from "../../parts/download.ts";
import type { ChatModel } from "./chat-models.ts";
import { compareNoMore, compareWith, forgetChat } from "./chat-store.ts";
import { ChatSettingsForm } from "./chat-settings-form.tsx";
import { chatAsJson, chatAsMarkdown } from "./export-chat.ts";
import type { ChatSettings } from "./request/chat-settings.ts";
import type { Lane } from "./thread.ts";

interface ChatBarProps {
  readonly lanes: readonly Lane[];
  readonly settings: ChatSettings;
  readonly models: readonly ChatModel[];
  readonly imageModels: ReadonlySet<string>;
}

/** What holds for the whole conversation. */
export function ChatBar({ lanes, settings, models, imageModels }: ChatBarProps) {
  const [open, setOpen] = useState(false);
  const [first, second] = lanes;
  const other = models.find(({ name }) => name !== first?.model) ?? models[0];
  const empty = lanes.every(({ turns }) => turns.length === 0);
  return (
    <div className="chat-bar">
      <div className="row">
        {second === undefined ? (
          <Button onPress={() => compareWith(other?.name ?? "")}>Compare two</Button>
        ) : (
          <Button onPress={compareNoMore}>Only the first</Button>
        )}
        <button
          type="button"
          className="button button-plain"
          aria-expanded={open}
          onClick={() => setOpen((was) => !was)}
        >
          Settings{settings.servers.length > 0 ? ` · tools` : ""}
        </button>
        <Button
          disabled={empty}
          onPress={() => download("chat.md", chatAsMarkdown(lanes, settings.system), "text/markdown")}
        >
          Markdown
        </Button>
        <Button
          disabled={empty}
          onPress={() => download("chat.json", chatAsJson(lanes, settings), "application/json")}
        >
          JSON
        </Button>
        <Button disabled={empty} onPress={forgetChat}>
          New chat
        </Button>
      </div>
      {open && (
        <ChatSettingsForm settings={settings} images={lanes.some(({ model }) => imageModels.has(model))} />
      )}
    </div>
  );
}
