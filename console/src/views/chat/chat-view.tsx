import { useLive } from "../../live/use-live.ts";
import { Empty } from "../../parts/empty.tsx";
import { Panel } from "../../parts/panel.tsx";

/** A conversation with a route of the node. */
export function ChatView() {
  const routes = useLive((state) => state.status?.routes);
  return (
    <Panel title="Chat">
      {routes === undefined || routes.length === 0 ? (
        <Empty>The node has no route to ask.</Empty>
      ) : (
        <ul>
          {routes.map(({ name, services }) => (
            <li key={name}>
              {name}: {services.join(", ")}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
