/** Words in a cell of a table that are read as a sentence: they get room on a narrow screen too, where the table scrolls. */
export const ProseCell = ({ text }: { readonly text: string }) => <div className="prose-cell">{text}</div>;
