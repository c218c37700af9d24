import { useState } from "react";
import type { ReactNode } from "react";
import { messageOf } from "../api/api-error.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { Notice } from "./notice.tsx";

interface ConfirmProps {
  /** The question: `Restart oracle?` */
  readonly title: string;
  /** What will come of it. */
  readonly children: ReactNode;
  /** The word on the button: `Restart`. */
  readonly word: string;
  readonly danger?: boolean;
  /** Closes the dialog when it resolves; what it rejects with is shown. */
  readonly act: () => Promise<unknown>;
  readonly close: () => void;
}

/** Asks before something is done, does it, and says what went wrong. */
export function Confirm({ title, children, word, danger = false, act, close }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const go = (): void => {
    setBusy(true);
    act().then(close, (thrown: unknown) => {
      setError(messageOf(thrown));
      setBusy(false);
    });
  };
  return (
    <Dialog title={title} close={close}>
      <div>{children}</div>
      {error !== undefined && (
        <Notice tone="error" title="This did not work">
          {error}
        </Notice>
      )}
      <div className="dialog-actions">
        <Button onPress={close}>Cancel</Button>
        <Button tone={danger ? "danger" : "primary"} busy={busy} onPress={go}>
          {word}
        </Button>
      </div>
    </Dialog>
  );
}
