import { useState } from "react";
import { ask } from "../../api/ask.ts";
import { messageOf } from "../../api/api-error.ts";
import type { AnswerState } from "../../api/use-answer.ts";
import { Badge } from "../../parts/badge.tsx";
import type { Tone } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { Time } from "../../parts/time.tsx";
import type { ToolServer } from "./tool-types.ts";

interface ToolServersProps {
  readonly servers: AnswerState<{ readonly servers: readonly ToolServer[] }>;
  /** Asks all of them anew. */
  readonly again: () => void;
}

/** Servers of the tool gateway, each with its state and why. */
export function ToolServers({ servers: { value, error }, again }: ToolServersProps) {
  return (
    <Panel title="Tool servers" actions={<Button onPress={again}>Look again</Button>}>
      {error !== undefined && <Failure error={error} again={again} />}
      {value === undefined && error === undefined && <Loading what="tool servers" />}
      {value?.servers.length === 0 && (
        <Empty>
          The spec names no tool servers. <code>tools:</code> in it does.
        </Empty>
      )}
      {value !== undefined && value.servers.length > 0 && (
        <DataTable
          caption="Servers with their states"
          columns={COLUMNS}
          rows={value.servers}
          keyOf={({ name }) => name}
        />
      )}
    </Panel>
  );
}

const TONES: Readonly<Record<ToolServer["state"], Tone>> = {
  idle: "quiet",
  starting: "busy",
  ready: "good",
  failed: "error",
  closed: "quiet",
};

const COLUMNS: readonly Column<ToolServer>[] = [
  { name: "Server", cell: (server) => <ServerName {...server} /> },
  { name: "State", cell: (server) => <ServerState {...server} /> },
  { name: "Since", cell: ({ since }) => <Time at={since} /> },
  { name: "Transport", cell: ({ transport }) => transport },
  {
    name: "Tools",
    figure: true,
    cell: ({ tools, quarantined }) => (quarantined === 0 ? tools : `${tools}, ${quarantined} in quarantine`),
  },
  { name: "Restarts", figure: true, cell: ({ restarts }) => restarts },
];

function ServerName({ name, serverName, serverVersion, protocolVersion }: ToolServer) {
  const says = [serverName, serverVersion].filter((part) => part !== undefined).join(" ");
  const about = [says, protocolVersion === undefined ? "" : `MCP ${protocolVersion}`].filter(
    (part) => part !== "",
  );
  return (
    <>
      {name}
      {about.length > 0 && <small className="server-about quiet">{about.join(", ")}</small>}
    </>
  );
}

function ServerState({ name, enabled, state, reason }: ToolServer) {
  return (
    <>
      {enabled ? <Badge tone={TONES[state]}>{state}</Badge> : <Badge tone="quiet">switched off</Badge>}
      {reason !== undefined && <p className="server-reason">{reason}</p>}
      {enabled && state === "failed" && <Retry server={name} />}
    </>
  );
}

function Retry({ server }: { readonly server: string }) {
  const [said, setSaid] = useState<string>();
  const [busy, setBusy] = useState(false);
  const retry = (): void => {
    setBusy(true);
    ask("POST /api/mcp/servers/{name}/retry", { params: { name: server } })
      .then(
        ({ message }) => setSaid(message),
        (thrown: unknown) => setSaid(messageOf(thrown)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <p className="row">
      <Button busy={busy} onPress={retry} label={`Try again: ${server}`}>
        Try again
      </Button>
      <span role="status">{said}</span>
    </p>
  );
}
