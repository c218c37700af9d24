import { Fragment } from "react";
import type { ReactNode } from "react";
import type { MarkedToken, Token, Tokens } from "marked";
import { decodeEntities } from "./decode-entities.ts";
import { isOwn, placed } from "./placed.ts";
import { safeLink } from "./safe-link.ts";

/** Words, emphasis, links: what stands within a block. Markup of HTML is shown as the text that it is. */
export const Inline = ({ tokens }: { readonly tokens: readonly Token[] | undefined }) =>
  placed(tokens ?? []).map(({ token, begin }) => (
    <Fragment key={begin}>{isOwn(token) ? inlineOf(token) : token.raw}</Fragment>
  ));

function inlineOf(token: MarkedToken): ReactNode {
  switch (token.type) {
    case "strong":
      return (
        <strong>
          <Inline tokens={token.tokens} />
        </strong>
      );
    case "em":
      return (
        <em>
          <Inline tokens={token.tokens} />
        </em>
      );
    case "del":
      return (
        <del>
          <Inline tokens={token.tokens} />
        </del>
      );
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "escape":
      return token.text;
    case "link":
      return <Anchor {...token} />;
    case "image":
      return <Picture {...token} />;
    case "checkbox":
      return <input type="checkbox" checked={token.checked} readOnly disabled aria-label="Done" />;
    case "html":
      return /^<br\s*\/?>$/i.test(token.raw) ? <br /> : token.raw;
    case "text":
      return token.tokens === undefined ? decodeEntities(token.text) : <Inline tokens={token.tokens} />;
    default:
      return token.raw;
  }
}

function Anchor({ href, text, tokens }: Tokens.Link) {
  const address = safeLink(href);
  if (address === undefined) return <Inline tokens={tokens} />;
  return (
    <a
      href={address}
      target="_blank"
      rel="noreferrer noopener"
      title={address === text ? undefined : address}
    >
      <Inline tokens={tokens} />
    </a>
  );
}

/** Never SVG, and nothing from elsewhere: an address that is loaded tells its host who reads. */
const SHOWN = /^data:image\/(?:png|jpeg|gif|webp);base64,/;

function Picture({ href, text }: Tokens.Image) {
  if (SHOWN.test(href)) return <img src={href} alt={text} />;
  const address = safeLink(href);
  const words = `image: ${text === "" ? href : text}`;
  if (address === undefined) return words;
  return (
    <a href={address} target="_blank" rel="noreferrer noopener" title="Images of other hosts are not loaded">
      {words}
    </a>
  );
}
