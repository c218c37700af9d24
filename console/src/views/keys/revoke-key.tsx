import { useState } from "react";
import type { FormEvent } from "react";
import { messageOf } from "../../api/api-error.ts";
import { ask } from "../../api/ask.ts";
import { useAct } from "../../api/use-act.ts";
import { useSession } from "../../app/session.ts";
import { Button } from "../../parts/button.tsx";
import { Check } from "../../parts/check.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Field } from "../../parts/field.tsx";
import { Notice } from "../../parts/notice.tsx";
import { isLockout } from "./refusal-fields.ts";

interface RevokeKeyProps {
  readonly name: string;
  readonly close: () => void;
  readonly revoked: () => void;
}

/** Revokes a key, after its name was typed. */
export function RevokeKey({ name, close, revoked }: RevokeKeyProps) {
  const session = useSession();
  const [typed, setTyped] = useState("");
  const [force, setForce] = useState(false);
  const { busy, error, go } = useAct(async () => {
    await ask("DELETE /api/keys/{name}", {
      params: { name },
      ...(force ? { query: { force: "true" } } : {}),
    });
    revoked();
    close();
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (typed === name) go();
  };
  return (
    <Dialog title={`Revoke ${name}?`} close={close}>
      <form className="key-form" onSubmit={submit}>
        <p>Its requests are refused from then on. It cannot be given back; its usage stays in the books.</p>
        {session.key === name && (
          <Notice tone="warning" title="It is the key of this console">
            You will be asked for another one.
          </Notice>
        )}
        <Field name={`Type ${name} to revoke it`} value={typed} onChange={setTyped} />
        {error !== undefined && (
          <Notice tone="error" title="It was not revoked">
            {messageOf(error)}
          </Notice>
        )}
        {isLockout(error) && (
          <Check on={force} onChange={setForce}>
            Revoke it anyway
          </Check>
        )}
        <div className="dialog-actions">
          <Button onPress={close}>Cancel</Button>
          <Button tone="danger" submit busy={busy} disabled={typed !== name}>
            Revoke
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
