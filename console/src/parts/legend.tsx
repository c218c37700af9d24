/** What the colours of bars stand for: tones of `Segment` with their names. */
export const Legend = ({ of }: { readonly of: readonly (readonly [tone: string, name: string])[] }) => (
  <ul className="legend">
    {of.map(([tone, name]) => (
      <li key={tone}>
        <span className={`swatch segment-${tone}`} aria-hidden="true" />
        {name}
      </li>
    ))}
  </ul>
);
