import { useSession } from "../../app/session.ts";
import { useAnswer } from "../../api/use-answer.ts";
import { Field } from "../../parts/field.tsx";
import { setSettings } from "./chat-store.ts";
import { maxTokensFault, temperatureFault } from "./request/chat-settings.ts";
import type { ChatSettings } from "./request/chat-settings.ts";

const SIZES = ["auto", "512x512", "768x768", "1024x1024", "1024x1536", "1536x1024"] as const;

/** System prompt, sampling, tools: what every question is asked with. */
export function ChatSettingsForm({
  settings,
  images,
}: {
  readonly settings: ChatSettings;
  readonly images: boolean;
}) {
  const { admin, parts } = useSession();
  return (
    <form className="chat-settings" onSubmit={(event) => event.preventDefault()}>
      <Field
        name="System prompt"
        lines={3}
        value={settings.system}
        onChange={(system) => setSettings({ system })}
      />
      <div className="columns">
        <Field
          name="Temperature"
          value={settings.temperature}
          placeholder="as the engine has it"
          error={temperatureFault(settings.temperature)}
          onChange={(temperature) => setSettings({ temperature })}
        />
        <Field
          name="Most tokens of an answer"
          value={settings.maxTokens}
          placeholder="as the engine has it"
          error={maxTokensFault(settings.maxTokens)}
          onChange={(maxTokens) => setSettings({ maxTokens })}
        />
        {images && (
          <Field
            name="Size of images"
            value={settings.imageSize}
            choices={SIZES.map((size) => [size, size === "auto" ? "as the workflow has it" : size])}
            onChange={(imageSize) => setSettings({ imageSize })}
          />
        )}
      </div>
      {admin && parts.includes("tools") && <ToolServers chosen={settings.servers} />}
    </form>
  );
}

/** Tool servers whose tools the node runs for the model. */
function ToolServers({ chosen }: { readonly chosen: readonly string[] }) {
  const { value } = useAnswer("GET /api/mcp/servers");
  const servers = value?.servers.filter(({ enabled }) => enabled) ?? [];
  if (servers.length === 0) return null;
  const choose = (name: string, on: boolean): void =>
    setSettings({ servers: on ? [...chosen, name] : chosen.filter((one) => one !== name) });
  return (
    <fieldset className="tool-servers">
      <legend>Tools that run on the node</legend>
      {servers.map(({ name, state, tools }) => (
        <label key={name} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={(event) => choose(name, event.target.checked)}
          />
          <span>
            {name} <small className="quiet">{state === "ready" ? `${tools} tools` : state}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
