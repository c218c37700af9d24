import { useEffect, useRef, useState } from "react";
import type { FormEvent } from "react";
import { ask } from "../../api/ask.ts";
import { useSession } from "../../app/session.ts";
import { Button } from "../../parts/button.tsx";
import { Check } from "../../parts/check.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Notice } from "../../parts/notice.tsx";
import { emptyDraft, newKeyOf } from "./key-draft.ts";
import type { DraftErrors } from "./key-draft.ts";
import { KeyFields } from "./key-fields.tsx";
import type { MadeKey } from "./key-types.ts";
import { isLockout, refusalFields } from "./refusal-fields.ts";
import { SecretShown } from "./secret-shown.tsx";
import { takeKey } from "./take-key.ts";

interface CreateKeyProps {
  /** Called when the window is done with; `taken` where this console shows the new key from now on. */
  readonly close: (taken: boolean) => void;
  readonly made: () => void;
}

/** Makes a key, and shows its secret once. */
export function CreateKey({ close, made }: CreateKeyProps) {
  const [done, setDone] = useState<MadeKey & { readonly taken: boolean }>();
  const session = useSession();
  const keep = (answer: MadeKey): void => {
    setDone({ ...answer, taken: takeKey(session, answer.key, answer.secret, answer.first) });
    made();
  };
  const taken = done?.taken === true;
  return (
    <Dialog title={done === undefined ? "New key" : "The key is made"} close={() => close(taken)}>
      {done === undefined ? (
        <KeyForm first={!session.keysRequired} keep={keep} close={() => close(false)} />
      ) : (
        <SecretShown
          name={done.key.name}
          secret={done.secret}
          first={done.first}
          taken={taken}
          close={() => close(taken)}
        />
      )}
    </Dialog>
  );
}

interface KeyFormProps {
  readonly first: boolean;
  readonly keep: (made: MadeKey) => void;
  readonly close: () => void;
}

function KeyForm({ first, keep, close }: KeyFormProps) {
  const [draft, setDraft] = useState(() => emptyDraft(first));
  const [errors, setErrors] = useState<DraftErrors>({});
  const [locked, setLocked] = useState(false);
  const [force, setForce] = useState(false);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (Object.keys(errors).length > 0)
      form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [errors]);
  const refused = (error: unknown): void => {
    setLocked(isLockout(error));
    setErrors(refusalFields(error));
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const checked = newKeyOf(draft, Date.now());
    setErrors("errors" in checked ? checked.errors : {});
    if ("errors" in checked) return;
    setBusy(true);
    ask("POST /api/keys", { body: force ? { ...checked.key, force } : checked.key }).then(keep, refused);
  };
  return (
    <form className="key-form" ref={form} onSubmit={submit} noValidate>
      {first && (
        <Notice tone="warning" title="It is the first key of this node">
          From then on everyone needs one, on the node's own machine too. Make one that may change the node
          first: this console goes on with it.
        </Notice>
      )}
      <KeyFields draft={draft} onChange={setDraft} errors={errors} />
      {errors[""] !== undefined && (
        <Notice tone="error" title="It was not made">
          {errors[""]}
        </Notice>
      )}
      {Object.keys(errors).some((field) => field !== "") && (
        <p role="alert" className="wrong">
          Something above is not right yet.
        </p>
      )}
      {locked && (
        <Check on={force} onChange={setForce}>
          Make it anyway; keys that may change the node can then be made on its machine only
        </Check>
      )}
      <div className="dialog-actions">
        <Button onPress={close}>Cancel</Button>
        <Button tone="primary" submit busy={busy}>
          Make the key
        </Button>
      </div>
    </form>
  );
}
