import { useEffect, useRef } from "react";
import { Button } from "../../parts/button.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Notice } from "../../parts/notice.tsx";

interface SecretShownProps {
  readonly name: string;
  readonly secret: string;
  /** The node asked nobody for a key before this one. */
  readonly first: boolean;
  /** This console shows it from now on. */
  readonly taken: boolean;
  readonly close: () => void;
}

/** A secret, this once. It is held by nothing but this window. */
export function SecretShown({ name, secret, first, taken, close }: SecretShownProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus(), []);
  return (
    <div className="secret-shown" ref={place} tabIndex={-1}>
      <Notice tone="warning" title="This is shown once">
        Copy it now. Omni keeps only a hash of it: whoever loses it needs a new one.
      </Notice>
      <p>
        Secret of <strong>{name}</strong>:
      </p>
      <p className="secret">
        <code>{secret}</code> <CopyButton text={secret} label="Copy the secret" />
      </p>
      <p className="quiet">
        Clients send it as <code>Authorization: Bearer …</code>, or as their API key.
      </p>
      {first && (
        <Notice tone="warning" title="From now on everyone needs a key">
          It is the first key of this node: requests without one are refused from now on, on its own machine
          too.
        </Notice>
      )}
      {taken && <p>This console uses it from now on, until this tab is closed.</p>}
      <div className="dialog-actions">
        <Button tone="primary" onPress={close}>
          I have kept it
        </Button>
      </div>
    </div>
  );
}
