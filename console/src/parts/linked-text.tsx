const ADDRESS = /(https?:\/\/[^\s,;"<>]+)/;

/** A text in which addresses can be followed; nothing else of it is taken for markup. */
export const LinkedText = ({ text }: { readonly text: string }) =>
  text.split(ADDRESS).map((part, index) =>
    // Every second part is what the pattern caught.
    index % 2 === 0 ? (
      part
    ) : (
      <a key={`${index} ${part}`} href={part} rel="noreferrer noopener">
        {part}
      </a>
    ),
  );
