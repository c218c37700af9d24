import { useCallback, useEffect } from "react";
import { useAnswer } from "../../api/use-answer.ts";
import { Approvals } from "./approvals.tsx";
import { Audit } from "./audit.tsx";
import { Pins } from "./pins.tsx";
import { ToolList } from "./tool-list.tsx";
import { ToolServers } from "./tool-servers.tsx";
import { changesTools, isOfTools, useAfterEvents } from "./use-after-events.ts";
import "./tools.css";

/** The tool gateway: what waits for a person first, then servers, tools, accepted definitions, and who called what. */
export function ToolsView() {
  const tools = useAnswer("GET /api/mcp/tools");
  const servers = useAnswer("GET /api/mcp/servers");
  const pins = useAnswer("GET /api/mcp/pins");
  const [againTools, againServers, againPins] = [tools.again, servers.again, pins.again];
  const look = useCallback(() => {
    againServers();
    againPins();
  }, [againServers, againPins]);
  useAfterEvents(changesTools, againTools);
  useAfterEvents(isOfTools, look);
  useEffect(() => {
    if (tools.value === undefined) return;
    // Who is asked for its tools is started for that: by now its state and its definitions are others.
    look();
  }, [tools.value, look]);
  return (
    <>
      <h1 className="unseen">Tools</h1>
      <Approvals />
      <Pins pins={pins} />
      <ToolServers servers={servers} again={againTools} />
      <ToolList tools={tools} pins={pins.value?.pins ?? NONE} />
      <Audit />
    </>
  );
}

const NONE = [] as const;
