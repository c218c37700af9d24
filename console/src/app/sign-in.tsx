import { useState } from "react";
import type { FormEvent } from "react";
import { holdKey, sessionKey } from "../api/session-key.ts";
import { Button } from "../parts/button.tsx";
import { Notice } from "../parts/notice.tsx";

interface SignInProps {
  /** What the node said of the key that was shown. */
  readonly refused: string | undefined;
  readonly open: () => void;
}

/** Asks for a key, once. */
export function SignIn({ refused, open }: SignInProps) {
  const [key, setKey] = useState("");
  const [keep, setKeep] = useState(true);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (key.trim() === "") return;
    holdKey(key.trim(), keep);
    open();
  };
  return (
    <main className="sign-in">
      <h1>Omni</h1>
      <p>This node asks everyone for a key.</p>
      {refused !== undefined && sessionKey() !== undefined && (
        <Notice tone="error" title="The key was refused">
          {refused}
        </Notice>
      )}
      <form onSubmit={submit}>
        <label className="field">
          <span>Key</span>
          <input
            type="password"
            name="key"
            autoComplete="off"
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        <label className="check">
          <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.target.checked)} />
          <span>Keep it until this tab is closed</span>
        </label>
        <Button tone="primary" submit>
          Open
        </Button>
      </form>
      <p className="quiet">
        <code>./omni keys create NAME --admin</code> makes one.
      </p>
    </main>
  );
}
