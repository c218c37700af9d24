import { keyed } from "./keyed.ts";

const ADDRESS = /(https?:\/\/[^\s,;"<>]+)/;

/** A text in which addresses can be followed; nothing else of it is taken for markup. */
export const LinkedText = ({ text }: { readonly text: string }) =>
  keyed(text.split(ADDRESS), (part) => part).map(({ key, item }) =>
    ADDRESS.test(item) ? (
      <a key={key} href={item} rel="noreferrer noopener">
        {item}
      </a>
    ) : (
      item
    ),
  );
