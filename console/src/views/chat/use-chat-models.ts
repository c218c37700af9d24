import { useEffect, useMemo, useState } from "react";
import { apiErrorOf } from "../../api/api-error.ts";
import { send } from "../../api/ask.ts";
import { useLive } from "../../live/use-live.ts";
import { listOf, objectOf, textIn } from "./answer/json.ts";
import { chatModels } from "./chat-models.ts";
import type { ChatModel, NamedModel } from "./chat-models.ts";

/** Names that can be asked; `undefined` until they are known. They are asked for anew when routes change. */
export function useChatModels(): {
  readonly models: readonly ChatModel[] | undefined;
  readonly error: unknown;
} {
  const routes = useLive((state) => state.status?.routes);
  const services = useLive((state) => state.status?.services);
  const [named, setNamed] = useState<readonly NamedModel[]>();
  const [error, setError] = useState<unknown>();
  const routeNames = routes?.map(({ name }) => name).join(" ");
  useEffect(() => {
    if (routeNames === undefined) return undefined;
    const gone = new AbortController();
    askNames(gone.signal).then(setNamed, (thrown: unknown) => {
      if (!gone.signal.aborted) setError(thrown);
    });
    return () => gone.abort();
  }, [routeNames]);
  const models = useMemo(
    () =>
      named === undefined || routes === undefined || services === undefined
        ? undefined
        : chatModels(named, { routes, services }),
    [named, routes, services],
  );
  return { models, error };
}

async function askNames(signal: AbortSignal): Promise<readonly NamedModel[]> {
  const response = await send("./v1/models", { signal });
  if (!response.ok) throw await apiErrorOf(response);
  return listOf(objectOf(await response.json())["data"]).map((sent) => {
    const model = objectOf(sent);
    return { id: textIn(model["id"]), services: listOf(objectOf(model["omni"])["services"]).map(textIn) };
  });
}
