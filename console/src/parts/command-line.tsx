import { CopyButton } from "./copy-button.tsx";

/** A command for a terminal, to be copied. */
export const CommandLine = ({ command }: { readonly command: string }) => (
  <div className="command-line">
    <code>{command}</code>
    <CopyButton text={command} />
  </div>
);
