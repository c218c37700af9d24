import { ApiError, messageOf } from "../api/api-error.ts";
import { Button } from "./button.tsx";
import { Notice } from "./notice.tsx";

/** What did not work, in the node's own words, and a way to try again. */
export function Failure({ error, again }: { readonly error: unknown; readonly again?: () => void }) {
  const code = error instanceof ApiError ? error.code : undefined;
  return (
    <Notice tone="error" title="This did not work">
      <p>{messageOf(error)}</p>
      {code !== undefined && (
        <p>
          <code>{code}</code>
        </p>
      )}
      {again !== undefined && <Button onPress={again}>Try again</Button>}
    </Notice>
  );
}
