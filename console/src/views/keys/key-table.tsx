import { Badge } from "../../parts/badge.tsx";
import { Button } from "../../parts/button.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table.tsx";
import { Time } from "../../parts/time.tsx";
import type { Key } from "./key-types.ts";
import { limitWords, mayWords, TONE_OF_STATE } from "./key-words.ts";

/** What is done to a key of the store. */
export type KeyAction = "rotate" | "revoke";

interface KeyTableProps {
  readonly caption: string;
  readonly keys: readonly Key[];
  readonly act: (action: KeyAction, name: string) => void;
}

interface Row {
  readonly key: Key;
  readonly act: KeyTableProps["act"];
}

/** Keys with what each may do; those of the spec are changed there. */
export const KeyTable = ({ caption, keys, act }: KeyTableProps) => (
  <DataTable
    caption={caption}
    rows={keys.map((key) => ({ key, act }))}
    keyOf={({ key }) => `${key.source} ${key.name} ${key.created ?? ""}`}
    columns={COLUMNS}
  />
);

const COLUMNS: readonly Column<Row>[] = [
  {
    name: "Key",
    cell: ({ key }) => (
      <>
        {key.name}
        {key.prefix !== undefined && (
          <div className="quiet">
            <code>{key.prefix}…</code>
          </div>
        )}
      </>
    ),
  },
  { name: "State", cell: ({ key }) => <Badge tone={TONE_OF_STATE[key.state]}>{key.state}</Badge> },
  { name: "May", cell: ({ key }) => <Words of={mayWords(key.may)} /> },
  { name: "Limits", cell: ({ key }) => <Words of={limitWords(key.may)} /> },
  {
    name: "Ends",
    cell: ({ key }) => (key.expires === undefined ? "never" : <Time at={key.expires} as="clock" />),
  },
  { name: "Secret of", cell: ({ key }) => <SecretAge of={key} /> },
  { name: "Change", cell: ({ key, act }) => <Actions of={key} act={act} /> },
];

const Words = ({ of }: { readonly of: readonly string[] }) => (
  <ul className="key-words">
    {of.map((word) => (
      <li key={word}>{word}</li>
    ))}
    {of.length === 0 && <li>none</li>}
  </ul>
);

function SecretAge({ of: { created, rotated, oldSecretUntil, revoked } }: { readonly of: Key }) {
  const since = rotated ?? created;
  return (
    <>
      {since !== undefined && <Time at={since} />}
      {oldSecretUntil !== undefined && (
        <div className="quiet">
          the old one until <Time at={oldSecretUntil} as="clock" />
        </div>
      )}
      {revoked !== undefined && (
        <div className="quiet">
          revoked <Time at={revoked} />
        </div>
      )}
    </>
  );
}

function Actions({ of: { name, source, state }, act }: { readonly of: Key; readonly act: Row["act"] }) {
  if (source === "spec")
    return (
      <span className="quiet">
        in the spec: <code>keys.{name}</code>
      </span>
    );
  if (state === "revoked") return null;
  return (
    <div className="row">
      <Button onPress={() => act("rotate", name)} label={`New secret for ${name}`}>
        New secret
      </Button>
      <Button tone="danger" onPress={() => act("revoke", name)} label={`Revoke ${name}`}>
        Revoke
      </Button>
    </div>
  );
}
