import { useState } from "react";
import { useAnswer } from "../../api/use-answer.ts";
import { useSession } from "../../app/session.ts";
import { Button } from "../../parts/button.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Failure } from "../../parts/failure.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Panel } from "../../parts/panel.tsx";
import { CreateKey } from "./create-key.tsx";
import { KeyTable } from "./key-table.tsx";
import type { KeyAction } from "./key-table.tsx";
import type { Key } from "./key-types.ts";
import { RevokeKey } from "./revoke-key.tsx";
import { RotateKey } from "./rotate-key.tsx";
import { UsagePanel } from "./usage-panel.tsx";
import "./keys.css";

type Open = { readonly action: "create" } | { readonly action: KeyAction; readonly name: string };

/** Who may ask this node, how much, and what was used. */
export function KeysView() {
  const { value, error, again } = useAnswer("GET /api/keys");
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  if (value === undefined)
    return error === undefined ? <Loading what="the keys" /> : <Failure error={error} again={again} />;
  return (
    <>
      <h1>Keys</h1>
      {error !== undefined && <Failure error={error} again={again} />}
      <Panel
        title="Keys of this node"
        actions={
          <Button tone="primary" onPress={() => setOpen({ action: "create" })}>
            New key
          </Button>
        }
      >
        <KeyLists keys={value.keys} act={(action, name) => setOpen({ action, name })} />
      </Panel>
      <UsagePanel keys={[...new Set(value.keys.map(({ name }) => name))]} />
      {open?.action === "create" && (
        <CreateKey
          made={again}
          close={(taken) => {
            close();
            // Who looks is another one now, and the stream needs the key as well.
            if (taken) location.reload();
          }}
        />
      )}
      {open?.action === "rotate" && <RotateKey name={open.name} made={again} close={close} />}
      {open?.action === "revoke" && <RevokeKey name={open.name} revoked={again} close={close} />}
    </>
  );
}

interface KeyListsProps {
  readonly keys: readonly Key[];
  readonly act: (action: KeyAction, name: string) => void;
}

function KeyLists({ keys, act }: KeyListsProps) {
  const { keysRequired } = useSession();
  const kept = keys.filter(({ state }) => state !== "revoked");
  const revoked = keys.filter(({ state }) => state === "revoked");
  return (
    <>
      {kept.length > 0 ? (
        <KeyTable caption="Keys that are kept" keys={kept} act={act} />
      ) : (
        <Empty>
          {keysRequired
            ? "No key is in force: the node refuses everyone."
            : "There are no keys: whoever is on this machine may use the node and change it. The first key ends that for everyone."}
        </Empty>
      )}
      {revoked.length > 0 && (
        <details className="fold">
          <summary>{revoked.length} revoked</summary>
          <KeyTable caption="Keys that were revoked" keys={revoked} act={act} />
        </details>
      )}
    </>
  );
}
