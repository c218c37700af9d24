import { useState } from "react";
import { Button } from "./button.tsx";

/** Puts a text on the clipboard, and says that it is there. */
export function CopyButton({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [word, setWord] = useState(label);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setWord("Copied"),
      () => setWord("Not allowed by the browser"),
    );
    setTimeout(() => setWord(label), 2000);
  };
  return (
    <Button tone="quiet" onPress={copy}>
      {word}
    </Button>
  );
}
