interface SubView {
  readonly name: string;
  readonly href: string;
  readonly current: boolean;
}

/** Parts of one view, of which one is shown: each has an address of its own. */
export const SubViews = ({ label, of }: { readonly label: string; readonly of: readonly SubView[] }) => (
  <nav className="sub-views" aria-label={label}>
    {of.map(({ name, href, current }) => (
      <a key={href} href={href} aria-current={current ? "page" : undefined}>
        {name}
      </a>
    ))}
  </nav>
);
