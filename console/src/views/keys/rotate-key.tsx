import { useState } from "react";
import { messageOf } from "../../api/api-error.ts";
import { ask } from "../../api/ask.ts";
import { useAct } from "../../api/use-act.ts";
import { useSession } from "../../app/session.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Field } from "../../parts/field.tsx";
import { Notice } from "../../parts/notice.tsx";
import { SecretShown } from "./secret-shown.tsx";
import { takeKey } from "./take-key.ts";

interface RotateKeyProps {
  readonly name: string;
  readonly close: () => void;
  readonly made: () => void;
}

/** How long the old secret is good beside the new one; milliseconds. */
const GRACES = [
  ["0", "at once"],
  ["600000", "in ten minutes"],
  ["3600000", "in an hour"],
  ["86400000", "in a day"],
  ["604800000", "in a week"],
] as const;

/** Gives a key another secret, and shows that once. */
export function RotateKey({ name, close, made }: RotateKeyProps) {
  const session = useSession();
  const [grace, setGrace] = useState("3600000");
  const [done, setDone] = useState<{ readonly secret: string; readonly taken: boolean }>();
  const { busy, error, go } = useAct(async () => {
    const body = { grace: Number(grace) };
    const { key, secret } = await ask("POST /api/keys/{name}/rotate", { params: { name }, body });
    setDone({ secret, taken: takeKey(session, key, secret, false) });
    made();
  });
  return (
    <Dialog title={done === undefined ? `New secret for ${name}?` : "The secret is made"} close={close}>
      {done === undefined ? (
        <>
          <p>What the key may do and its limits stay as they are.</p>
          <Field name="The old secret ends" value={grace} onChange={setGrace} choices={GRACES} />
          {error !== undefined && (
            <Notice tone="error" title="This did not work">
              {messageOf(error)}
            </Notice>
          )}
          <div className="dialog-actions">
            <Button onPress={close}>Cancel</Button>
            <Button tone="primary" busy={busy} onPress={go}>
              Make a new secret
            </Button>
          </div>
        </>
      ) : (
        <SecretShown name={name} secret={done.secret} first={false} taken={done.taken} close={close} />
      )}
    </Dialog>
  );
}
