import { Approvals } from "./approvals.tsx";
import { Audit } from "./audit.tsx";
import { Pins } from "./pins.tsx";
import { ToolList } from "./tool-list.tsx";
import { ToolServers } from "./tool-servers.tsx";
import "./tools.css";

/** The tool gateway: what waits for a person first, then servers, tools, accepted definitions, and who called what. */
export const ToolsView = () => (
  <>
    <h1 className="unseen">Tools</h1>
    <Approvals />
    <Pins />
    <ToolServers />
    <ToolList />
    <Audit />
  </>
);
